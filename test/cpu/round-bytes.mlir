// Four vectors are rounded to a register of bytes, where the target takes bytes out of two registers at once.
// RUN: norm-opt %s --norm-lower-plan=looks-up-bytes --canonicalize --cse | FileCheck %s --enable-var-scope
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s --check-prefix=CONVERTED

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f8_n_k = tensor<?x?xf8E5M2, #norm.axes<n, k>>
!i8_n_k = tensor<?x?xi8, #norm.axes<n, k>>

// CHECK-LABEL: func.func private @integers_phase0_body
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.lrint"
// CHECK:         %[[LOW:.*]] = vector.shuffle {{.*}} [0, 4, 8, 12, {{.*}}, 124, 0, 4, {{.*}} : vector<64xi8>, vector<64xi8>
// CHECK:         %[[HIGH:.*]] = vector.shuffle {{.*}} [0, 4, 8, 12, {{.*}}, 124, 0, 4, {{.*}} : vector<64xi8>, vector<64xi8>
// CHECK:         %[[ALL:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, {{.*}}, 31, 96, {{.*}}, 127]
// CHECK:         llvm.store %[[ALL]], %{{.*}} : vector<64xi8>
// A tail is converted by itself.
// CHECK:         arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
// CONVERTED-LABEL: func.func private @integers_phase0_body
// CONVERTED-COUNT-4: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
norm.kernel @integers axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !i8_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !i8_n_k
    }
  }
  norm.return
}

// CHECK-LABEL: func.func private @floats_phase0_body
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.mask.range.ps.512"
// The lowest bytes, and the highest.
// CHECK:         %[[LOW:.*]] = vector.shuffle {{.*}} [0, 4, 8, 12, {{.*}}, 124, 3, 7, {{.*}}, 127]
// CHECK:         %[[HIGH:.*]] = vector.shuffle {{.*}} [0, 4, 8, 12, {{.*}}, 124, 3, 7, {{.*}}, 127]
// CHECK:         vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, {{.*}}, 31, 64, {{.*}}, 95]
// CHECK:         %[[SIGNS:.*]] = vector.shuffle %[[LOW]], %[[HIGH]] [32, 33, {{.*}}, 63, 96, {{.*}}, 127]
// CHECK:         %[[NAN:.*]] = arith.cmpi ne
// CHECK:         %[[ALL:.*]] = arith.select %[[NAN]]
// CHECK:         llvm.store %[[ALL]], %{{.*}} : vector<64xi8>
// CONVERTED-LABEL: func.func private @floats_phase0_body
// CONVERTED-NOT:     mask.range
// CONVERTED-COUNT-4: arith.trunci %{{.*}} : vector<16xi32> to vector<16xi8>
norm.kernel @floats axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f8_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f8_n_k
    }
  }
  norm.return
}

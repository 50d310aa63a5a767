// Rows that are quantised: the largest magnitude is that of integers, numbers are rounded by one instruction, and four
// vectors of bytes bypass the caches as one. Short rows inside of a block, each with a scale, go side by side. Four
// vectors of f8 are looked up at once.
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1024 looks-up-bytes" --canonicalize --cse \
// RUN:   | FileCheck %s --enable-var-scope
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s --check-prefix=CONVERTED

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!i8_n_k = tensor<?x?xi8, #norm.axes<n, k>>
!f8_n_k = tensor<?x?xf8E4M3FN, #norm.axes<n, k>>
!f32_n_m_k = tensor<?x?x?xf32, #norm.axes<n, m, k>>
!f32_n_m = tensor<?x?xf32, #norm.axes<n, m>>

// CHECK-LABEL: func.func private @quantise_phase0_body
// CHECK-COUNT-4: arith.maxsi %{{.*}} : vector<16xi32>
// CHECK:         %[[LOW:.*]] = arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK:         llvm.call_intrinsic "llvm.lrint"(%{{.*}}) : (vector<16xf32>) -> vector<16xi32>
// CHECK:         vector.shuffle %{{.*}} : vector<16xi8>, vector<16xi8>
// CHECK:         %[[ALL:.*]] = vector.shuffle %{{.*}} : vector<32xi8>, vector<32xi8>
// CHECK:         llvm.store %[[ALL]], %{{.*}} {alignment = 64 : i64, nontemporal} : vector<64xi8>
norm.kernel @quantise axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %q: !i8_n_k {norm.name = "q", norm.out}) {
  norm.phase [n] {
    %most = norm.pass [k] (max) {
      %a = norm.load %x : !f32_n_k to f32
      %b = math.absf %a : f32
      norm.yield %b : f32
    }
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %most : f32
      norm.store %b to %q : f32 to !i8_n_k
    }
  }
  norm.return
}

// CHECK-LABEL: func.func private @quantise_short_phase0_body
// CHECK:         scf.for %{{.*}} = %c0_i64 to %{{.*}} step %c32_i64
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:           llvm.intr.masked.store %{{.*}} : vector<32xf32>, vector<32xi1> into !llvm.ptr
norm.kernel @quantise_short axes(n, m, k = 32) (%x: !f32_n_m_k {norm.name = "x"},
                                                %y: !f32_n_m {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [m] {
      %most = norm.pass [k] (max) {
        %a = norm.load %x : !f32_n_m_k to f32
        %b = math.absf %a : f32
        norm.yield %b : f32
      }
      norm.store %most to %y : f32 to !f32_n_m
    }
  }
  norm.return
}

// Longer ones go one after another.
// CHECK-LABEL: func.func private @quantise_long_phase0_body
// CHECK-NOT:     vector<32xf32>
norm.kernel @quantise_long axes(n, m, k = 128) (%x: !f32_n_m_k {norm.name = "x"},
                                                %y: !f32_n_m {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [m] {
      %most = norm.pass [k] (max) {
        %a = norm.load %x : !f32_n_m_k to f32
        %b = math.absf %a : f32
        norm.yield %b : f32
      }
      norm.store %most to %y : f32 to !f32_n_m
    }
  }
  norm.return
}

// CHECK-LABEL: func.func private @widen_phase0_body
// CHECK:         %[[BYTES:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<64xi8>
// CHECK:         %[[QUADS:.*]] = vector.bitcast %[[BYTES]] : vector<64xi8> to vector<16xi32>
// CHECK:         vector.shuffle %[[QUADS]], %[[QUADS]] [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"
// CHECK-COUNT-4: llvm.store %{{.*}} : vector<16xf32>
// A tail is converted.
// CHECK:         arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CONVERTED-LABEL: func.func private @widen_phase0_body
// CONVERTED-NOT:     vpermi2var
// CONVERTED-COUNT-4: arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
norm.kernel @widen axes(n, k) (%x: !f8_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f8_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

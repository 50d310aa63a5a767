// Four vectors of f8 are looked up at once, where the target has tables of bytes.
// RUN: norm-opt %s --norm-lower-plan=looks-up-bytes --canonicalize --cse | FileCheck %s --enable-var-scope
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s --check-prefix=CONVERTED

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f8_n_k = tensor<?x?xf8E4M3FN, #norm.axes<n, k>>

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

!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>

// Two vectors of bf16 are taken apart at once.
// CHECK-LABEL: func.func private @spread_phase0_body
// CHECK:         arith.constant dense<[-128, -128, 0, 1, -128, -128, 2, 3, {{.*}}, 30, 31]> : vector<64xi8>
// CHECK:         %[[WORDS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK:         %[[BYTES:.*]] = vector.bitcast %[[WORDS]] : vector<32xi16> to vector<64xi8>
// CHECK:         %[[HIDDEN:.*]] = llvm.call_intrinsic "llvm.arithmetic.fence"
// CHECK:         %[[ORDER:.*]] = vector.bitcast %[[HIDDEN]] : vector<16xf32> to vector<64xi8>
// CHECK:         %[[TAKEN:.*]] = arith.cmpi sge, %[[ORDER]]
// CHECK:         %[[SHUFFLED:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%[[BYTES]], %[[ORDER]])
// CHECK:         arith.select %[[TAKEN]], %[[SHUFFLED]]
// CHECK:         llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%[[BYTES]]
// A tail is converted.
// CHECK:         arith.extui %{{.*}} : vector<16xi16> to vector<16xi32>
// CONVERTED-LABEL: func.func private @spread_phase0_body
// CONVERTED-NOT:     permvar
// CONVERTED-COUNT-4: arith.extui %{{.*}} : vector<16xi16> to vector<16xi32>
norm.kernel @spread axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !bf16_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

!bf16_n_b = tensor<?x?xbf16, #norm.axes<n, b>>
!f32_n_b = tensor<?x?xf32, #norm.axes<n, b>>

// Slices side by side that have whole registers alone go a register at a time.
// CHECK-LABEL: func.func private @abreast_phase0_body
// CHECK-COUNT-4: llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK-NOT:     masked.load
// CONVERTED-LABEL: func.func private @abreast_phase0_body
// CONVERTED-NOT:     vector<32xi16>
norm.kernel @abreast axes(n, b = 32) (%x: !bf16_n_b {norm.name = "x"}, %y: !f32_n_b {norm.name = "y", norm.out}) {
  norm.phase [n] vectorized {
    %s = norm.pass [b] (sum) {
      %a = norm.load %x : !bf16_n_b to f32
      norm.yield %a : f32
    }
    norm.pass [b] {
      %a = norm.load %x : !bf16_n_b to f32
      %c = arith.mulf %a, %s : f32
      norm.store %c to %y : f32 to !f32_n_b
    }
  }
  norm.return
}

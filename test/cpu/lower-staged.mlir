// RUN: norm-opt %s --norm-lower-plan="stream-bytes=4096 l1-bytes=49152" --canonicalize --cse | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// What is to bypass the caches waits until the blocks have stored all of it, and goes as whole lines but for the first
// and the last one. What the next blocks read is fetched meanwhile.
// CHECK-LABEL: func.func private @scale_phase0_body
// CHECK:         scf.if
// CHECK-COUNT-4:   llvm.intr.prefetch
// CHECK-NOT:       nontemporal
// CHECK:           scf.for %{{.*}} step %c1_i64
// CHECK:             llvm.load %{{.*}} {alignment = 64 : i64} : !llvm.ptr -> vector<16xi32>
// CHECK-NEXT:        llvm.getelementptr
// CHECK-NEXT:        llvm.store %{{.*}} {alignment = 64 : i64, nontemporal} : vector<16xi32>
// CHECK:           llvm.intr.masked.store
// CHECK:           llvm.intr.masked.store
// CHECK:         } else {
// CHECK-NOT:       nontemporal
// CHECK-LABEL: func.func @scale_phase0
norm.kernel @scale axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] vectorized {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %t = arith.mulf %s, %s : f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %t : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

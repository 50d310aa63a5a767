// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>
!f32_r_k = tensor<?x?xf32, #norm.axes<r, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// Rows that are summed, and whose last sweep sums over the rows, go sixteen at a time: first the sum of each, into an
// array; then the last sweep with the rows under the lanes, its sums in registers. Where a row's sum is not finite, that
// row goes with the guards of its products, in the same order of sums.
// CHECK-LABEL: func.func private @gradient_phase0_body
// CHECK:         llvm.alloca %{{.*}} x f32
// CHECK:         scf.for %{{.*}} step %c16_i64
// CHECK:           %[[FINITE:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %true) -> (i1)
// CHECK:             vector.extract
// CHECK:             llvm.store %{{.*}} : f32, !llvm.ptr
// CHECK:           scf.if %[[FINITE]]
// CHECK:             scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-NOT:           arith.cmpf une
// CHECK:               llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-COUNT-4:       math.fma
// CHECK:           } else {
// CHECK:             scf.for {{.*}} -> (vector<16xf32>)
// CHECK:               llvm.load %{{.*}} : !llvm.ptr -> i8
// CHECK:               scf.if %{{.*}} -> (vector<16xf32>)
// CHECK-NOT:             arith.cmpf une
// CHECK:               } else {
// CHECK:                 arith.cmpf une
norm.kernel @gradient axes(n, k, r = n by 32) (%dys: !bf16_n_k {norm.name = "dy"}, %xs: !bf16_n_k {norm.name = "x"},
    %ws: !f32_k {norm.name = "w"}, %dx: !bf16_n_k {norm.name = "dx", norm.out}) {
  %columns = norm.workspace : !f32_r_k
  norm.phase [r] {
    %zero = arith.constant 0.0 : f32
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !bf16_n_k to f32
        %x = norm.load %xs : !bf16_n_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %x : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        norm.yield %g : f32
      }
      %t = arith.addf %s, %s : f32
      norm.pass [k] {
        %dy = norm.load %dys : !bf16_n_k to f32
        %x = norm.load %xs : !bf16_n_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %x : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        norm.store sum %g to %columns : f32 to !f32_r_k
        %w = norm.load %ws : !f32_k to f32
        %d = arith.subf %w, %t : f32
        norm.store %d to %dx : f32 to !bf16_n_k
      }
    }
  }
  norm.return
}

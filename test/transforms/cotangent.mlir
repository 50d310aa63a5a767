// RUN: norm-opt --norm-differentiate --canonicalize --cse %s | FileCheck %s --enable-var-scope

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// What is the same along a row stands outside of the sum over the row, and the sum is guarded where dy is 0: of
// y = 3 (2 x r), dr is 2 (3 Σ dy x).
// CHECK-LABEL: norm.kernel @rows_backward
// CHECK-SAME:    (%[[DY:[^:]*]]: !f32_n_k {{[^)]*}}"dy"}, %[[X:[^:]*]]: !f32_n_k
// CHECK-DAG:     %[[THREE:.*]] = arith.constant 3.000000e+00 : f32
// CHECK:         %[[ISNT:.*]] = arith.cmpf une, %[[DY]]
// CHECK:         %[[P:.*]] = arith.mulf %[[DY]], %[[X]] : !f32_n_k
// CHECK:         %[[GUARDED:.*]] = arith.select %[[ISNT]], %[[P]], %{{.*}} {norm.zero_cotangent}
// CHECK:         %[[SUM:.*]] = norm.reduce sum %[[GUARDED]] over [k] : !f32_n_k
// CHECK-NOT:     !f32_n_k
// CHECK:         %[[THREES:.*]] = norm.broadcast %[[THREE]] : f32 to !f32_n
// CHECK:         arith.mulf %[[SUM]], %[[THREES]] : !f32_n
// CHECK-NOT:     !f32_n_k
// CHECK:         norm.return
norm.kernel @rows axes(n, k) (%x: !nk {norm.name = "x", norm.dims = ["n", "k"]},
                              %r: !n {norm.name = "r", norm.dims = ["n"]})
    -> (!nk {norm.name = "y", norm.dims = ["n", "k"]}) {
  %two = arith.constant 2.0 : f32
  %three = arith.constant 3.0 : f32
  %twos = norm.broadcast %two : f32 to !nk
  %threes = norm.broadcast %three : f32 to !nk
  %wide = norm.broadcast %r : !n to !nk
  %p = arith.mulf %x, %wide : !nk
  %q = arith.mulf %p, %twos : !nk
  %y = arith.mulf %q, %threes : !nk
  norm.return %y : !nk
}
norm.gradient @rows_backward of @rows {of = ["y"], wrt = ["r"], given = []}

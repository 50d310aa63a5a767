// RUN: norm-opt --norm-differentiate --canonicalize --cse --split-input-file %s | FileCheck %s --enable-var-scope

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// Sums and differences, a cast and stop_gradient need neither x nor z.
// CHECK-LABEL: norm.kernel @linear_backward
// CHECK-SAME: (%[[DY:[^:]*]]: !f32_n
// CHECK-NEXT: %[[DZ:.*]] = arith.negf %[[DY]]
// CHECK-NEXT: norm.return %[[DY]], %[[DZ]]
!h = tensor<?xf16, #norm.axes<n>>
norm.kernel @linear axes(n) (%x: !n {norm.name = "x", norm.dims = ["n"]}, %z: !n {norm.name = "z", norm.dims = ["n"]}) -> (!n {norm.name = "y", norm.dims = ["n"]}) {
  %h = norm.cast %x : !n to !h
  %f = norm.cast %h : !h to !n
  %s = norm.stop_gradient %x : !n
  %a = arith.addf %f, %s : !n
  %y = arith.subf %a, %z : !n
  norm.return %y : !n
}
norm.gradient @linear_backward of @linear {of = ["y"], wrt = ["x", "z"], given = []}

// -----

!n = tensor<?xf32, #norm.axes<n>>

// Equal arguments of a maximum take half each; a clamp passes all at its bound.
// CHECK-LABEL: norm.kernel @extremes_backward
// CHECK-SAME: (%[[DY:[^:]*]]: !f32_n {{[^)]*}}"dy"}, %[[DZ:[^:]*]]: !f32_n {{[^)]*}}"dz"}, %[[X:[^:]*]]: !f32_n {{[^)]*}}"x"}, %[[A:[^:]*]]: !f32_n
// CHECK-DAG: %[[BELOW:.*]] = arith.cmpf olt, %[[X]], %[[A]]
// CHECK-DAG: %[[CLAMPED:.*]] = arith.select %[[BELOW]], %{{.*}}, %[[DZ]]
// CHECK-DAG: %[[TIE:.*]] = arith.cmpf oeq, %[[X]], %[[A]]
// CHECK-DAG: %[[HALF:.*]] = arith.mulf %[[DY]], %{{.*}}
// CHECK-DAG: %[[GREATER:.*]] = arith.select %[[BELOW]], %{{.*}}, %[[DY]]
// CHECK-DAG: %[[SHARE:.*]] = arith.select %[[TIE]], %[[HALF]], %[[GREATER]]
// CHECK: arith.addf %{{.*}}, %{{.*}}
// CHECK: norm.return
norm.kernel @extremes axes(n) (%x: !n {norm.name = "x", norm.dims = ["n"]}, %a: !n {norm.name = "a", norm.dims = ["n"]}) -> (!n {norm.name = "y", norm.dims = ["n"]}, !n {norm.name = "z", norm.dims = ["n"]}) {
  %y = arith.maximumf %x, %a : !n
  %z = arith.maximumf %x, %a {norm.clamp} : !n
  norm.return %y, %z : !n, !n
}
norm.gradient @extremes_backward of @extremes {of = ["y", "z"], wrt = ["x"], given = []}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// The points of a row that equal its maximum share.
// CHECK-LABEL: norm.kernel @largest_backward
// CHECK: %[[MAX:.*]] = norm.reduce max %[[X:.*]] over [k]
// CHECK: %[[EVERYWHERE:.*]] = norm.broadcast %[[MAX]]
// CHECK: %[[TIE:.*]] = arith.cmpf oeq, %[[X]], %[[EVERYWHERE]]
// CHECK: %[[ONE:.*]] = arith.uitofp %[[TIE]]
// CHECK: norm.reduce sum %[[ONE]] over [k]
norm.kernel @largest axes(n, k) (%x: !nk {norm.name = "x", norm.dims = ["n", "k"]}) -> (!n {norm.name = "y", norm.dims = ["n"]}) {
  %y = norm.reduce max %x over [k] : !nk
  norm.return %y : !n
}
norm.gradient @largest_backward of @largest {of = ["y"], wrt = ["x"], given = []}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!ngk = tensor<?x?x?xf32, #norm.axes<n, g, k>>

// One position of a split axis: its index is that of its parts.
// CHECK-LABEL: norm.kernel @position_backward
// CHECK-DAG: norm.size [k]
// CHECK-DAG: norm.index g
// CHECK-DAG: norm.index k
// CHECK: %[[INDEX:.*]] = arith.addi
// CHECK: %[[THERE:.*]] = arith.cmpi eq, %[[INDEX]]
// CHECK: arith.select
norm.kernel @position axes(n, g, k, c = g * k) (%x: !ngk {norm.name = "x", norm.dims = ["n", "c"]}) -> (!n {norm.name = "y", norm.dims = ["n"]}) {
  %i = arith.constant 3 : i64
  %y = norm.at %x, c = %i : !ngk to !n
  norm.return %y : !n
}
norm.gradient @position_backward of @position {of = ["y"], wrt = ["x"], given = []}

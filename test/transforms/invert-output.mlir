// RUN: norm-opt --norm-differentiate --canonicalize --cse --split-input-file %s | FileCheck %s --enable-var-scope

!k = tensor<?xf32, #norm.axes<k>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// An output that is given, as in place, is undone step by step: not x is read, but (y - b) / g.
// CHECK-LABEL: norm.kernel @affine_backward
// CHECK-SAME:    (%[[DY:[^:]*]]: {{[^)]*}}"dy"}, %[[X:[^:]*]]: {{[^)]*}}"x"}, %[[G:[^:]*]]: {{[^)]*}}"g"}, %[[B:[^:]*]]: {{[^)]*}}"b"}, %[[Y:[^:]*]]: {{[^)]*}}"y"})
// CHECK-NOT:     %[[X]]
// CHECK-DAG:     %[[SHIFT:.*]] = norm.broadcast %[[B]]
// CHECK-DAG:     %[[SCALE:.*]] = norm.broadcast %[[G]]
// CHECK:         %[[SHIFTED:.*]] = arith.subf %[[Y]], %[[SHIFT]]
// CHECK:         %[[SOLVED:.*]] = arith.divf %[[SHIFTED]], %[[SCALE]]
// CHECK:         arith.mulf %[[DY]], %[[SOLVED]]
// CHECK-NOT:     %[[X]]
// CHECK:         norm.return
norm.kernel @affine axes(n, k)
    (%x: !nk {norm.name = "x", norm.dims = ["n", "k"]}, %g: !k {norm.name = "g", norm.dims = ["k"]},
     %b: !k {norm.name = "b", norm.dims = ["k"]}) -> (!nk {norm.name = "y", norm.dims = ["n", "k"]}) {
  %scale = norm.broadcast %g : !k to !nk
  %shift = norm.broadcast %b : !k to !nk
  %p = arith.mulf %x, %scale : !nk
  %y = arith.addf %p, %shift : !nk
  norm.return %y : !nk
}
norm.gradient @affine_backward of @affine {of = ["y"], wrt = ["g"], given = ["y"]}

// -----

!n = tensor<?xf32, #norm.axes<n>>

// e^x is undone by a logarithm.
// CHECK-LABEL: norm.kernel @exponential_backward
// CHECK-SAME:    %[[Y:[^:, ]*]]: !f32_n {norm.dims = ["n"], norm.name = "y"})
// CHECK:         %[[X:.*]] = math.log %[[Y]]
// CHECK:         arith.mulf %{{.*}}, %[[X]]
norm.kernel @exponential axes(n) (%x: !n {norm.name = "x", norm.dims = ["n"]})
    -> (!n {norm.name = "y", norm.dims = ["n"]}, !n {norm.name = "z", norm.dims = ["n"]}) {
  %y = math.exp %x : !n
  %z = arith.mulf %x, %x : !n
  norm.return %y, %z : !n, !n
}
norm.gradient @exponential_backward of @exponential {of = ["z"], wrt = ["x"], given = ["y"]}

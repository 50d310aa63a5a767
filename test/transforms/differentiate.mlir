// RUN: norm-opt --norm-differentiate --canonicalize --cse --split-input-file %s | FileCheck %s --enable-var-scope

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// A broadcast's adjoint is the sum over the axes it added; a cotangent of 0 contributes 0; the kernel itself is gone.
// CHECK-NOT:   @scale axes
// CHECK-LABEL: norm.kernel @scale_backward axes(n, k)
// CHECK-SAME:    (%[[DY:[^:]*]]: !f32_n_k {{{.*}}norm.name = "dy"}
// CHECK-SAME:     %[[X:[^:]*]]: !f32_n_k {{{.*}}norm.gradient = "dx", norm.name = "x"}
// CHECK-SAME:     %[[G:[^:]*]]: !f32_k {{{.*}}norm.default = 1.000000e+00{{.*}}norm.gradient = "dg", norm.name = "g"})
// CHECK-SAME:    -> (!f32_n_k {{{.*}}norm.name = "dx"}, !f32_k {{{.*}}norm.name = "dg"})
norm.kernel @scale axes(n, k)
    (%x: !f32_n_k {norm.name = "x", norm.dims = ["n", "k"]},
     %g: !f32_k {norm.name = "g", norm.dims = ["k"], norm.default = 1.0 : f64})
    -> (!f32_n_k {norm.name = "y", norm.dims = ["n", "k"]}) {
  // CHECK-DAG: %[[WIDE:.*]] = norm.broadcast %[[G]] : !f32_k to !f32_n_k
  // CHECK-DAG: %[[DX:.*]] = arith.mulf %[[DY]], %[[WIDE]] : !f32_n_k
  // CHECK-DAG: %[[OF_DX:.*]] = arith.select %{{.*}}, %[[DX]], %{{.*}} {norm.zero_cotangent}
  // CHECK-DAG: %[[P:.*]] = arith.mulf %[[DY]], %[[X]] : !f32_n_k
  // CHECK-DAG: %[[OF_P:.*]] = arith.select %{{.*}}, %[[P]], %{{.*}} {norm.zero_cotangent}
  // CHECK-DAG: %[[DG:.*]] = norm.reduce sum %[[OF_P]] over [n] : !f32_n_k
  // CHECK:     norm.return %[[OF_DX]], %[[DG]] : !f32_n_k, !f32_k
  %wide = norm.broadcast %g : !f32_k to !f32_n_k
  %y = arith.mulf %x, %wide : !f32_n_k
  norm.return %y : !f32_n_k
}
norm.gradient @scale_backward of @scale {of = ["y"], wrt = ["x", "g"], given = []}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// What is given takes the place of the value that is assigned to that output, and is an input.
// CHECK-LABEL: norm.kernel @exponential_backward axes(n)
// CHECK-SAME:    norm.name = "dy"}
// CHECK-SAME:    norm.name = "x"}
// CHECK-SAME:    %[[R:[^:]*]]: !f32_n {{{.*}}norm.name = "r"})
norm.kernel @exponential axes(n) (%x: !f32_n {norm.name = "x", norm.dims = ["n"]})
    -> (!f32_n {norm.name = "y", norm.dims = ["n"]}, !f32_n {norm.name = "r", norm.dims = ["n"]}) {
  // CHECK-NOT: math.exp
  // CHECK:     arith.mulf %{{.*}}, %[[R]] : !f32_n
  // CHECK-NOT: math.exp
  // CHECK:     norm.return
  %r = math.exp %x : !f32_n
  %y = arith.addf %r, %r : !f32_n
  norm.return %y, %r : !f32_n, !f32_n
}
norm.gradient @exponential_backward of @exponential {of = ["y"], wrt = ["x"], given = ["r"]}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// State is a plain input; what does not depend on an input has the gradient 0.
// CHECK-LABEL: norm.kernel @constant_backward axes(n)
// CHECK-NOT:     norm.state
// CHECK:         %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         %[[WIDE:.*]] = norm.broadcast %[[ZERO]] : f32 to !f32_n
// CHECK:         norm.return %[[WIDE]] : !f32_n
norm.kernel @constant axes(n)
    (%x: !f32_n {norm.name = "x", norm.dims = ["n"]}, %m: !f32_n {norm.name = "m", norm.dims = ["n"], norm.state})
    -> (!f32_n {norm.name = "y", norm.dims = ["n"]}) {
  %held = norm.stop_gradient %x : !f32_n
  %y = arith.mulf %held, %m : !f32_n
  norm.return %y : !f32_n
}
norm.gradient @constant_backward of @constant {of = ["y"], wrt = ["x"], given = []}

// -----

!f32_n = tensor<?xf32, #norm.axes<n>>

// A gradient may be derived again: ddx comes in, ddy goes out.
// CHECK-NOT:   @square_backward axes
// CHECK-LABEL: norm.kernel @square_twice axes(n)
// CHECK-SAME:    norm.name = "ddx"}
// CHECK-SAME:    norm.gradient = "ddy", norm.name = "dy"}
// CHECK-SAME:    norm.name = "x"})
// CHECK-SAME:    -> (!f32_n {{{.*}}norm.name = "ddy"})
norm.kernel @square axes(n) (%x: !f32_n {norm.name = "x", norm.dims = ["n"]})
    -> (!f32_n {norm.name = "y", norm.dims = ["n"]}) {
  %y = arith.mulf %x, %x : !f32_n
  norm.return %y : !f32_n
}
norm.gradient @square_backward of @square {of = ["y"], wrt = ["x"], given = []}
norm.gradient @square_twice of @square_backward {of = ["dx"], wrt = ["dy"], given = []}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// Two sums of a row, no more, and with mean and rstd given nothing of the forward pass is computed again.
// CHECK-LABEL: norm.kernel @norm_backward
// CHECK-SAME: "dy"}, %{{.*}}"x"}, %[[MEAN:[^:]*]]: !f32_n {{[^)]*}}"mean"}, %[[RSTD:[^:]*]]: !f32_n {{[^)]*}}"rstd"})
// CHECK-NOT: norm.moments
// CHECK: norm.reduce sum
// CHECK: norm.reduce sum
// CHECK-NOT: norm.reduce
// CHECK-NOT: math.rsqrt
// CHECK: norm.return
norm.kernel @norm axes(n, k) (%x: !nk {norm.name = "x", norm.dims = ["n", "k"]}) -> (!nk {norm.name = "y", norm.dims = ["n", "k"]}, !n {norm.name = "mean", norm.dims = ["n"]}, !n {norm.name = "rstd", norm.dims = ["n"]}) {
  %mean, %variance = norm.moments %x over [k] : !nk
  %eps = arith.constant 1.0e-5 : f32
  %e = norm.broadcast %eps : f32 to !n
  %ve = arith.addf %variance, %e : !n
  %rstd = math.rsqrt %ve : !n
  %m = norm.broadcast %mean : !n to !nk
  %d = arith.subf %x, %m : !nk
  %r = norm.broadcast %rstd : !n to !nk
  %y = arith.mulf %d, %r : !nk
  norm.return %y, %mean, %rstd : !nk, !n, !n
}
norm.gradient @norm_backward of @norm {of = ["y"], wrt = ["x"], given = ["mean", "rstd"]}

// -----

!n = tensor<?xf32, #norm.axes<n>>

// The gradient of a gradient goes through the definition of what is given, whose value is not computed again: of dy, dx
// = dy (x e + e), and of x, dx = dy (e + (x + 1) e).
// CHECK-LABEL: norm.kernel @twice
// CHECK-SAME: (%[[DDX:[^:]*]]: {{[^)]*}}"ddx"}, %[[DY:[^:]*]]: {{[^)]*}}"dy"}, %[[X:[^:]*]]: {{[^)]*}}"x"}, %[[E:[^:]*]]: {{[^)]*}}"e"}
// CHECK-NOT: math.exp
// CHECK: %[[OF_E:.*]] = arith.addf
// CHECK: arith.mulf %[[OF_E]], %[[E]]
// CHECK: norm.return
norm.kernel @exponential axes(n) (%x: !n {norm.name = "x", norm.dims = ["n"]}) -> (!n {norm.name = "y", norm.dims = ["n"]}, !n {norm.name = "e", norm.dims = ["n"]}) {
  %e = math.exp %x : !n
  %y = arith.mulf %e, %x : !n
  norm.return %y, %e : !n, !n
}
norm.gradient @once of @exponential {of = ["y"], wrt = ["x"], given = ["e"]}
norm.gradient @twice of @once {of = ["dx"], wrt = ["dy", "x"], given = []}

// RUN: split-file %s %t
// RUN: norm-opt %t/state.mlir --norm-specialize | FileCheck %s --check-prefix=UPDATED
// RUN: norm-opt %t/state.mlir --norm-specialize="omit=moving" | FileCheck %s --check-prefix=FROZEN
// RUN: norm-opt %t/state.mlir --norm-specialize="passed=x outputs=y" | FileCheck %s --check-prefix=FROZEN
// RUN: norm-opt %t/state.mlir --norm-specialize="passed=x,momentum outputs=y,moving" | FileCheck %s --check-prefix=FRESH
// RUN: norm-opt %t/flag.mlir --norm-specialize="omit=training" | FileCheck %s --check-prefix=BRANCH
// RUN: norm-opt %t/types.mlir --norm-specialize="omit=a,b,c,d,e" | FileCheck %s --check-prefix=TYPES
// RUN: norm-opt %t/zeros.mlir --norm-specialize="omit=a,b" | FileCheck %s --check-prefix=ZEROS

// State that is updated stays an argument, read or not; without its update, and unread, it goes.
// UPDATED: norm.name = "moving", norm.state
// UPDATED: norm.name = "momentum"
// UPDATED: -> ({{.*}}norm.name = "y"{{.*}}norm.name = "moving"
// FROZEN-NOT: "moving"
// FROZEN-NOT: "momentum"
// FROZEN: norm.return %{{.*}} : !f32_n

// State that is not passed begins with its default, and is an output.
// FRESH: norm.kernel @state
// FRESH-NOT: norm.state
// FRESH: -> ({{.*}}norm.name = "y"{{.*}}norm.name = "moving"
// FRESH: arith.constant 2.500000e-01 : f32

// An omitted bool leaves one branch: what only the other reads is not required.
// BRANCH: norm.kernel @flag axes(n) (%[[X:[^:]*]]: !f32_n {norm.name = "x"}) ->
// BRANCH-NEXT: norm.return %[[X]]

// A literal has the compute type, unrounded, and the axes of the input.
// TYPES-DAG: arith.constant 1.000000e-01 : f32
// TYPES-DAG: arith.constant 0x7F800000 : f32
// TYPES-DAG: arith.constant -3 : i64
// TYPES-DAG: arith.constant true
// TYPES-DAG: arith.constant 2.500000e+00 : f32
// TYPES: norm.return

// x + a + (b + x) without a and b is x + x; 0 in the text stays.
// ZEROS: norm.kernel @zeros axes(n) (%[[X:[^:]*]]: !f32_n
// ZEROS: %[[SUM:.*]] = arith.addf %[[X]], %[[X]] : !f32_n
// ZEROS-NEXT: %[[ZERO:.*]] = norm.broadcast
// ZEROS-NEXT: arith.addf %[[SUM]], %[[ZERO]]

//--- state.mlir
!n = tensor<?xf32, #norm.axes<n>>
norm.kernel @state axes(n)
    (%x: !n {norm.name = "x", norm.dims = ["n"]}, %moving: tensor<f32> {norm.name = "moving", norm.default = 0.25 : f64, norm.state},
     %momentum: f32 {norm.name = "momentum"})
    -> (!n {norm.name = "y", norm.dims = ["n"]}, tensor<f32> {norm.name = "moving"}) {
  %mean, %variance = norm.moments %x over [n] : !n
  %b = norm.broadcast %mean : f32 to !n
  %y = arith.subf %x, %b : !n
  %old = norm.cast %moving : tensor<f32> to f32
  %d = arith.subf %mean, %old : f32
  %step = arith.mulf %d, %momentum : f32
  %new = arith.addf %old, %step : f32
  %stored = norm.cast %new : f32 to tensor<f32>
  norm.return %y, %stored : !n, tensor<f32>
}

//--- flag.mlir
!n = tensor<?xf32, #norm.axes<n>>
!b = tensor<?xi1, #norm.axes<n>>
norm.kernel @flag axes(n)
    (%x: !n {norm.name = "x"}, %z: !n {norm.name = "z"}, %training: i1 {norm.name = "training", norm.default = false})
    -> (!n {norm.name = "y"}) {
  %c = norm.broadcast %training : i1 to !b
  %e = math.exp %z : !n
  %y = arith.select %c, %e, %x : !b, !n
  norm.return %y : !n
}

//--- types.mlir
!h = tensor<?xbf16, #norm.axes<n>>
!f = tensor<?xf32, #norm.axes<n>>
!u = tensor<?xui8, #norm.axes<n>>
!i = tensor<?xi64, #norm.axes<n>>
norm.kernel @types axes(n)
    (%x: !f {norm.name = "x"}, %a: !h {norm.name = "a", norm.default = 0.1},
     %b: f32 {norm.name = "b", norm.default = 0x7FF0000000000000 : f64},
     %c: !u {norm.name = "c", norm.default = -3}, %d: i1 {norm.name = "d", norm.default = true},
     %e: tensor<f16> {norm.name = "e", norm.default = 2.5})
    -> (!f {norm.name = "o"}, f32 {norm.name = "p"}, !i {norm.name = "q"}, i1 {norm.name = "r"}, f32 {norm.name = "s"}) {
  %fa = norm.cast %a : !h to !f
  %o = arith.mulf %x, %fa : !f
  %q = norm.cast %c : !u to !i
  %s = norm.cast %e : tensor<f16> to f32
  norm.return %o, %b, %q, %d, %s : !f, f32, !i, i1, f32
}

//--- zeros.mlir
!n = tensor<?xf32, #norm.axes<n>>
!h = tensor<?xf16, #norm.axes<n>>
norm.kernel @zeros axes(n)
    (%x: !n {norm.name = "x"}, %a: !h {norm.name = "a", norm.default = 0}, %b: tensor<f32> {norm.name = "b", norm.default = 0})
    -> (!n {norm.name = "y"}) {
  %fa = norm.cast %a : !h to !n
  %fb = norm.cast %b : tensor<f32> to f32
  %bb = norm.broadcast %fb : f32 to !n
  %p = arith.addf %x, %fa : !n
  %ab = arith.addf %bb, %fa : !n
  %q = arith.addf %ab, %x : !n
  %s = arith.addf %p, %q : !n
  %zero = arith.constant 0.0 : f32
  %z = norm.broadcast %zero : f32 to !n
  %y = arith.addf %s, %z : !n
  norm.return %y : !n
}

// RUN: split-file %s %t
// RUN: norm-opt %t/unread.mlir --norm-specialize="outputs=count" | FileCheck %s --check-prefix=UNREAD
// RUN: norm-opt %t/unread.mlir --norm-specialize="passed=x outputs=count" | FileCheck %s --check-prefix=NORANK
// RUN: norm-opt %t/shape.mlir --norm-specialize="ranks=s=2 sizes=s=8" | FileCheck %s --check-prefix=SHAPE
// RUN: norm-opt %t/shape.mlir --norm-specialize="ranks=s=1 sizes=s=8" | FileCheck %s --check-prefix=NOSHAPE

// x and gamma are not read, yet tell the extent of n and of k, and how many dimensions each pack has.
// UNREAD: axes(n, k)
// UNREAD-SAME: norm.name = "x"
// UNREAD-SAME: norm.name = "gamma"
// UNREAD-NOT: norm.name = "other"
// NORANK: axes(n, k)
// NORANK-SAME: norm.name = "x"
// NORANK-NOT: norm.name = "gamma"

// The extent of s is fixed, not that of each of its dimensions.
// SHAPE: norm.kernel @shape axes(n, s = 8)
// SHAPE-SAME: norm.name = "x"
// NOSHAPE: norm.kernel @shape axes(n, s = 8)
// NOSHAPE-NOT: norm.name = "x"

//--- unread.mlir
!n = tensor<?xf32, #norm.axes<n>>
!k = tensor<?xf32, #norm.axes<k>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>
norm.kernel @unread axes(n, k)
    (%x: !nk {norm.name = "x", norm.dims = ["n...", "k..."]}, %gamma: !k {norm.name = "gamma", norm.dims = ["k..."]},
     %other: !nk {norm.name = "other", norm.dims = ["n...", "k..."]})
    -> (!nk {norm.name = "y", norm.dims = ["n...", "k..."]}, !n {norm.name = "count", norm.dims = ["n..."]}) {
  %g = norm.broadcast %gamma : !k to !nk
  %a = arith.mulf %x, %g : !nk
  %y = arith.addf %a, %other : !nk
  %size = norm.size [k]
  %real = arith.sitofp %size : i64 to f32
  %count = norm.broadcast %real : f32 to !n
  norm.return %y, %count : !nk, !n
}
//--- shape.mlir
!n = tensor<?xf32, #norm.axes<n>>
!ns = tensor<?x?xf32, #norm.axes<n, s>>
norm.kernel @shape axes(n, s)
    (%x: !ns {norm.name = "x", norm.dims = ["n", "s..."]}, %a: !n {norm.name = "a", norm.dims = ["n"]})
    -> (!ns {norm.name = "y", norm.dims = ["n", "s..."]}) {
  %y = norm.broadcast %a : !n to !ns
  norm.return %y : !ns
}

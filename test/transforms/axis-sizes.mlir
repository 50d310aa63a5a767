// RUN: norm-opt %s --norm-specialize="sizes=c=256" --split-input-file | FileCheck %s

!x = tensor<?x?xf32, #norm.axes<g, k>>
!g = tensor<?xf32, #norm.axes<g>>

// The factor is known when the kernel is called: the other one follows from the product, which a table cannot fix.
// CHECK-LABEL: norm.kernel @dynamic_factor axes(g, k, c = g * k)
// CHECK-DAG:     %[[SIZE:.*]] = arith.constant 256 : i64
// CHECK-DAG:     %[[G:.*]] = norm.cast %{{.*}} : i32 to i64
// CHECK:         norm.factor g = %[[G]] of c
// CHECK:         %[[K:.*]] = arith.divsi %[[SIZE]], %[[G]] : i64
// CHECK:         norm.factor k = %[[K]] of c
norm.kernel @dynamic_factor axes(g, k, c = g * k)
    (%x: !x {norm.name = "x", norm.dims = ["c"]}, %groups: i32 {norm.name = "groups"}) -> (!g {norm.name = "y", norm.dims = ["g"]}) {
  %size = norm.cast %groups : i32 to i64
  norm.factor g = %size of c
  %y = norm.reduce sum %x over [k] : !x
  norm.return %y : !g
}

// -----

!x = tensor<?x?xf32, #norm.axes<g, k>>
!g = tensor<?xf32, #norm.axes<g>>
!k = tensor<?xf32, #norm.axes<k>>

// No `where`: an input declares the factor.
// CHECK-LABEL: norm.kernel @declared_factor axes(g, k, c = g * k)
// CHECK-DAG:     %[[SIZE:.*]] = arith.constant 256 : i64
// CHECK-DAG:     %[[K:.*]] = norm.size [k]
// CHECK:         %[[G:.*]] = arith.divsi %[[SIZE]], %[[K]] : i64
// CHECK:         norm.factor g = %[[G]] of c
norm.kernel @declared_factor axes(g, k, c = g * k)
    (%x: !x {norm.name = "x", norm.dims = ["c"]}, %gamma: !k {norm.name = "gamma", norm.dims = ["k"]})
    -> (!x {norm.name = "y", norm.dims = ["c"]}) {
  %b = norm.broadcast %gamma : !k to !x
  %y = arith.mulf %x, %b : !x
  norm.return %y : !x
}

// -----

!x = tensor<?x?x?xf32, #norm.axes<a, b, k>>
!g = tensor<?x?xf32, #norm.axes<a, b>>

// A split of a part of a split; one factor follows from an extent that another one fixes.
// CHECK-LABEL: norm.kernel @nested axes(a = 2, b = 16, g = a * b, k = 8, c = g * k)
// CHECK-NOT:     norm.factor
norm.kernel @nested axes(a, b, g = a * b, k, c = g * k) (%x: !x {norm.name = "x", norm.dims = ["c"]})
    -> (!g {norm.name = "y", norm.dims = ["g"]}) {
  %g = arith.constant 32 : i64
  norm.factor g = %g of c
  %four = arith.constant 4 : i64
  %k = norm.size [k]
  %less = arith.subi %k, %four : i64
  %two = arith.constant 2 : i64
  %a = arith.minsi %less, %two : i64
  norm.factor a = %a of g
  %y = norm.reduce sum %x over [k] : !x
  norm.return %y : !g
}

// -----

!x = tensor<?xf32, #norm.axes<c>>

// Axes that nothing is left of go from the table.
// CHECK-LABEL: norm.kernel @unused axes(c = 256)
norm.kernel @unused axes(c, n, g, k, w = g * k) (%x: !x {norm.name = "x", norm.dims = ["c"]}, %i: i64 {norm.name = "i"})
    -> (!x {norm.name = "y", norm.dims = ["c"]}) {
  norm.factor g = %i of w
  norm.return %x : !x
}

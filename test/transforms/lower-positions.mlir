// RUN: norm-opt %s --norm-lower-positions --cse --split-input-file | FileCheck %s

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>

// CHECK-LABEL: norm.kernel @elementwise
// CHECK:         %[[X:.*]] = norm.at %arg0, k = %arg2 : !f32_n_k to !f32_n
// CHECK-NEXT:    %[[D:.*]] = arith.subf %[[X]], %arg1 : !f32_n
// CHECK-NEXT:    norm.return %[[D]]
norm.kernel @elementwise axes(n, k) (%x: !nk {norm.name = "x"}, %m: !n {norm.name = "m"}, %i: i64 {norm.name = "i"})
    -> (!n {norm.name = "y"}) {
  %b = norm.broadcast %m : !n to !nk
  %d = arith.subf %x, %b : !nk
  %y = norm.at %d, k = %i : !nk to !n
  norm.return %y : !n
}

// -----

!n = tensor<?xf32, #norm.axes<n>>
!nk = tensor<?x?xf32, #norm.axes<n, k>>
!h = tensor<?x?xbf16, #norm.axes<n, k>>

// A load and its conversion stay together, and a position in a reduction's result stays.
// CHECK-LABEL: norm.kernel @stays
// CHECK:         %[[F:.*]] = norm.cast %arg0 : !bf16_n_k to !f32_n_k
// CHECK:         norm.at %[[F]], k = %arg1
// CHECK:         %[[S:.*]] = norm.reduce sum %[[F]] over [k]
// CHECK:         norm.at %[[S]], n = %arg1 : !f32_n to f32
norm.kernel @stays axes(n, k) (%x: !h {norm.name = "x"}, %i: i64 {norm.name = "i"})
    -> (!n {norm.name = "y"}, f32 {norm.name = "z"}) {
  %f = norm.cast %x : !h to !nk
  %y = norm.at %f, k = %i : !nk to !n
  %s = norm.reduce sum %f over [k] : !nk
  %z = norm.at %s, n = %i : !n to f32
  norm.return %y, %z : !n, f32
}

// -----

!k = tensor<?xf32, #norm.axes<k>>
!gk = tensor<?x?xf32, #norm.axes<g, k>>
!i = tensor<?x?xi64, #norm.axes<g, k>>
!ik = tensor<?xi64, #norm.axes<k>>

// A position along a product is one along each part; of the positions themselves it is itself.
// CHECK-LABEL: norm.kernel @product
// CHECK:         %[[SIZE:.*]] = norm.size [k]
// CHECK:         %[[K:.*]] = arith.remui %arg1, %[[SIZE]] : i64
// CHECK:         norm.at %arg0, k = %[[K]] : !f32_k to f32
// CHECK-NOT:     norm.at
// CHECK:         norm.return %{{.*}}, %[[K]] : f32, i64
norm.kernel @product axes(g, k, c = g * k) (%x: !k {norm.name = "x"}, %i: i64 {norm.name = "i"})
    -> (f32 {norm.name = "y"}, i64 {norm.name = "z"}) {
  %b = norm.broadcast %x : !k to !gk
  %y = norm.at %b, c = %i : !gk to f32
  %t = norm.index k : !ik
  %tb = norm.broadcast %t : !ik to !i
  %z = norm.at %tb, c = %i : !i to i64
  norm.return %y, %z : f32, i64
}

// -----

!gk = tensor<?x?xf32, #norm.axes<g, k>>

// CHECK-LABEL: norm.kernel @both_parts
// CHECK-DAG:     %[[G:.*]] = arith.divui %arg1, %[[SIZE:.*]] : i64
// CHECK-DAG:     %[[K:.*]] = arith.remui %arg1, %[[SIZE]] : i64
// CHECK:         %[[P:.*]] = norm.at %arg0, g = %[[G]] : !f32_g_k to !f32_k
// CHECK-NEXT:    norm.at %[[P]], k = %[[K]] : !f32_k to f32
norm.kernel @both_parts axes(g, k, c = g * k) (%x: !gk {norm.name = "x"}, %i: i64 {norm.name = "i"}) -> (f32 {norm.name = "y"}) {
  %y = norm.at %x, c = %i : !gk to f32
  norm.return %y : f32
}

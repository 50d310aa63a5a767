// RUN: norm-opt %s --norm-pair-lanes | FileCheck %s
// RUN: norm-opt %s --norm-pair-lanes=spreads | FileCheck %s --check-prefix=SPREAD

!f32_n_c_s = tensor<?x?x?xf32, #norm.axes<n, c, s>>
!f32_n_s_c = tensor<?x?x?xf32, #norm.axes<n, s, c>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// Sums over short runs and what is outside: a variant whose lanes run over the runs of all channels.
// CHECK-LABEL: norm.kernel @sums axes(n, c, s) {{.*}}norm.guards = [{axes = ["s"], over = 63 : i64}]
// CHECK-LABEL: norm.kernel @sums_paired axes(n, c, s, c_s = c * s) {{.*}}norm.guards = [{axes = ["s"], most = 63 : i64}]
norm.kernel @sums axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"}, %g: !f32_c {norm.name = "g"})
    -> (!f32_n_c_s {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, s] : !f32_n_c_s
  %p = arith.mulf %s, %g : !f32_c
  %b = norm.broadcast %p : !f32_c to !f32_n_c_s
  norm.return %b : !f32_n_c_s
}

// Where the table tells, there is one kernel: of short runs, as a pair; of long ones, as it is.
// CHECK-LABEL: norm.kernel @short axes(n, c, s = 49, c_s = c * s)
// CHECK-NOT:     norm.guards
norm.kernel @short axes(n, c, s = 49) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_c {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, s] : !f32_n_c_s
  norm.return %s : !f32_c
}
// CHECK-LABEL: norm.kernel @long axes(n, c, s = 3136) (
// CHECK-NOT:     norm.guards
norm.kernel @long axes(n, c, s = 3136) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_c {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, s] : !f32_n_c_s
  norm.return %s : !f32_c
}

// Not where the runs are reduced alone, where the axis around them is reduced, where memory has another order, where a
// factor is part of another product, and where nothing is reduced.
// CHECK-NOT: _paired
norm.kernel @alone axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_n_c {norm.name = "y"}) {
  %s = norm.reduce sum %x over [s] : !f32_n_c_s
  norm.return %s : !f32_n_c
}
norm.kernel @around axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_n {norm.name = "y"}) {
  %s = norm.reduce sum %x over [c, s] : !f32_n_c_s
  norm.return %s : !f32_n
}
norm.kernel @ordered axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"}, %z: !f32_n_s_c {norm.name = "z"})
    -> (!f32_c {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, s] : !f32_n_c_s
  norm.return %s : !f32_c
}
norm.kernel @factor axes(n, c, s, d = n * c) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_c {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, s] : !f32_n_c_s
  norm.return %s : !f32_c
}
norm.kernel @map axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"}, %g: !f32_c {norm.name = "g"})
    -> (!f32_n_c_s {norm.name = "y"}) {
  %b = norm.broadcast %g : !f32_c to !f32_n_c_s
  %p = arith.mulf %x, %b : !f32_n_c_s
  norm.return %p : !f32_n_c_s
}

// All reductions take both, or there are none: the lanes run over both as one, where a vector can be filled from several
// runs. A factor may be part of a split; what is f64, or apart in memory, is not spread; nor where a position is asked for.
// SPREAD-LABEL: norm.kernel @around axes(n, c, s) (
// SPREAD-LABEL: norm.kernel @map axes(n, c, s) {{.*}}over = 63
// SPREAD-LABEL: norm.kernel @map_paired axes(n, c, s, c_s = c * s) {{.*}}most = 63{{.*}}norm.lanes = "c_s"
// SPREAD-LABEL: norm.kernel @groups axes(n, g, k, c = g * k, s) {{.*}}over = 63
// SPREAD-LABEL: norm.kernel @groups_paired axes(n, g, k, c = g * k, s, k_s = k * s) {{.*}}most = 63{{.*}}norm.lanes = "k_s"
// SPREAD-NOT:   _paired
!f32_n_g_k_s = tensor<?x?x?x?xf32, #norm.axes<n, g, k, s>>
!f32_g_k = tensor<?x?xf32, #norm.axes<g, k>>
!f64_n_g_k_s = tensor<?x?x?x?xf64, #norm.axes<n, g, k, s>>
!f64_g_k = tensor<?x?xf64, #norm.axes<g, k>>
!i64_k = tensor<?xi64, #norm.axes<k>>
!f32_k = tensor<?xf32, #norm.axes<k>>
norm.kernel @groups axes(n, g, k, c = g * k, s) (%x: !f32_n_g_k_s {norm.name = "x"}, %w: !f32_g_k {norm.name = "w"})
    -> (!f32_n_g_k_s {norm.name = "y"}) {
  %s = norm.reduce sum %x over [k, s] : !f32_n_g_k_s
  %a = norm.broadcast %s : tensor<?x?xf32, #norm.axes<n, g>> to !f32_n_g_k_s
  %b = norm.broadcast %w : !f32_g_k to !f32_n_g_k_s
  %p = arith.mulf %a, %b : !f32_n_g_k_s
  norm.return %p : !f32_n_g_k_s
}
norm.kernel @double axes(n, g, k, c = g * k, s) (%x: !f64_n_g_k_s {norm.name = "x"}, %w: !f64_g_k {norm.name = "w"})
    -> (!f64_n_g_k_s {norm.name = "y"}) {
  %b = norm.broadcast %w : !f64_g_k to !f64_n_g_k_s
  %p = arith.mulf %x, %b : !f64_n_g_k_s
  norm.return %p : !f64_n_g_k_s
}
norm.kernel @position axes(n, g, k, c = g * k, s) (%x: !f32_n_g_k_s {norm.name = "x"}, %w: !f32_g_k {norm.name = "w"})
    -> (!f32_n_g_k_s {norm.name = "y"}) {
  %i = norm.index k : !i64_k
  %r = arith.sitofp %i : !i64_k to !f32_k
  %a = norm.broadcast %r : !f32_k to !f32_n_g_k_s
  %b = norm.broadcast %w : !f32_g_k to !f32_n_g_k_s
  %p = arith.mulf %a, %b : !f32_n_g_k_s
  %q = arith.mulf %x, %p : !f32_n_g_k_s
  norm.return %q : !f32_n_g_k_s
}

// RUN: norm-opt %s --norm-pair-lanes | FileCheck %s

!f32_n_c_s = tensor<?x?x?xf32, #norm.axes<n, c, s>>
!f32_n_s_c = tensor<?x?x?xf32, #norm.axes<n, s, c>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// Sums over short runs and what is outside: a variant whose lanes run over the runs of all channels.
// CHECK-LABEL: norm.kernel @sums axes(n, c, s) {{.*}}norm.guards = [{axes = ["s"], over = 128 : i64}]
// CHECK-LABEL: norm.kernel @sums_paired axes(n, c, s, c_s = c * s) {{.*}}norm.guards = [{axes = ["s"], most = 128 : i64}]
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

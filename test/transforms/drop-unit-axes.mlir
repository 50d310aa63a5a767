// RUN: norm-opt --norm-drop-unit-axes %s | FileCheck %s --enable-var-scope

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_n_c_s = tensor<?x?x?xf32, #norm.axes<n, c, s>>
!f32_s = tensor<?xf32, #norm.axes<s>>
!i64_s = tensor<?xi64, #norm.axes<s>>
!i64_n_c_s = tensor<?x?x?xi64, #norm.axes<n, c, s>>

// The axis leaves values and reductions; the table keeps it.
// CHECK-LABEL: norm.kernel @dropped axes(n, c, s = 1)
// CHECK-SAME:    (%[[X:.*]]: !f32_n_c {norm.name = "x"})
norm.kernel @dropped axes(n, c, s = 1) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_n_c_s {norm.name = "y"}) {
  // CHECK: %[[SUM:.*]] = norm.reduce sum %[[X]] over [n] : !f32_n_c
  %sum = norm.reduce sum %x over [n, s] : !f32_n_c_s
  // CHECK: %[[SUMS:.*]] = norm.broadcast %[[SUM]] : !f32_c to !f32_n_c
  %sums = norm.broadcast %sum : !f32_c to !f32_n_c_s
  // CHECK: arith.subf %[[X]], %[[SUMS]] : !f32_n_c
  %y = arith.subf %x, %sums : !f32_n_c_s
  norm.return %y : !f32_n_c_s
}

// A broadcast along it alone is no broadcast.
// CHECK-LABEL: norm.kernel @broadcast
norm.kernel @broadcast axes(n, c, s = 1) (%x: !f32_n_c {norm.name = "x"}) -> (!f32_n_c_s {norm.name = "y"}) {
  // CHECK-NEXT: norm.return %{{.*}} : !f32_n_c
  %y = norm.broadcast %x : !f32_n_c to !f32_n_c_s
  norm.return %y : !f32_n_c_s
}

// A reduction over nothing else keeps it, and so does a value over nothing else.
// CHECK-LABEL: norm.kernel @reduction {{.*}}: !f32_n_c_s
norm.kernel @reduction axes(n, c, s = 1) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_n_c {norm.name = "y"}) {
  %y = norm.reduce sum %x over [s] : !f32_n_c_s
  norm.return %y : !f32_n_c
}
// CHECK-LABEL: norm.kernel @alone {{.*}}: !f32_n_c_s
norm.kernel @alone axes(n, c, s = 1) (%x: !f32_n_c_s {norm.name = "x"}, %b: !f32_s {norm.name = "b"})
    -> (!f32_n_c_s {norm.name = "y"}) {
  %bs = norm.broadcast %b : !f32_s to !f32_n_c_s
  %y = arith.addf %x, %bs : !f32_n_c_s
  norm.return %y : !f32_n_c_s
}

// A position along it is asked for.
// CHECK-LABEL: norm.kernel @position {{.*}}: !f32_n_c_s
norm.kernel @position axes(n, c, s = 1) (%x: !f32_n_c_s {norm.name = "x"}) -> (!i64_n_c_s {norm.name = "y"}) {
  %i = norm.index s : !i64_s
  %y = norm.broadcast %i : !i64_s to !i64_n_c_s
  norm.return %y : !i64_n_c_s
}

// Two points are an axis.
// CHECK-LABEL: norm.kernel @two {{.*}}: !f32_n_c_s
norm.kernel @two axes(n, c, s = 2) (%x: !f32_n_c_s {norm.name = "x"}) -> (!f32_n_c_s {norm.name = "y"}) {
  norm.return %x : !f32_n_c_s
}

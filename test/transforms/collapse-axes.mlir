// RUN: norm-opt --norm-collapse-axes %s | FileCheck %s --enable-var-scope

!f32_n_h_w = tensor<?x?x?xf32, #norm.axes<n, h, w>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_w = tensor<?xf32, #norm.axes<w>>

// CHECK: norm.kernel @together axes(n, h, w, h_w = h * w)
// CHECK: norm.reduce sum %{{.*}} over [h_w]
norm.kernel @together axes(n, h, w) (%x: !f32_n_h_w {norm.name = "x"}) -> (!f32_n {norm.name = "y"}) {
  %s = norm.reduce sum %x over [h, w] : !f32_n_h_w
  norm.return %s : !f32_n
}

// CHECK: norm.kernel @apart axes(n, h, w
// CHECK: norm.reduce sum %{{.*}} over [n_h] {{.*}}
norm.kernel @apart axes(n, h, w) (%x: !f32_n_h_w {norm.name = "x"}) -> (!f32_w {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n, h] : !f32_n_h_w
  norm.return %s : !f32_w
}

// CHECK: norm.kernel @indexed axes(n, h, w)
norm.kernel @indexed axes(n, h, w) (%x: !f32_n_h_w {norm.name = "x"}) -> (!f32_n {norm.name = "y"}) {
  %i = norm.index h : tensor<?xi64, #norm.axes<h>>
  %r = arith.sitofp %i : tensor<?xi64, #norm.axes<h>> to tensor<?xf32, #norm.axes<h>>
  %b = norm.broadcast %r : tensor<?xf32, #norm.axes<h>> to !f32_n_h_w
  %p = arith.mulf %x, %b : !f32_n_h_w
  %s = norm.reduce sum %p over [h, w] : !f32_n_h_w
  norm.return %s : !f32_n
}

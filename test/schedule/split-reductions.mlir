// RUN: norm-opt --norm-split-reductions="resident-elements=100 chunk-elements=10" %s | FileCheck %s --enable-var-scope

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// CHECK: norm.kernel @rows axes(n, k) {{.*}}most = 100
// CHECK: norm.reduce sum {{.*}} over [k] : !f32_n_k
// CHECK: norm.kernel @rows_streamed axes(n, k, k_chunk = k by 10) {{.*}}over = 100
// CHECK: %[[PART:.*]] = norm.reduce sum {{.*}} over [k] into [k_chunk]
// CHECK: norm.reduce sum %[[PART]] over [k_chunk]
norm.kernel @rows axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (tensor<?xf32, #norm.axes<n>> {norm.name = "y"}) {
  %s = norm.reduce sum %x over [k] : !f32_n_k
  norm.return %s : tensor<?xf32, #norm.axes<n>>
}

// Where the table tells that a row fits, there is one variant, and no guard.
// CHECK: norm.kernel @small
// CHECK-NOT: norm.guards
// CHECK-NOT: @small_streamed
norm.kernel @small axes(n, k = 10) (%x: !f32_n_k {norm.name = "x"}) -> (tensor<?xf32, #norm.axes<n>> {norm.name = "y"}) {
  %s = norm.reduce sum %x over [k] : !f32_n_k
  norm.return %s : tensor<?xf32, #norm.axes<n>>
}

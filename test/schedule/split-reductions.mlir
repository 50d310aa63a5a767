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

// Moments take a sample along the innermost axis in memory that they reduce, unless they are weighted or told how.
!f32_k_n = tensor<?x?xf32, #norm.axes<k, n>>
!f32_n = tensor<?xf32, #norm.axes<n>>
// CHECK-LABEL: norm.kernel @samples
// CHECK: norm.moments %arg0 over [n, k] through [n_chunk, k_chunk] sample k :
// CHECK: norm.moments %arg1 over [n, k] through [k_chunk, n_chunk] sample n :
// CHECK: norm.moments %arg0 over [k] through [k_chunk] by two_pass
// CHECK: norm.moments %arg0 weights %arg0 : !f32_n_k over [k] through [k_chunk] :
norm.kernel @samples axes(n = 2, k = 10) (%x: !f32_n_k {norm.name = "x"}, %z: !f32_k_n {norm.name = "z"})
    -> (f32 {norm.name = "a"}, f32 {norm.name = "b"}, !f32_n {norm.name = "c"}, !f32_n {norm.name = "d"}) {
  %a:2 = norm.moments %x over [n, k] : !f32_n_k
  %b:2 = norm.moments %z over [n, k] : !f32_k_n
  %c:2 = norm.moments %x over [k] by two_pass : !f32_n_k
  %d:2 = norm.moments %x weights %x : !f32_n_k over [k] : !f32_n_k
  norm.return %a#1, %b#1, %c#1, %d#1 : f32, f32, !f32_n, !f32_n
}

// Where nothing outside of the lanes is kept: blocks of lanes by all rows, where these are few; else chunks of rows.
// CHECK-LABEL: norm.kernel @columns axes(n, k) {{.*}}norm.guards = [{axes = ["n"], most = 0 : i64}]
// CHECK:         norm.reduce sum %{{.*}} over [n] : !f32_n_k
// CHECK-LABEL: norm.kernel @columns_streamed axes(n, k, n_chunk = n by 10 per [k]) {{.*}}over = 0
!f32_k = tensor<?xf32, #norm.axes<k>>
norm.kernel @columns axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (!f32_k {norm.name = "y"}) {
  %s = norm.reduce sum %x over [n] : !f32_n_k
  norm.return %s : !f32_k
}

// Rows that do not follow each other in memory: each by itself first, where they are short.
// CHECK-LABEL: norm.kernel @apart axes(n, c, s{{[^{]*}} {{.*}}{axes = ["s"], over = 256 : i64}
// CHECK-LABEL: norm.kernel @apart_streamed
// CHECK-LABEL: norm.kernel @apart_rows axes(n, c, s) {{.*}}norm.guards = [{axes = ["s"], most = 256 : i64}]
// CHECK:         norm.moments %arg0 over [n, s] through [n] sample s
// CHECK:         %[[ROWS:.*]] = norm.reduce max %arg0 over [s] : !f32_n_c_s
// CHECK:         norm.reduce max %[[ROWS]] over [n] : !f32_n_c
!f32_n_c_s = tensor<?x?x?xf32, #norm.axes<n, c, s>>
!f32_c = tensor<?xf32, #norm.axes<c>>
norm.kernel @apart axes(n, c, s) (%x: !f32_n_c_s {norm.name = "x"})
    -> (!f32_c {norm.name = "a"}, !f32_c {norm.name = "b"}) {
  %a:2 = norm.moments %x over [n, s] : !f32_n_c_s
  %b = norm.reduce max %x over [n, s] : !f32_n_c_s
  norm.return %a#1, %b : !f32_c, !f32_c
}

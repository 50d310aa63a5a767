// RUN: norm-opt %s --norm-plan-phases --split-input-file | FileCheck %s --enable-var-scope

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// A row's maximum is kept for the sweep that divides by it. The sums of columns share that sweep, by chunks of rows; a
// later phase adds the chunks.
// CHECK-LABEL: norm.kernel @rows axes(n, k, n_rows = n by {{.*}}, k_lanes = k by
// CHECK-SAME:    (%[[X:.*]]: !f32_n_k {{{.*}}}, %[[Y:.*]]: !f32_n_k {{{.*}}norm.out}, %[[S:.*]]: !f32_k {{{.*}}norm.out})
// CHECK:         %[[PARTS:.*]] = norm.workspace : !f32_n_rows_k
// CHECK:         norm.phase [n_rows] {
// CHECK:           norm.pass [n] {
// CHECK-NEXT:        %[[MOST:.*]] = norm.pass [k] (max) {
// CHECK:             norm.pass [k] {
// CHECK-NEXT:          %[[AGAIN:.*]] = norm.load %[[X]]
// CHECK-NEXT:          %[[QUOTIENT:.*]] = arith.divf %[[AGAIN]], %[[MOST]] : f32
// CHECK-DAG:           norm.store sum %[[QUOTIENT]] to %[[PARTS]]
// CHECK-DAG:           norm.store %[[QUOTIENT]] to %[[Y]]
// CHECK:         norm.phase [k_lanes] {
// CHECK:           norm.pass [n_rows] {
// CHECK:             norm.store sum %{{.*}} to %[[TOTAL:.*]] : f32 to !f32_k
// CHECK:           %[[SUM:.*]] = norm.load %[[TOTAL]]
// CHECK-NEXT:      norm.store %[[SUM]] to %[[S]]
norm.kernel @rows axes(n, k)
    (%x: !f32_n_k {norm.name = "x", norm.dims = ["n", "k"]})
    -> (!f32_n_k {norm.name = "y", norm.dims = ["n", "k"]}, !f32_k {norm.name = "s", norm.dims = ["k"]}) {
  %most = norm.reduce max %x over [k] : !f32_n_k
  %wide = norm.broadcast %most : !f32_n to !f32_n_k
  %y = arith.divf %x, %wide : !f32_n_k
  %s = norm.reduce sum %y over [n] : !f32_n_k
  norm.return %y, %s : !f32_n_k, !f32_k
}

// -----

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// Without a reduction there are tiles.
// CHECK-LABEL: norm.kernel @map axes(n, k, n_tile = n by {{.*}} per [k], k_tile = k by
// CHECK:         norm.phase [n_tile, k_tile] {
// CHECK-NEXT:      norm.pass [n] {
// CHECK-NEXT:        norm.pass [k] {
// CHECK-NEXT:          norm.load
// CHECK-NEXT:          math.absf
// CHECK-NEXT:          norm.store
norm.kernel @map axes(n, k) (%x: !f32_n_k {norm.name = "x", norm.dims = ["n", "k"]})
    -> (!f32_n_k {norm.name = "y", norm.dims = ["n", "k"]}) {
  %y = math.absf %x : !f32_n_k
  norm.return %y : !f32_n_k
}

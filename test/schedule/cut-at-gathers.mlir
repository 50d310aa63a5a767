// RUN: norm-opt %s --pass-pipeline='builtin.module(norm-plan-phases,norm.kernel(norm-verify-plan))' | FileCheck %s

!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_r = tensor<?xf32, #norm.axes<r>>
!i64_r = tensor<?xi64, #norm.axes<r>>

// What is gathered is computed in phases before an exchange, and read in phases after it. What needs no replica joins a
// phase where it can.
// CHECK-LABEL: norm.kernel @once
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: {{.*}}, %[[Y:[a-z0-9]+]]: {{.*}}, %[[OWN:[a-z0-9]+]]: {{.*}})
// CHECK:         %[[MINE:.*]] = norm.workspace : !f32_c
// CHECK:         %[[ALL:.*]] = norm.workspace : !f32_r_c
// CHECK:         norm.phase [c_{{.*}}] {
// CHECK:           norm.store %{{.*}} to %[[OWN]]
// CHECK:           norm.store %{{.*}} to %[[MINE]]
// CHECK:         norm.exchange %[[MINE]] to %[[ALL]] : !f32_c to !f32_r_c
// CHECK:         norm.phase
// CHECK:           norm.load %[[ALL]]
// CHECK:         norm.store %{{.*}} to %[[Y]]
// CHECK-NOT:     norm.exchange
norm.kernel @once axes(n, c, r) (%x: !f32_n_c {norm.name = "x"}) -> (!f32_n_c {norm.name = "y"}, !f32_c {norm.name = "own"}) {
  %mine = norm.reduce sum %x over [n] : !f32_n_c
  %all = norm.all_gather %mine over r : !f32_c to !f32_r_c
  %total = norm.reduce sum %all over [r] : !f32_r_c
  %b = norm.broadcast %total : !f32_c to !f32_n_c
  %y = arith.subf %x, %b : !f32_n_c
  norm.return %y, %mine : !f32_n_c, !f32_c
}

// A second exchange, of what depends on the first; integers stay integers, and what is one number takes a block of its own.
// CHECK-LABEL: norm.kernel @twice
// CHECK:         norm.phase [] {
// CHECK:           norm.store %{{.*}} to %[[COUNT:.*]] : i64 to tensor<i64>
// CHECK:         norm.exchange
// CHECK-NEXT:    norm.exchange %[[COUNT]] to %[[COUNTS:.*]] : tensor<i64> to !i64_r
// CHECK:         norm.phase
// CHECK:           norm.pass [r] (sum) {
// CHECK:             %[[N:.*]] = norm.load %[[COUNTS]] {{.*}} to i64
// CHECK:             norm.yield %[[N]] : i64
// CHECK:         norm.exchange %{{.*}} to %[[MOST:.*]] : tensor<f32> to !f32_r
// CHECK-NEXT:    norm.phase
// CHECK:           norm.load %[[MOST]]
// CHECK-NOT:     norm.exchange
norm.kernel @twice axes(n, c, r) (%x: !f32_n_c {norm.name = "x"}) -> (!f32_n_c {norm.name = "y"}) {
  %mine = norm.reduce sum %x over [n] : !f32_n_c
  %sums = norm.all_gather %mine over r : !f32_c to !f32_r_c
  %total = norm.reduce sum %sums over [r] : !f32_r_c
  %size = norm.size [n]
  %sizes = norm.all_gather %size over r : i64 to !i64_r
  %points = norm.reduce sum %sizes over [r] : !i64_r
  %count = arith.sitofp %points : i64 to f32
  %counts = norm.broadcast %count : f32 to !f32_c
  %mean = arith.divf %total, %counts : !f32_c
  %b = norm.broadcast %mean : !f32_c to !f32_n_c
  %d = arith.subf %x, %b : !f32_n_c
  %most = norm.reduce max %d over [n, c] : !f32_n_c
  %extrema = norm.all_gather %most over r : f32 to !f32_r
  %extremum = norm.reduce max %extrema over [r] : !f32_r
  %s = norm.broadcast %extremum : f32 to !f32_n_c
  %y = arith.divf %d, %s : !f32_n_c
  norm.return %y : !f32_n_c
}

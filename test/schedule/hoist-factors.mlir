// RUN: norm-opt %s --pass-pipeline='builtin.module(norm.kernel(norm-hoist-factors),cse)' | FileCheck %s

!f32_k = tensor<?xf32, #norm.axes<k>>
!f32_k_s = tensor<?x?xf32, #norm.axes<k, s>>

// Σ dy·γ and Σ dy·γ·x̂ over s, with γ of each k: both sums are those that dbeta and dgamma take, and γ comes after. Where
// γ is 0, so was each cotangent of x̂.
// CHECK-LABEL: norm.kernel @shared
// CHECK:         %[[GAMMA:.*]] = norm.load %arg2
// CHECK:         %[[SUMS:.*]]:2 = norm.pass [s] (sum, sum) {
// CHECK:           %[[DY:.*]] = norm.load %arg0
// CHECK:           %[[XHAT:.*]] = norm.load %arg1
// CHECK:           %[[PRODUCT:.*]] = arith.mulf %[[DY]], %[[XHAT]]
// CHECK:           %[[WHERE:.*]] = arith.select %{{.*}}, %[[PRODUCT]], %{{.*}} {norm.zero_cotangent}
// CHECK:           norm.yield %[[DY]], %[[WHERE]] : f32, f32
// CHECK:         }
// CHECK-DAG:     arith.mulf %[[SUMS]]#0, %[[GAMMA]]
// CHECK-DAG:     arith.mulf %[[SUMS]]#1, %[[GAMMA]]
// CHECK-COUNT-2: norm.store sum %[[SUMS]]
norm.kernel @shared axes(k, s) (%dys: !f32_k_s {norm.name = "dy"}, %xs: !f32_k_s {norm.name = "x"},
                                %gammas: !f32_k {norm.name = "gamma"}, %y: !f32_k {norm.name = "y", norm.out},
                                %z: !f32_k {norm.name = "z", norm.out}) {
  %zero = arith.constant 0.0 : f32
  %a = norm.workspace : !f32_k
  %b = norm.workspace : !f32_k
  norm.phase [k] {
    norm.store %zero to %a : f32 to !f32_k
    norm.store %zero to %b : f32 to !f32_k
    %gamma = norm.load %gammas : !f32_k to f32
    %s:4 = norm.pass [s] (sum, sum, sum, sum) {
      %dy = norm.load %dys : !f32_k_s to f32
      %xhat = norm.load %xs : !f32_k_s to f32
      %n = arith.cmpf une, %dy, %zero : f32
      %p = arith.mulf %dy, %xhat : f32
      %q = arith.select %n, %p, %zero {norm.zero_cotangent} : f32
      %t = arith.mulf %dy, %gamma : f32
      %u = arith.select %n, %t, %zero {norm.zero_cotangent} : f32
      %m = arith.cmpf une, %u, %zero : f32
      %v = arith.mulf %u, %xhat : f32
      %w = arith.select %m, %v, %zero {norm.zero_cotangent} : f32
      norm.yield %dy, %q, %u, %w : f32, f32, f32, f32
    }
    norm.store sum %s#0 to %a : f32 to !f32_k
    norm.store sum %s#1 to %b : f32 to !f32_k
    norm.store %s#2 to %y : f32 to !f32_k
    norm.store %s#3 to %z : f32 to !f32_k
  }
  norm.return
}

// What no cotangent guards stays: the sum of products rounds otherwise than the product of a sum.
// CHECK-LABEL: norm.kernel @plain
// CHECK:         norm.pass [s] (sum) {
// CHECK:           arith.mulf
// CHECK:           norm.yield
norm.kernel @plain axes(k, s) (%xs: !f32_k_s {norm.name = "x"}, %gammas: !f32_k {norm.name = "gamma"},
                               %y: !f32_k {norm.name = "y", norm.out}) {
  norm.phase [k] {
    %gamma = norm.load %gammas : !f32_k to f32
    %s = norm.pass [s] (sum) {
      %x = norm.load %xs : !f32_k_s to f32
      %p = arith.mulf %x, %gamma : f32
      norm.yield %p : f32
    }
    norm.store %s to %y : f32 to !f32_k
  }
  norm.return
}

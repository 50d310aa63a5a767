// RUN: norm-opt %s --verify-roundtrip | FileCheck %s
// Every op in every form it is written in; the examples of the op reference stand here.

!f32_k = tensor<?xf32, #norm.axes<k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>

// CHECK-DAG: !f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
// CHECK-DAG: !bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>

// CHECK-LABEL: norm.kernel @scale axes(n, k) (%{{.*}}: !f32_n_k {norm.name = "x"}) -> (!f32_n_k {norm.name = "y"}) {
norm.kernel @scale axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (!f32_n_k {norm.name = "y"}) {
  %two = arith.constant 2.0 : f32
  // CHECK: norm.broadcast %{{.*}} : f32 to !f32_n_k
  %twos = norm.broadcast %two : f32 to !f32_n_k
  %y = arith.mulf %x, %twos : !f32_n_k
  // CHECK: norm.return %{{.*}} : !f32_n_k
  norm.return %y : !f32_n_k
}

!f32_n_g = tensor<?x?xf32, #norm.axes<n, g>>
!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_n_g_k_s = tensor<?x?x?x?xf32, #norm.axes<n, g, k, s>>
!i1_n_k_s = tensor<?x?x?xi1, #norm.axes<n, k, s>>
!i1_n = tensor<?xi1, #norm.axes<n>>

// CHECK-LABEL: norm.kernel @statistics axes(n, g, k, c = g * k, s)
norm.kernel @statistics axes(n, g, k, c = g * k, s)
    (%x: !f32_n_g_k_s {norm.name = "x", norm.dims = ["n", "c", "s..."]}, %groups: i32 {norm.name = "groups"},
     %momentum: f32 {norm.name = "momentum"}, %moving: tensor<f32> {norm.name = "moving", norm.state},
     %mask: !i1_n_k_s {norm.name = "mask"})
    -> (!f32_n_g {norm.name = "mean"}, f32 {norm.name = "moving"}, !i1_n {norm.name = "seen"}) {
  // CHECK: norm.cast %{{.*}} : i32 to i64
  %size = norm.cast %groups : i32 to i64
  // CHECK: norm.factor g = %{{.*}} of c
  norm.factor g = %size of c
  // CHECK: %[[MEAN:.*]], %[[VARIANCE:.*]] = norm.moments %[[X:.*]] over [k, s] : !f32_n_g_k_s
  %mean, %variance = norm.moments %x over [k, s] : !f32_n_g_k_s
  // CHECK: norm.moments %[[X]] weights %[[X]] : !f32_n_g_k_s over [k, s] by two_pass : !f32_n_g_k_s
  %a:2 = norm.moments %x weights %x : !f32_n_g_k_s over [k, s] by two_pass : !f32_n_g_k_s
  // CHECK: norm.moments %[[X]] over [n, s] across by one_pass : !f32_n_g_k_s
  %b:2 = norm.moments %x over [n, s] across by one_pass : !f32_n_g_k_s
  // CHECK: norm.reduce sum %[[X]] over [k, s] : !f32_n_g_k_s
  %sum = norm.reduce sum %x over [k, s] : !f32_n_g_k_s
  // CHECK: norm.reduce max %[[X]] over [n, g, k, s] : !f32_n_g_k_s
  %max = norm.reduce max %x over [n, g, k, s] : !f32_n_g_k_s
  // CHECK: norm.reduce min
  %min = norm.reduce min %x over [k] : !f32_n_g_k_s
  // CHECK: norm.reduce any %{{.*}} over [k, s] : !i1_n_k_s
  %any = norm.reduce any %mask over [k, s] : !i1_n_k_s
  // CHECK: norm.reduce all
  %all = norm.reduce all %mask over [k, s] : !i1_n_k_s
  %seen = arith.andi %any, %all : !i1_n
  // CHECK: norm.all_reduce sum %{{.*}} : f32
  %total = norm.all_reduce sum %max : f32
  // CHECK: norm.size [n, s]
  %count = norm.size [n, s]
  // CHECK: norm.stop_gradient %{{.*}} : f32
  %r = norm.stop_gradient %total : f32
  norm.return %mean, %r, %seen : !f32_n_g, f32, !i1_n
}

!i64_t = tensor<?xi64, #norm.axes<t>>
!i64_g_k = tensor<?x?xi64, #norm.axes<g, k>>
!f32_v_c = tensor<?x?xf32, #norm.axes<v, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>
!f8_c = tensor<?xf8E4M3FN, #norm.axes<c>>
!u8_c = tensor<?xui8, #norm.axes<c>>

// CHECK-LABEL: norm.kernel @positions axes(v, c, t = 16, g, k = 4, w = g * k)
norm.kernel @positions axes(v, c, t = 16, g, k = 4, w = g * k) (%mu: !f32_v_c {norm.name = "mu"})
    -> (!f8_c {norm.name = "first"}, !u8_c {norm.name = "second"}, !i64_t {norm.name = "t"},
        !i64_g_k {norm.name = "w"}) {
  %zero = arith.constant 0 : i64
  // CHECK: norm.at %{{.*}}, v = %{{.*}} : !f32_v_c to !f32_c
  %first = norm.at %mu, v = %zero : !f32_v_c to !f32_c
  // CHECK: norm.cast %{{.*}} : !f32_c to !f8E4M3FN_c
  %a = norm.cast %first : !f32_c to !f8_c
  // CHECK: norm.cast %{{.*}} : !f32_c to !ui8_c
  %b = norm.cast %first : !f32_c to !u8_c
  // CHECK: norm.index t : !i64_t
  %t = norm.index t : !i64_t
  // CHECK: norm.index w : !i64_g_k
  %w = norm.index w : !i64_g_k
  norm.return %a, %b, %t, %w : !f8_c, !u8_c, !i64_t, !i64_g_k
}

!f32_p_k = tensor<?x?xf32, #norm.axes<p, k>>
!f32_k_p = tensor<?x?xf32, #norm.axes<k, p>>
!f32_k_n = tensor<?x?xf32, #norm.axes<k, n>>
!i64_p = tensor<?xi64, #norm.axes<p>>
!i64_k_p = tensor<?x?xi64, #norm.axes<k, p>>

// Reductions that stop at chunks.
// CHECK-LABEL: norm.kernel @chunks axes(n, k, p = n by 256 per [k] most 128, q = k by 16)
norm.kernel @chunks axes(n, k, p = n by 256 per [k] most 128, q = k by 16) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_k_p {norm.name = "y"}, !i64_p {norm.name = "points"}) {
  // CHECK: norm.reduce sum %{{.*}} over [n] into [p] : !f32_n_k
  %partial = norm.reduce sum %x over [n] into [p] : !f32_n_k
  // CHECK: norm.moments %{{.*}} over [n] through [p] : !f32_n_k
  %m:2 = norm.moments %x over [n] through [p] : !f32_n_k
  // CHECK: norm.broadcast %{{.*}} : !f32_k_p to !f32_k_n
  %back = norm.broadcast %partial : !f32_k_p to !f32_k_n
  // CHECK: norm.moments %{{.*}} over [n] through [p] sample n : !f32_n_k
  %o:2 = norm.moments %x over [n] through [p] sample n : !f32_n_k
  // CHECK: norm.reduce sum %{{.*}} over [n] into [p] sample n : !f32_n_k
  %first = norm.reduce sum %x over [n] into [p] sample n : !f32_n_k
  // CHECK: norm.sampled [n] sample n into [p] : !i64_p
  %sampled = norm.sampled [n] sample n into [p] : !i64_p
  // CHECK: norm.points [p] : !i64_p
  %points = norm.points [p] : !i64_p
  norm.return %partial, %points : !f32_k_p, !i64_p
}

// The plan of the mean of each column: chunks of rows in parallel, then the chunks' sums.
// CHECK-LABEL: norm.kernel @plan
norm.kernel @plan axes(n, k, p = n by 256)
    (%x: !bf16_n_k {norm.name = "x"}, %y: !f32_k {norm.name = "y", norm.out}) {
  // CHECK: %[[PARTIAL:.*]] = norm.workspace : !f32_p_k
  %partial = norm.workspace : !f32_p_k
  // CHECK: norm.phase [p] {
  norm.phase [p] {
    // CHECK: norm.points [p] : i64
    %points = norm.points [p] : i64
    // CHECK: norm.pass [k] {
    norm.pass [k] {
      // CHECK: norm.pass [n] sample n (sum) {
      %head = norm.pass [n] sample n (sum) {
        %a = norm.load %x : !bf16_n_k to f32
        norm.yield %a : f32
      }
      // CHECK: %[[SUM:.*]]:2 = norm.pass [n] (sum, max) {
      %sum, %max = norm.pass [n] (sum, max) {
        // CHECK: norm.load %{{.*}} : !bf16_n_k to f32
        %a = norm.load %x : !bf16_n_k to f32
        // CHECK: norm.index n : i64
        %i = norm.index n : i64
        // CHECK: norm.yield %{{.*}}, %{{.*}} : f32, f32
        norm.yield %a, %a : f32, f32
      }
      // CHECK: norm.store %[[SUM]]#0 to %[[PARTIAL]] : f32 to !f32_p_k
      norm.store %sum to %partial : f32 to !f32_p_k
      // CHECK: norm.store sum %[[SUM]]#1 to %[[PARTIAL]] : f32 to !f32_p_k
      norm.store sum %max to %partial : f32 to !f32_p_k
    }
  }
  // CHECK: norm.phase [] {
  norm.phase [] {
    norm.pass [k] {
      %total = norm.pass [p] (sum) {
        %a = norm.load %partial : !f32_p_k to f32
        norm.yield %a : f32
      }
      %zero = arith.constant 0 : i64
      // CHECK: norm.load %{{.*}} at [p = %{{.*}}] : !f32_p_k to f32
      %first = norm.load %partial at [p = %zero] : !f32_p_k to f32
      norm.store %total to %y : f32 to !f32_k
    }
  }
  norm.return
}

!i64_r = tensor<?xi64, #norm.axes<r>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>

// What is reduced across replicas, gathered.
// CHECK-LABEL: norm.kernel @replicas axes(n, c, r)
norm.kernel @replicas axes(n, c, r) (%mu: !f32_c {norm.name = "mu"})
    -> (!f32_c {norm.name = "y"}, i64 {norm.name = "count"}) {
  // CHECK: norm.all_gather %{{.*}} over r : !f32_c to !f32_r_c
  %all = norm.all_gather %mu over r : !f32_c to !f32_r_c
  %sum = norm.reduce sum %all over [r] : !f32_r_c
  %mine = norm.size [n]
  // CHECK: norm.all_gather %{{.*}} over r : i64 to !i64_r
  %counts = norm.all_gather %mine over r : i64 to !i64_r
  // CHECK: norm.reduce sum %{{.*}} over [r] : !i64_r
  %count = norm.reduce sum %counts over [r] : !i64_r
  norm.return %sum, %count : !f32_c, i64
}

// CHECK-LABEL: norm.kernel @exchange axes(c, r)
norm.kernel @exchange axes(c, r) (%y: !f32_c {norm.name = "y", norm.out}) {
  %mine = norm.workspace : !f32_c
  %all = norm.workspace : !f32_r_c
  // CHECK: norm.exchange %{{.*}} to %{{.*}} : !f32_c to !f32_r_c
  norm.exchange %mine to %all : !f32_c to !f32_r_c
  norm.return
}

// CHECK: norm.gradient @scale_backward of @scale {given = [], of = ["y"], wrt = ["x"]}
norm.gradient @scale_backward of @scale {of = ["y"], wrt = ["x"], given = []}

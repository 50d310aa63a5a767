// RUN: norm-opt %s --pass-pipeline='builtin.module(norm.kernel(norm-split-lanes))' | FileCheck %s

!f32_s_g_k = tensor<?x?x?xf32, #norm.axes<s, g, k>>
!f32_g_k_s = tensor<?x?x?xf32, #norm.axes<g, k, s>>
!f32_g_k = tensor<?x?xf32, #norm.axes<g, k>>
!f32_g = tensor<?xf32, #norm.axes<g>>

// Channels last: a sum for each channel, then the channels of a group.
// CHECK-LABEL: norm.kernel @channels_last
// CHECK:         %[[P:.*]] = norm.reduce sum %{{.*}} over [s] : !f32_s_g_k
// CHECK:         norm.reduce sum %[[P]] over [k] : !f32_g_k
norm.kernel @channels_last axes(s, g, k, c = g * k) (%x: !f32_s_g_k {norm.name = "x"}) -> (!f32_g {norm.name = "y"}) {
  %s = norm.reduce sum %x over [s, k] : !f32_s_g_k
  norm.return %s : !f32_g
}

// Channels first, and groups by themselves, stay.
// CHECK-LABEL: norm.kernel @channels_first
// CHECK:         norm.reduce sum %{{.*}} over [k, s] : !f32_g_k_s
norm.kernel @channels_first axes(s, g, k, c = g * k) (%x: !f32_g_k_s {norm.name = "x"}) -> (!f32_g {norm.name = "y"}) {
  %s = norm.reduce sum %x over [k, s] : !f32_g_k_s
  norm.return %s : !f32_g
}
// CHECK-LABEL: norm.kernel @groups
// CHECK:         norm.reduce sum %{{.*}} over [k] : !f32_g_k
norm.kernel @groups axes(g, k, c = g * k) (%x: !f32_g_k {norm.name = "x"}) -> (!f32_g {norm.name = "y"}) {
  %s = norm.reduce sum %x over [k] : !f32_g_k
  norm.return %s : !f32_g
}

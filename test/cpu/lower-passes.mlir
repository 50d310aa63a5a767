// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// A sample is the first sixteenth of the points along its axis, in whole sixteens.
// CHECK-LABEL: func.func private @sample_phase0_body
// CHECK:         %[[UP:.*]] = arith.addi %[[K:.*]], %c15_i64
// CHECK:         %[[PART:.*]] = arith.shrui %[[UP]], %c4_i64
// CHECK:         %[[MORE:.*]] = arith.addi %[[PART]], %c15_i64
// CHECK:         %[[SIXTEENS:.*]] = arith.andi %[[MORE]], %c-16_i64
// CHECK:         %[[COUNT:.*]] = arith.minsi %[[K]], %[[SIXTEENS]]
// CHECK:         arith.sitofp %[[COUNT]]
norm.kernel @sample axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] sample k (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %points = norm.sampled [k] sample k : i64
    %count = arith.sitofp %points : i64 to f32
    %mean = arith.divf %s, %count : f32
    norm.store %mean to %y : f32 to !f32_n
  }
  norm.return
}

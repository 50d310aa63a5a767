// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=0" --canonicalize --cse | FileCheck %s --check-prefix=KEEP

!f32_b_n_k = tensor<?x?x?xf32, #norm.axes<b, n, k>>
!f32_b_k = tensor<?x?xf32, #norm.axes<b, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// The sums of a block go beside the last sweep of the one before, which stores past the caches, in one loop over rows;
// what that sweep takes of its block comes from the turn before. Else one stands after the other.
// CHECK-LABEL: func.func private @center_phase0_body
// CHECK:         %[[ALONE:.*]] = arith.cmpi sge, %{{.*}}, %arg{{[0-9]+}} : i64
// CHECK:         %[[BYTES:.*]] = arith.select %[[ALONE]], %c262144_i64, %c2097152_i64
// CHECK:         arith.cmpi sge, %{{.*}}, %[[BYTES]]
// CHECK:         %[[LAG:.*]] = arith.extui %[[GOES:.*]] : i1 to i64
// CHECK:         scf.for %[[FRONT:.*]] = %{{.*}} iter_args(%[[BEFORE:.*]] = %{{.*}}) -> (f32)
// CHECK:           %[[BACK:.*]] = arith.subi %[[FRONT]], %[[LAG]]
// CHECK:           scf.if
// CHECK-COUNT-4:     nontemporal
// CHECK-COUNT-4:     arith.addf
// CHECK:           } else {
// CHECK-NOT:         nontemporal
// CHECK:             arith.addf
// CHECK:         arith.select %[[GOES]], %[[BEFORE]]
// KEEP-LABEL:  func.func private @center_phase0_body
// KEEP-NOT:      nontemporal
norm.kernel @center axes(b, n, k) (%x: !f32_b_n_k {norm.name = "x"}, %s: tensor<?xf32, #norm.axes<b>> {norm.name = "s"},
                                   %y: !f32_b_n_k {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_b_k
  norm.phase [b] {
    %zero = arith.constant 0.0 : f32
    %scale = norm.load %s : tensor<?xf32, #norm.axes<b>> to f32
    norm.pass [k] {
      norm.store %zero to %w : f32 to !f32_b_k
    }
    norm.pass [n, k] {
      %u = norm.load %x : !f32_b_n_k to f32
      norm.store sum %u to %w : f32 to !f32_b_k
    }
    norm.pass [n, k] {
      %u = norm.load %x : !f32_b_n_k to f32
      %v = norm.load %w : !f32_b_k to f32
      %d = arith.subf %u, %v : f32
      %o = arith.mulf %d, %scale : f32
      norm.store %o to %y : f32 to !f32_b_n_k
    }
  }
  norm.return
}

!f32_a_b_n_k = tensor<?x?x?x?xf32, #norm.axes<a, b, n, k>>
!f32_a_b_k = tensor<?x?x?xf32, #norm.axes<a, b, k>>

// Of blocks over two axes, the places of both turns are computed before the branches that use them.
// CHECK-LABEL: func.func private @center_of_two_phase0_body
// CHECK:         scf.for
// CHECK-COUNT-2:   arith.remui
// CHECK:           scf.if
// CHECK:             nontemporal
norm.kernel @center_of_two axes(a, b, n, k) (%x: !f32_a_b_n_k {norm.name = "x"}, %y: !f32_a_b_n_k {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_a_b_k
  norm.phase [a, b] {
    %zero = arith.constant 0.0 : f32
    norm.pass [k] {
      norm.store %zero to %w : f32 to !f32_a_b_k
    }
    norm.pass [n, k] {
      %u = norm.load %x : !f32_a_b_n_k to f32
      norm.store sum %u to %w : f32 to !f32_a_b_k
    }
    norm.pass [n, k] {
      %u = norm.load %x : !f32_a_b_n_k to f32
      %v = norm.load %w : !f32_a_b_k to f32
      %d = arith.subf %u, %v : f32
      norm.store %d to %y : f32 to !f32_a_b_n_k
    }
  }
  norm.return
}

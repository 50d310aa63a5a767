// RUN: norm-opt %s --split-input-file --verify-diagnostics --norm-lower-plan --canonicalize --cse | FileCheck %s

!f32_c = tensor<?xf32, #norm.axes<c>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>
!i64_r = tensor<?xi64, #norm.axes<r>>

// What a replica gives after a phase, by place and number of bytes; the workspaces lie in lines of 64 bytes. The number of
// replicas is the last extent.
// CHECK-LABEL: func.func @f_phase0_exchange0(%arg0: !llvm.ptr, %arg1: !llvm.ptr) -> i64
// CHECK:         %[[C:.*]] = llvm.load %arg0
// CHECK:         llvm.store %c0_i64, %arg1
// CHECK:         %[[BYTES:.*]] = arith.muli %[[C]], %c4_i64
// CHECK:         %[[PADDED:.*]] = arith.addi %[[BYTES]], %c63_i64
// CHECK:         %[[LINES:.*]] = arith.andi %[[PADDED]], %c-64_i64
// CHECK:         %[[SECOND:.*]] = llvm.getelementptr %arg1[1]
// CHECK:         llvm.store %[[LINES]], %[[SECOND]]
// CHECK:         %[[THIRD:.*]] = llvm.getelementptr %arg1[2]
// CHECK:         llvm.store %[[BYTES]], %[[THIRD]]
// CHECK:         return %c1_i64
// CHECK-LABEL: func.func @f_phase0_exchange1
// CHECK:         llvm.store %c8_i64
norm.kernel @f axes(c, r) (%x: !f32_c {norm.name = "x"}, %y: !f32_c {norm.name = "y", norm.out}) {
  %mine = norm.workspace : !f32_c
  %all = norm.workspace : !f32_r_c
  %count = norm.workspace : tensor<i64>
  %counts = norm.workspace : !i64_r
  norm.phase [] {
    %one = norm.size [c]
    norm.store %one to %count : i64 to tensor<i64>
    norm.pass [c] {
      %a = norm.load %x : !f32_c to f32
      norm.store %a to %mine : f32 to !f32_c
    }
  }
  norm.exchange %mine to %all : !f32_c to !f32_r_c
  norm.exchange %count to %counts : tensor<i64> to !i64_r
  norm.phase [] {
    norm.pass [c] {
      %s = norm.pass [r] (sum) {
        %n = norm.load %counts : !i64_r to i64
        norm.yield %n : i64
      }
      %f = arith.sitofp %s : i64 to f32
      norm.store %f to %y : f32 to !f32_c
    }
  }
  norm.return
}

// -----

!f32_r = tensor<?xf32, #norm.axes<r>>

// A variant is chosen by a replica's own extents: others wait for what they know.
norm.kernel @g axes(n, r) () attributes {norm.family = "g", norm.guards = [{axes = ["n"], most = 9 : i64}]} {
  %mine = norm.workspace : tensor<f32>
  %all = norm.workspace : !f32_r
  norm.phase [] {
    %one = arith.constant 1.0 : f32
    norm.store %one to %mine : f32 to tensor<f32>
  }
  norm.exchange %mine to %all : tensor<f32> to !f32_r
  norm.return
}
// expected-error @below {{exchanges something else than "g"}}
norm.kernel @g_streamed axes(n, r) () attributes {norm.family = "g", norm.guards = [{axes = ["n"], over = 9 : i64}]} {
  norm.return
}

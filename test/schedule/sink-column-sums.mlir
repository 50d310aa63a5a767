// RUN: norm-opt %s --norm-sink-column-sums | FileCheck %s

!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_r_k = tensor<?x?xf32, #norm.axes<r, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// The sum over rows, and what is computed for it alone, stands in the last sweep, before what may be stored in the place
// of what the sum reads; what is there already is not computed again.
// CHECK-LABEL: norm.kernel @halves
// CHECK-NOT:     norm.guards
// CHECK:         norm.pass [k] (sum) {
// CHECK-NEXT:      %[[D:.*]] = norm.load %{{.*}} : !bf16_n_k to f32
// CHECK-NEXT:      norm.yield %[[D]]
// CHECK:         norm.pass [k] {
// CHECK-NEXT:      %[[E:.*]] = norm.load
// CHECK-NEXT:      %[[F:.*]] = arith.subf %[[E]]
// CHECK-NEXT:      %[[X:.*]] = norm.load
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[E]], %[[X]]
// CHECK-NEXT:      norm.store sum %[[P]] to %{{.*}} : f32 to !f32_r_k
// CHECK-NEXT:      norm.store %[[F]]
// CHECK-NEXT:    }
norm.kernel @halves axes(n, k, r = n by 16) (%dys: !bf16_n_k {norm.name = "dy"}, %xs: !bf16_n_k {norm.name = "x"},
    %dx: !bf16_n_k {norm.name = "dx", norm.out}) {
  %columns = norm.workspace : !f32_r_k
  norm.phase [r] {
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !bf16_n_k to f32
        %x = norm.load %xs : !bf16_n_k to f32
        %p = arith.mulf %dy, %x : f32
        norm.store sum %p to %columns : f32 to !f32_r_k
        norm.yield %dy : f32
      }
      norm.pass [k] {
        %dy = norm.load %dys : !bf16_n_k to f32
        %d = arith.subf %dy, %s : f32
        norm.store %d to %dx : f32 to !bf16_n_k
      }
    }
  }
  norm.return
}

// Of f32, only where a row and what is swept beside it are more than 48 KiB: 12 bytes a point here.
// CHECK-LABEL: norm.kernel @floats
// CHECK-SAME:    norm.guards = [{axes = ["k"], most = 4096 : i64}]
// CHECK:         norm.pass [k] (sum) {
// CHECK:           norm.store sum
// CHECK:         norm.pass [k] {
// CHECK-NOT:       norm.store sum
// CHECK-LABEL: norm.kernel @floats_long
// CHECK-SAME:    norm.family = "floats", norm.guards = [{axes = ["k"], over = 4096 : i64}]
// CHECK:         norm.pass [k] (sum) {
// CHECK-NOT:       norm.store sum
// CHECK:         norm.pass [k] {
// CHECK:           norm.store sum
norm.kernel @floats axes(n, k, r = n by 16) (%dys: !f32_n_k {norm.name = "dy"}, %xs: !f32_n_k {norm.name = "x"},
    %dx: !f32_n_k {norm.name = "dx", norm.out}) {
  %columns = norm.workspace : !f32_r_k
  norm.phase [r] {
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !f32_n_k to f32
        %x = norm.load %xs : !f32_n_k to f32
        %p = arith.mulf %dy, %x : f32
        norm.store sum %p to %columns : f32 to !f32_r_k
        norm.yield %dy : f32
      }
      norm.pass [k] {
        %dy = norm.load %dys : !f32_n_k to f32
        %d = arith.subf %dy, %s : f32
        norm.store %d to %dx : f32 to !f32_n_k
      }
    }
  }
  norm.return
}

// A row of a fixed length needs no variant.
// CHECK-LABEL: norm.kernel @fixed
// CHECK:         norm.pass [k] (sum) {
// CHECK-NOT:       norm.store sum
// CHECK:         norm.pass [k] {
// CHECK:           norm.store sum
// CHECK-NOT:   norm.kernel
norm.kernel @fixed axes(n, k = 5000, r = n by 16) (%dys: !f32_n_k {norm.name = "dy"},
    %xs: !f32_n_k {norm.name = "x"}, %dx: !f32_n_k {norm.name = "dx", norm.out}) {
  %columns = norm.workspace : !f32_r_k
  norm.phase [r] {
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !f32_n_k to f32
        %x = norm.load %xs : !f32_n_k to f32
        %p = arith.mulf %dy, %x : f32
        norm.store sum %p to %columns : f32 to !f32_r_k
        norm.yield %dy : f32
      }
      norm.pass [k] {
        %dy = norm.load %dys : !f32_n_k to f32
        %d = arith.subf %dy, %s : f32
        norm.store %d to %dx : f32 to !f32_n_k
      }
    }
  }
  norm.return
}

// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_r_k = tensor<?x?xf32, #norm.axes<r, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// A row's sum goes without the guards of what it adds; where it is not finite it is computed again, with them and
// without what is stored on the way, which had its own. Where it is, the next sweep, which multiplies the same, does
// without as well.
// CHECK-LABEL: func.func private @gradient_phase0_body
// CHECK:           %[[SUM:.*]] = vector.extract
// CHECK-NEXT:      %[[NONE:.*]] = arith.subf %[[SUM]], %[[SUM]] : f32
// CHECK-NEXT:      %[[FINITE:.*]] = arith.cmpf ord, %[[NONE]], %[[NONE]] : f32
// CHECK-NEXT:      scf.if %[[FINITE]] {
// CHECK-NOT:         arith.cmpf une
// CHECK:             arith.mulf %{{.*}} : vector<16xf32>
// CHECK-NOT:         arith.cmpf une
// CHECK:           } else {
// CHECK-NOT:         store
// CHECK:             arith.cmpf une
// CHECK-NOT:         store
// CHECK:             vector.extract
// CHECK:             arith.cmpf une
// CHECK:             llvm.intr.masked.store
norm.kernel @gradient axes(n, k, r = n by 16) (%dys: !f32_n_k {norm.name = "dy"}, %xs: !f32_n_k {norm.name = "x"},
    %ws: !f32_k {norm.name = "w"}, %dx: !f32_n_k {norm.name = "dx", norm.out}) {
  %columns = norm.workspace : !f32_r_k
  norm.phase [r] {
    %zero = arith.constant 0.0 : f32
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !f32_n_k to f32
        %x = norm.load %xs : !f32_n_k to f32
        %w = norm.load %ws : !f32_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %w : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        %q = arith.mulf %dy, %x : f32
        %h = arith.select %is, %q, %zero {norm.zero_cotangent} : f32
        norm.store sum %h to %columns : f32 to !f32_r_k
        norm.yield %g : f32
      }
      norm.pass [k] {
        %dy = norm.load %dys : !f32_n_k to f32
        %w = norm.load %ws : !f32_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %w : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        %d = arith.subf %g, %s : f32
        norm.store %d to %dx : f32 to !f32_n_k
      }
    }
  }
  norm.return
}

// A sum that leaves a factor out shows nothing of it: the guard of its product stays.
// CHECK-LABEL: func.func private @other_factor_phase0_body
// CHECK:           %[[SUM:.*]] = vector.extract
// CHECK:           %[[FINITE:.*]] = arith.cmpf ord
// CHECK:           scf.if %[[FINITE]]
// CHECK:           scf.for
// CHECK:             arith.cmpf une
// CHECK:             llvm.store
norm.kernel @other_factor axes(n, k, r = n by 16) (%dys: !f32_n_k {norm.name = "dy"}, %xs: !f32_n_k {norm.name = "x"},
    %ws: !f32_k {norm.name = "w"}, %dx: !f32_n_k {norm.name = "dx", norm.out}) {
  norm.phase [r] {
    %zero = arith.constant 0.0 : f32
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %dy = norm.load %dys : !f32_n_k to f32
        %w = norm.load %ws : !f32_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %w : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        norm.yield %g : f32
      }
      norm.pass [k] {
        %dy = norm.load %dys : !f32_n_k to f32
        %x = norm.load %xs : !f32_n_k to f32
        %is = arith.cmpf une, %dy, %zero : f32
        %p = arith.mulf %dy, %x : f32
        %g = arith.select %is, %p, %zero {norm.zero_cotangent} : f32
        %d = arith.subf %g, %s : f32
        norm.store %d to %dx : f32 to !f32_n_k
      }
    }
  }
  norm.return
}

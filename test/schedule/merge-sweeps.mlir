// RUN: norm-opt --norm-merge-sweeps %s | FileCheck %s --enable-var-scope

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// A factor of the row leaves the maximum, which is taken beside the sum then. Of no points the maximum is −inf.
// CHECK-LABEL: norm.kernel @quantised
// CHECK:         %[[BOTH:.*]]:2 = norm.pass [k] (sum, max)
// CHECK:           arith.mulf %[[A:.*]], %[[A]]
// CHECK:           %[[P:.*]] = arith.mulf
// CHECK-NEXT:      %[[M:.*]] = math.absf %[[P]]
// CHECK-NEXT:      norm.yield %{{.*}}, %[[M]]
// CHECK:         %[[R:.*]] = math.rsqrt %[[BOTH]]#0
// CHECK:         %[[SIZE:.*]] = math.absf %[[R]]
// CHECK:         %[[MOST:.*]] = arith.mulf %[[BOTH]]#1, %[[SIZE]]
// CHECK:         %[[NONE:.*]] = arith.cmpf olt, %[[BOTH]]#1,
// CHECK:         %[[WHOLE:.*]] = arith.select %[[NONE]], %[[BOTH]]#1, %[[MOST]]
// CHECK:         norm.store %[[WHOLE]]
norm.kernel @quantised axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %gamma: !f32_k {norm.name = "gamma"},
                                   %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      %p = arith.mulf %a, %a : f32
      norm.yield %p : f32
    }
    %r = math.rsqrt %s : f32
    %most = norm.pass [k] (max) {
      %a = norm.load %x : !f32_n_k to f32
      %g = norm.load %gamma : !f32_k to f32
      %p = arith.mulf %a, %r : f32
      %q = arith.mulf %p, %g : f32
      %m = math.absf %q : f32
      norm.yield %m : f32
    }
    norm.store %most to %y : f32 to !f32_n
  }
  norm.return
}

// What is subtracted is no factor.
// CHECK-LABEL: norm.kernel @centred
// CHECK:         norm.pass [k] (sum)
// CHECK:         norm.pass [k] (max)
norm.kernel @centred axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %most = norm.pass [k] (max) {
      %a = norm.load %x : !f32_n_k to f32
      %d = arith.subf %a, %s : f32
      %p = arith.mulf %d, %s : f32
      %m = math.absf %p : f32
      norm.yield %m : f32
    }
    norm.store %most to %y : f32 to !f32_n
  }
  norm.return
}

// The gradient of a maximum compares with it: both are computed alike.
// CHECK-LABEL: norm.kernel @compared
// CHECK:         norm.pass [k] (max)
// CHECK:           arith.mulf
// CHECK:           math.absf
norm.kernel @compared axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %scales: !f32_n {norm.name = "s"},
                                  %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.load %scales : !f32_n to f32
    %most = norm.pass [k] (max) {
      %a = norm.load %x : !f32_n_k to f32
      %p = arith.mulf %a, %s : f32
      %m = math.absf %p : f32
      norm.yield %m : f32
    }
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %p = arith.mulf %a, %s : f32
      %m = math.absf %p : f32
      %t = arith.cmpf oeq, %m, %most : f32
      %v = arith.uitofp %t : i1 to f32
      norm.store %v to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// RUN: norm-opt --norm-contract-multiply-add %s | FileCheck %s --enable-var-scope

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// CHECK-LABEL: norm.kernel @products
norm.kernel @products axes(n) (%x: !f32_n {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    // CHECK: %[[A:.*]] = norm.load
    %a = norm.load %x : !f32_n to f32
    // CHECK: %[[SUM:.*]] = math.fma %[[A]], %[[A]], %[[A]]
    %p = arith.mulf %a, %a : f32
    %s = arith.addf %p, %a : f32
    // CHECK: %[[MINUS:.*]] = arith.negf %[[SUM]]
    // CHECK: %[[DIFFERENCE:.*]] = math.fma %[[MINUS]], %[[A]], %[[A]]
    %q = arith.mulf %s, %a : f32
    %d = arith.subf %a, %q : f32
    // A product that is used twice stays.
    // CHECK: %[[TWICE:.*]] = arith.mulf %[[DIFFERENCE]], %[[DIFFERENCE]]
    // CHECK: arith.addf %[[TWICE]], %[[A]]
    %r = arith.mulf %d, %d : f32
    %t = arith.addf %r, %a : f32
    %u = arith.maximumf %r, %t : f32
    norm.store %u to %y : f32 to !f32_n
  }
  norm.return
}

// A product that counts only where a cotangent is not 0.
// CHECK-LABEL: norm.kernel @where
norm.kernel @where axes(n) (%x: !f32_n {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %zero = arith.constant 0.0 : f32
    // CHECK: %[[A:.*]] = norm.load
    %a = norm.load %x : !f32_n to f32
    // CHECK: %[[TEST:.*]] = arith.cmpf une, %[[A]]
    %t = arith.cmpf une, %a, %zero : f32
    // CHECK: %[[SUM:.*]] = math.fma %[[A]], %[[A]], %[[A]]
    // CHECK: %[[KEPT:.*]] = arith.select %[[TEST]], %[[SUM]], %[[A]]
    %p = arith.mulf %a, %a : f32
    %w = arith.select %t, %p, %zero {norm.zero_cotangent} : f32
    %s = arith.addf %a, %w : f32
    // Another select is no such product.
    // CHECK: arith.mulf %[[KEPT]], %[[A]]
    %q = arith.mulf %s, %a : f32
    %v = arith.select %t, %q, %zero : f32
    %u = arith.subf %a, %v : f32
    norm.store %u to %y : f32 to !f32_n
  }
  norm.return
}

// The second part of a mean is multiplied once a row, where the factor is one of the row too.
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
// CHECK-LABEL: norm.kernel @rest
// CHECK:         norm.phase [n]
// CHECK:           %[[REST:.*]] = norm.load %arg1
// CHECK:           %[[RSTD:.*]] = norm.load %arg2
// CHECK:           %[[MINUS:.*]] = arith.negf %[[REST]]
// CHECK:           %[[SHIFT:.*]] = arith.mulf %[[MINUS]], %[[RSTD]]
// CHECK:           norm.pass [k] {
// CHECK:             %[[U:.*]] = arith.subf
// CHECK-NEXT:        %[[Y:.*]] = math.fma %[[U]], %[[RSTD]], %[[SHIFT]]
// CHECK-NEXT:        norm.store %[[Y]]
norm.kernel @rest axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %rests: !f32_n {norm.name = "rest"},
                              %rstds: !f32_n {norm.name = "rstd"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %rest = norm.load %rests : !f32_n to f32
    %rstd = norm.load %rstds : !f32_n to f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %u = arith.subf %a, %rstd : f32
      %d = arith.subf %u, %rest {norm.rest} : f32
      %o = arith.mulf %d, %rstd : f32
      norm.store %o to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Where the factor changes along the sweep nothing is gained.
// CHECK-LABEL: norm.kernel @rest_of_points
// CHECK-NOT:     math.fma
norm.kernel @rest_of_points axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %rests: !f32_n {norm.name = "rest"},
                                        %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %rest = norm.load %rests : !f32_n to f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %d = arith.subf %a, %rest {norm.rest} : f32
      %o = arith.mulf %d, %a : f32
      norm.store %o to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Channels last: what is computed of values that rows share stays the same along them.
// CHECK-LABEL: norm.kernel @rest_of_channels
// CHECK:           %[[SCALE:.*]] = arith.mulf
// CHECK:           %[[MINUS:.*]] = arith.negf
// CHECK:           %[[SHIFT:.*]] = arith.mulf %[[MINUS]], %[[SCALE]]
// CHECK:           math.fma %{{.*}}, %[[SCALE]], %[[SHIFT]]
norm.kernel @rest_of_channels axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %rests: !f32_k {norm.name = "rest"},
                                          %rstds: !f32_k {norm.name = "rstd"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n, k] {
      %a = norm.load %x : !f32_n_k to f32
      %rest = norm.load %rests : !f32_k to f32
      %rstd = norm.load %rstds : !f32_k to f32
      %u = arith.subf %a, %rstd : f32
      %d = arith.subf %u, %rest {norm.rest} : f32
      %scale = arith.mulf %rstd, %rstd : f32
      %o = arith.mulf %d, %scale : f32
      norm.store %o to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

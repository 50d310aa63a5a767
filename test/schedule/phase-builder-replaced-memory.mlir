// RUN: norm-opt --norm-plan-phases --norm-verify-plan %s | FileCheck %s --enable-var-scope

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// Each state's update reads the other: both are read before either is replaced.
// CHECK-LABEL: norm.kernel @swap
norm.kernel @swap axes(n) (%a: !f32_n {norm.name = "a", norm.state}, %b: !f32_n {norm.name = "b", norm.state})
    -> (!f32_n {norm.name = "a"}, !f32_n {norm.name = "b"}) {
  // CHECK: norm.load
  // CHECK: norm.load
  // CHECK: norm.store
  // CHECK: norm.store
  norm.return %b, %a : !f32_n, !f32_n
}

// What takes the place of x is stored after the last sweep that reads x.
// CHECK-LABEL: norm.kernel @in_place
norm.kernel @in_place axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %w: !f32_n {norm.name = "w"})
    -> (!f32_n {norm.name = "y", norm.inplace = "w"}, !f32_n_k {norm.name = "z"}) {
  %negative = arith.negf %w : !f32_n
  %wide = norm.broadcast %w : !f32_n to !f32_n_k
  %z = arith.mulf %x, %wide : !f32_n_k
  // CHECK: to !f32_n_k
  // CHECK: norm.store {{.*}} to !f32_n{{$}}
  norm.return %negative, %z : !f32_n, !f32_n_k
}

// A reduction whose blocks others' sums would take apart still completes: the plan ends.
// CHECK-LABEL: norm.kernel @row_and_column
norm.kernel @row_and_column axes(n, k) (%x: !f32_n_k {norm.name = "x"})
    -> (!f32_n {norm.name = "rows"}, tensor<?xf32, #norm.axes<k>> {norm.name = "columns"}) {
  // CHECK: norm.phase
  // CHECK: norm.return
  %rows = norm.reduce sum %x over [k] : !f32_n_k
  %columns = norm.reduce sum %x over [n] : !f32_n_k
  norm.return %rows, %columns : !f32_n, tensor<?xf32, #norm.axes<k>>
}

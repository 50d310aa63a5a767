// Sums over rows of few lanes, in registers: eight vectors a step, four, two, one, and what is left under a mask.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!f32_s_c = tensor<?x?xf32, #norm.axes<s, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>

// CHECK-LABEL: func.func private @columns_phase0_body
// CHECK:         scf.for %{{.*}} step %c128_i64
// CHECK:         scf.for %{{.*}} step %c64_i64
// CHECK:         scf.for %{{.*}} step %c32_i64
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
// CHECK:         scf.for %{{.*}} step %c16_i64
// CHECK:           scf.for {{.*}} -> (vector<16xf32>)
// CHECK-NOT:       masked
// CHECK:         scf.for %{{.*}} step %c16_i64
// CHECK:           llvm.intr.masked.load
norm.kernel @columns axes(s, c) (%x: !f32_s_c {norm.name = "x"}, %y: !f32_c {norm.name = "y", norm.out}) {
  %sums = norm.workspace : !f32_c
  norm.phase [] {
    norm.pass [s, c] {
      %b = norm.load %x : !f32_s_c to f32
      norm.store sum %b to %sums : f32 to !f32_c
    }
    norm.pass [c] {
      %b = norm.load %sums : !f32_c to f32
      norm.store %b to %y : f32 to !f32_c
    }
  }
  norm.return
}

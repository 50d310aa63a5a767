// Sums over rows of few lanes, in registers: eight vectors a step, four, two, one, and what is left under a mask.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=FAR

!f32_s_c = tensor<?x?xf32, #norm.axes<s, c>>
!bf16_s_c = tensor<?x?xbf16, #norm.axes<s, c>>
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

// Two arrays of 16 bits that do not fit the last cache, of lanes longer than a step, are asked for 64 rows ahead; one is not.
// FAR-LABEL: func.func private @columns_phase0_body
// FAR-NOT:     llvm.intr.prefetch
// FAR-LABEL: func.func private @products_phase0_body
// FAR-DAG:     %[[STEP:.*]] = arith.constant 64 : i64
// FAR-DAG:     %[[MANY:.*]] = arith.constant 1310720 : i64
// FAR-DAG:     %[[NONE:.*]] = arith.constant false
// FAR-DAG:     %[[SHORT:.*]] = arith.cmpi sle, %{{.*}}, %[[STEP]]
// FAR-DAG:     %[[LARGE:.*]] = arith.cmpi sge, %{{.*}}, %[[MANY]]
// FAR:         %[[FAR:.*]] = arith.select %[[SHORT]], %[[NONE]], %[[LARGE]]
// FAR:         scf.for %{{.*}} step %[[STEP]]
// FAR:           scf.if %[[FAR]]
// FAR:             scf.for %[[ROW:[a-z0-9]+]] = %{{[a-z0-9]+}} to %{{[a-z0-9]+}} step %c1_i64
// FAR:               arith.addi %[[ROW]], %[[STEP]]
// FAR-COUNT-4:       llvm.intr.prefetch
// FAR:             else
// FAR-NOT:         llvm.intr.prefetch
// FAR:         return
norm.kernel @products axes(s, c) (%x: !bf16_s_c {norm.name = "x"}, %z: !bf16_s_c {norm.name = "z"},
                                  %g: !f32_c {norm.name = "g"}, %h: !f32_c {norm.name = "h"},
                                  %y: !f32_c {norm.name = "y", norm.out}) {
  %sums = norm.workspace : !f32_c
  norm.phase [] {
    norm.pass [s, c] {
      %a = norm.load %x : !bf16_s_c to f32
      %b = norm.load %z : !bf16_s_c to f32
      %c = norm.load %g : !f32_c to f32
      %d = norm.load %h : !f32_c to f32
      %e = arith.mulf %a, %c : f32
      %f = arith.mulf %b, %d : f32
      %p = arith.mulf %e, %f : f32
      norm.store sum %p to %sums : f32 to !f32_c
    }
    norm.pass [c] {
      %b = norm.load %sums : !f32_c to f32
      norm.store %b to %y : f32 to !f32_c
    }
  }
  norm.return
}

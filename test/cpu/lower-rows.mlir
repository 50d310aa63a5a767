// Sums over rows of few lanes, in registers: eight vectors a step, four, two, one, and what is left under a mask.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=FAR

!f32_s_c = tensor<?x?xf32, #norm.axes<s, c>>
!bf16_s_c = tensor<?x?xbf16, #norm.axes<s, c>>
!bf16_n_s_c = tensor<?x?x?xbf16, #norm.axes<n, s, c>>
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

// Arrays of 16 bits that do not fit the last cache are asked for 32 rows ahead; those of f32 are not, nor what is read at a
// place of its own.
// FAR-LABEL: func.func private @columns_phase0_body
// FAR-NOT:     llvm.intr.prefetch
// FAR-LABEL: func.func private @products_phase0_body
// FAR-DAG:     %[[ROWS:.*]] = arith.constant 32 : i64
// FAR-DAG:     %[[MANY:.*]] = arith.constant 1310720 : i64
// FAR:         %[[FAR:.*]] = arith.cmpi sge, %{{.*}}, %[[MANY]]
// FAR:         scf.for %[[ROW:[a-z0-9]+]] = %{{[a-z0-9]+}} to %{{[a-z0-9]+}} step %c1_i64
// FAR-NEXT:      arith.addi %[[ROW]], %[[ROWS]]
// FAR:           scf.if %[[FAR]]
// FAR-COUNT-8:     llvm.intr.prefetch"(%{{.*}}) <{cache = 1 : i32, hint = 3 : i32
// FAR-NOT:         llvm.intr.prefetch
// FAR:           llvm.load
// FAR-LABEL: func.func private @placed_phase0_body
// FAR-NOT:     llvm.intr.prefetch
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

norm.kernel @placed axes(n, s, c) (%x: !bf16_n_s_c {norm.name = "x"}, %g: !f32_c {norm.name = "g"},
                                   %y: !f32_c {norm.name = "y", norm.out}) {
  %sums = norm.workspace : !f32_c
  norm.phase [] {
    %first = arith.constant 0 : i64
    norm.pass [s, c] {
      %a = norm.load %x at [n = %first] : !bf16_n_s_c to f32
      %b = norm.load %g : !f32_c to f32
      %p = arith.mulf %a, %b : f32
      norm.store sum %p to %sums : f32 to !f32_c
    }
    norm.pass [c] {
      %b = norm.load %sums : !f32_c to f32
      norm.store %b to %y : f32 to !f32_c
    }
  }
  norm.return
}

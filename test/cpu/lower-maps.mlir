// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// Where lanes are longer than a step and rows are many, what is the same in all rows is computed once, goes to an array,
// and each row is mapped as it lies in memory. Else the lanes' loop stands outside.
// CHECK-LABEL: func.func private @scaled_phase0_body
// CHECK:         %[[ARRAY:.*]] = llvm.alloca
// CHECK:         %[[LONG:.*]] = arith.cmpi sgt, %{{.*}}, %c64_i64
// CHECK:         %[[MANY:.*]] = arith.cmpi sge, %{{.*}}, %c4_i64
// CHECK:         %[[BY_ROW:.*]] = arith.andi %[[LONG]], %[[MANY]]
// CHECK:         scf.if %[[BY_ROW]]
// CHECK:           %[[PLACE:.*]] = llvm.getelementptr %[[ARRAY]]
// CHECK:           %[[SCALE:.*]] = arith.mulf
// CHECK:           %[[AT:.*]] = llvm.getelementptr %[[PLACE]]
// CHECK:           llvm.store %[[SCALE]], %[[AT]]
// CHECK:           scf.for %{{.*}} step %c1_i64
// CHECK:             scf.for %{{.*}} step %c64_i64
// CHECK:               llvm.getelementptr %[[PLACE]]
// CHECK-NOT:           arith.mulf
// CHECK:               math.fma
// CHECK:         } else {
norm.kernel @scaled axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %a: !f32_k {norm.name = "a"}, %b: !f32_k {norm.name = "b"},
                                %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n, k] {
      %u = norm.load %x : !f32_n_k to f32
      %v = norm.load %a : !f32_k to f32
      %w = norm.load %b : !f32_k to f32
      %s = arith.mulf %v, %w : f32
      %o = math.fma %u, %s, %w : f32
      norm.store %o to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Sums of rows of bf16: two vectors by a shift and a mask, whose sums go back into the order of memory. Where they are
// few, eight vectors at a time.
// CHECK-LABEL: func.func private @sums_phase0_body
// CHECK:         scf.for {{.*}} step %c128_i64
// CHECK:         arith.shli %{{.*}} : vector<16xi32>
// CHECK:         arith.andi %{{.*}} : vector<16xi32>
// CHECK:         vector.shuffle %{{.*}}, %{{.*}} [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23]
// CHECK:         vector.shuffle %{{.*}}, %{{.*}} [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31]
norm.kernel @sums axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %y: !f32_k {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_k
  norm.phase [] {
    norm.pass [n, k] {
      %u = norm.load %x : !bf16_n_k to f32
      norm.store sum %u to %w : f32 to !f32_k
    }
  }
  norm.return
}

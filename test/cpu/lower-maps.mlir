// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s

!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_q_n_k = tensor<?x?x?xf32, #norm.axes<q, n, k>>
!f32_k_q = tensor<?x?xf32, #norm.axes<k, q>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// Rows end to end: so many as end where a step does go as one, from a multiple of their number on, those before and after
// it under masks. What is the same in all rows is computed once, and goes to an array, for each of them; where they are
// one step, it is loaded once.
// CHECK-LABEL: func.func private @scaled_phase0_body
// CHECK-DAG:     llvm.alloca
// CHECK-DAG:     llvm.alloca
// CHECK:         %[[BIT:.*]] = arith.ori %[[POINTS:.*]], %c64_i64
// CHECK:         arith.andi %[[BIT]]
// CHECK:         %[[ROWS:.*]] = arith.select %{{.*}}, %{{.*}}, %c1_i64
// CHECK:         arith.divui %{{.*}}, %[[ROWS]]
// CHECK:         %[[SCALE:.*]] = arith.mulf
// CHECK:         scf.for %{{.*}} to %[[ROWS]] step %c1_i64
// CHECK:           llvm.store %[[SCALE]]
// CHECK:         scf.for %{{.*}} = %c0_i64 to %c2_i64
// CHECK:           llvm.intr.masked.store
// CHECK:         %[[IS_STEP:.*]] = arith.cmpi eq, %{{.*}}, %c64_i64
// CHECK:         scf.if %[[IS_STEP]]
// CHECK-NEXT:      scf.for %{{.*}} step %[[ROWS]]
// CHECK-NOT:         scf.for
// CHECK:             math.fma
// CHECK:         } else {
// CHECK-NEXT:      scf.for %{{.*}} step %[[ROWS]]
// CHECK:             scf.for %{{.*}} step %c64_i64
// CHECK-NOT:           arith.mulf
// CHECK:               math.fma
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

// Rows with values of their own: where lanes are longer than a step and rows are many, each row is mapped as it lies in
// memory. Else the lanes' loop stands outside.
// CHECK-LABEL: func.func private @own_phase0_body
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
norm.kernel @own axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %a: !f32_k {norm.name = "a"}, %r: !f32_n {norm.name = "r"},
                             %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n] {
      %q = norm.load %r : !f32_n to f32
      norm.pass [k] {
        %u = norm.load %x : !f32_n_k to f32
        %v = norm.load %a : !f32_k to f32
        %s = arith.mulf %v, %v : f32
        %o = math.fma %u, %s, %q : f32
        norm.store %o to %y : f32 to !f32_n_k
      }
    }
  }
  norm.return
}

// What changes along the lanes, and is neither a row's nor side by side, has no place beyond a row's end.
// CHECK-LABEL: func.func private @strided_phase0_body
// CHECK:         %[[LONG:.*]] = arith.cmpi sgt, %{{.*}}, %c64_i64
// CHECK:         %[[BY_ROW:.*]] = arith.andi %[[LONG]]
// CHECK:         scf.if %[[BY_ROW]]
norm.kernel @strided axes(q, n, k) (%x: !f32_q_n_k {norm.name = "x"}, %a: !f32_k {norm.name = "a"}, %w: !f32_k_q {norm.name = "w"},
                                    %y: !f32_q_n_k {norm.name = "y", norm.out}) {
  norm.phase [q] {
    norm.pass [n, k] {
      %u = norm.load %x : !f32_q_n_k to f32
      %v = norm.load %a : !f32_k to f32
      %r = norm.load %w : !f32_k_q to f32
      %o = math.fma %u, %v, %r : f32
      norm.store %o to %y : f32 to !f32_q_n_k
    }
  }
  norm.return
}

// Rows of 16 bits, or several as one, go by two, half as many vectors of each; a last one goes with itself.
// CHECK-LABEL: func.func private @pairs_phase0_body
// CHECK-SAME:    %[[X:[a-z0-9]+]]: !llvm.ptr
// CHECK:         %[[STEP:.*]] = arith.muli %[[TOGETHER:.*]], %c2_i64
// CHECK:         scf.for %[[ROW:.*]] = {{.*}} step %[[STEP]]
// CHECK:           %[[FURTHER:.*]] = arith.addi %[[ROW]], %[[TOGETHER]]
// CHECK:           %[[LAST:.*]] = arith.subi %{{.*}}, %[[TOGETHER]]
// CHECK:           %[[NEXT:.*]] = arith.minsi %[[FURTHER]], %[[LAST]]
// CHECK:           %[[BY:.*]] = arith.subi %[[NEXT]], %[[ROW]]
// CHECK:           %[[OFFSET:.*]] = arith.muli %[[BY]],
// CHECK:           %[[BEHIND:.*]] = llvm.getelementptr %[[X]][%[[OFFSET]]]
// CHECK:           scf.for {{.*}} step %c32_i64
// CHECK-COUNT-2:     llvm.load %{{.*}} -> vector<16xi16>
// CHECK:             llvm.getelementptr %[[BEHIND]]
// CHECK-COUNT-2:     llvm.load %{{.*}} -> vector<16xi16>
norm.kernel @pairs axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %a: !f32_k {norm.name = "a"}, %b: !f32_k {norm.name = "b"},
                               %y: !bf16_n_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n, k] {
      %u = norm.load %x : !bf16_n_k to f32
      %v = norm.load %a : !f32_k to f32
      %w = norm.load %b : !f32_k to f32
      %s = arith.mulf %v, %w : f32
      %o = math.fma %u, %s, %w : f32
      norm.store %o to %y : f32 to !bf16_n_k
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

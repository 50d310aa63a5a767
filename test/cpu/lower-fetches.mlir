// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s --check-prefix=CACHES

// CACHES-NOT: llvm.intr.prefetch

!f32_k = tensor<?xf32, #norm.axes<k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>

// A sum asks for its array 4 KiB ahead where its phase reaches more than the last cache holds, twice the bound; not for
// what is the same for all of its blocks.
// CHECK-LABEL: func.func private @one_phase0_body(
// CHECK-SAME:    %[[X:[^:]*]]: !llvm.ptr {llvm.noalias}
// CHECK-DAG:     %[[CACHE:.*]] = arith.constant 2097152 : i64
// CHECK-DAG:     %[[AHEAD:.*]] = arith.constant 1024 : i64
// CHECK:         %[[OFFSET:.*]] = arith.addi %{{.*}}, %[[AHEAD]]
// CHECK:         %[[THERE:.*]] = llvm.getelementptr %[[X]][%[[OFFSET]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK:         %[[FAR:.*]] = arith.cmpi sge, %{{.*}}, %[[CACHE]]
// CHECK:         scf.for
// CHECK:           scf.if %[[FAR]]
// CHECK:             %[[LINE:.*]] = llvm.getelementptr %[[THERE]]
// CHECK-NEXT:        "llvm.intr.prefetch"(%[[LINE]]) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
// CHECK-COUNT-3:     llvm.intr.prefetch
// CHECK-NOT:         llvm.intr.prefetch
norm.kernel @one axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                             %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      %b = norm.load %g : !f32_k to f32
      %c = arith.mulf %a, %b : f32
      norm.yield %c : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Twice as far where its elements have 16 bits.
// CHECK-LABEL: func.func private @half_phase0_body
// CHECK-DAG:     %[[AHEAD:.*]] = arith.constant 4096 : i64
// CHECK:         arith.addi %{{.*}}, %[[AHEAD]]
// CHECK:         llvm.intr.prefetch
norm.kernel @half axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !bf16_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Of two such arrays 4 KiB each.
// CHECK-LABEL: func.func private @halves_phase0_body
// CHECK-DAG:     %[[AHEAD:.*]] = arith.constant 2048 : i64
// CHECK:         %[[OFFSET:.*]] = arith.addi %{{.*}}, %[[AHEAD]]
// CHECK-DAG:     %[[X:.*]] = llvm.getelementptr %arg0[%[[OFFSET]]]
// CHECK-DAG:     %[[Z:.*]] = llvm.getelementptr %arg1[%[[OFFSET]]]
// CHECK:         llvm.getelementptr %[[X]]
// CHECK-NEXT:    llvm.intr.prefetch
// CHECK:         llvm.getelementptr %[[Z]]
// CHECK-NEXT:    llvm.intr.prefetch
norm.kernel @halves axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %z: !bf16_n_k {norm.name = "z"},
                                %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !bf16_n_k to f32
      %b = norm.load %z : !bf16_n_k to f32
      %c = arith.mulf %a, %b : f32
      norm.yield %c : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Two of f32 come fast enough by themselves.
// CHECK-LABEL: func.func private @two_phase0_body
// CHECK-NOT:     llvm.intr.prefetch
norm.kernel @two axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %z: !f32_n_k {norm.name = "z"},
                             %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      %b = norm.load %z : !f32_n_k to f32
      %c = arith.mulf %a, %b : f32
      norm.yield %c : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// What is read at a place of its own is no array that the sum goes along.
// CHECK-LABEL: func.func private @placed_phase0_body
// CHECK-NOT:     llvm.intr.prefetch
norm.kernel @placed axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    %s = norm.pass [k] (sum) {
      %first = arith.constant 0 : i64
      %a = norm.load %x at [n = %first] : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.pass [k] {
      norm.store %s to %y : f32 to !f32_k
    }
  }
  norm.return
}

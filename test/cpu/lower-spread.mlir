// RUN: norm-opt %s --norm-lower-plan="spreads" --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s --check-prefix=PLAIN

!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_k = tensor<?xf32, #norm.axes<k>>
!bf16_n_k_s = tensor<?x?x?xbf16, #norm.axes<n, k, s>>

// A table of the runs that points are in; of an array that is shorter than a vector a copy is read. Several vectors are
// taken from one window of elements, which ends before the array does, where runs are long enough.
// CHECK-LABEL: func.func private @scaled_phase0_body
// CHECK-DAG:     %[[TABLE:.*]] = llvm.alloca %{{.*}} x i8
// CHECK-DAG:     %[[COPY:.*]] = llvm.alloca %{{.*}} x f32
// CHECK-DAG:     %[[PADDED:.*]] = arith.select %{{.*}}, %{{.*}}, %[[COPY]] : !llvm.ptr
// CHECK:         scf.for
// CHECK:           llvm.store %{{.*}}, %{{.*}} : vector<16xi8>, !llvm.ptr
// CHECK:         scf.if %{{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// CHECK:           %[[LAST:.*]] = arith.maxsi
// CHECK:           arith.mului_extended
// CHECK:           %[[FROM:.*]] = arith.minsi %{{.*}}, %[[LAST]]
// CHECK:           llvm.getelementptr %[[PADDED]][%[[FROM]]]
// CHECK:           %[[ELEMENTS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-NOT:       llvm.load %{{.*}} -> vector<16xf32>
// CHECK:           llvm.getelementptr %[[TABLE]]
// CHECK:           %[[BYTES:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xi8>
// CHECK:           %[[RUNS:.*]] = arith.extui %[[BYTES]]
// CHECK:           llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[ELEMENTS]], %[[RUNS]])
// CHECK-COUNT-3:   llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%[[ELEMENTS]],
// CHECK:         } else {

// Elsewhere each lane reads for itself.
// PLAIN-LABEL: func.func private @scaled_phase0_body
// PLAIN-NOT:     permvar
// PLAIN:         llvm.intr.masked.gather
norm.kernel @scaled axes(n, k, s, k_s = k * s)
    (%x: !f32_n_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"}, %y: !f32_n_k_s {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["s"], most = 63 : i64}]} {
  norm.phase [n] {
    norm.pass [k_s] {
      %v = norm.load %x : !f32_n_k_s to f32
      %f = norm.load %g : !f32_k to f32
      %p = arith.mulf %v, %f : f32
      norm.store %p to %y : f32 to !f32_n_k_s
    }
  }
  norm.return
}

// What lies alike has its places in the window once, under one condition.
// CHECK-LABEL: func.func private @alike_phase0_body
// CHECK:         scf.if %{{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// CHECK:           arith.mului_extended
// CHECK:           %[[FROM:.*]] = arith.minsi
// CHECK:           llvm.getelementptr %{{.*}}[%[[FROM]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK:           %[[G:.*]] = llvm.load %{{.*}} -> vector<16xf32>
// CHECK-NOT:       arith.mului_extended
// CHECK:           permvar.sf.512"(%[[G]],
// CHECK-NOT:       arith.mului_extended
// CHECK:           llvm.getelementptr %{{.*}}[%[[FROM]]] : (!llvm.ptr, i64) -> !llvm.ptr, f32
// CHECK:           %[[H:.*]] = llvm.load %{{.*}} -> vector<16xf32>
// CHECK-NOT:       arith.mului_extended
// CHECK:           permvar.sf.512"(%[[H]],
// CHECK:         } else {
norm.kernel @alike axes(n, k, s, k_s = k * s)
    (%x: !f32_n_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"}, %h: !f32_k {norm.name = "h"},
     %y: !f32_n_k_s {norm.name = "y", norm.out}) attributes {norm.guards = [{axes = ["s"], most = 63 : i64}]} {
  norm.phase [n] {
    norm.pass [k_s] {
      %v = norm.load %x : !f32_n_k_s to f32
      %f = norm.load %g : !f32_k to f32
      %a = norm.load %h : !f32_k to f32
      %p = math.fma %v, %f, %a : f32
      norm.store %p to %y : f32 to !f32_n_k_s
    }
  }
  norm.return
}

// The even and the odd points of bf16: two bytes of the table at a time, of which the lower half bits count.
// CHECK-LABEL: func.func private @halves_phase0_body
// CHECK:         %[[PAIRS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<16xi16>
// CHECK:         %[[BOTH:.*]] = arith.extui %[[PAIRS]]
// CHECK:         permvar.sf.512"(%[[ELEMENTS:.*]], %[[BOTH]])
// CHECK:         %[[ODD:.*]] = arith.shrui %[[BOTH]]
// CHECK:         permvar.sf.512"(%[[ELEMENTS]], %[[ODD]])
norm.kernel @halves axes(n, k, s, k_s = k * s)
    (%x: !bf16_n_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"}, %y: !bf16_n_k_s {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["s"], most = 63 : i64}]} {
  norm.phase [n] {
    norm.pass [k_s] {
      %v = norm.load %x : !bf16_n_k_s to f32
      %f = norm.load %g : !f32_k to f32
      %p = arith.mulf %v, %f : f32
      norm.store %p to %y : f32 to !bf16_n_k_s
    }
  }
  norm.return
}

// What is replaced as it is read is not copied before.
// CHECK-LABEL: func.func private @replaced_phase0_body
// CHECK-NOT:     permvar
// CHECK:         llvm.intr.masked.gather
norm.kernel @replaced axes(n, k, s, k_s = k * s)
    (%x: !f32_n_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g", norm.state}, %y: !f32_n_k_s {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["s"], most = 63 : i64}]} {
  norm.phase [n] {
    norm.pass [k_s] {
      %v = norm.load %x : !f32_n_k_s to f32
      %f = norm.load %g : !f32_k to f32
      %p = arith.mulf %v, %f : f32
      norm.store %p to %y : f32 to !f32_n_k_s
    }
  }
  norm.return
}

// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 accumulators=2 masked=false" --canonicalize --cse | FileCheck %s --check-prefix=V3

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// Blocks are counted from the extents; a variant that does not apply has none. What surrounds bodies is not optimised.
// CHECK-LABEL: func.func @total_blocks0(%arg0: !llvm.ptr) -> i64
// CHECK-SAME:    passthrough = ["noinline", "optnone"]
// CHECK:         %[[HOLDS:.*]] = arith.cmpi sle, %{{.*}}, %c100_i64
// CHECK:         arith.select %[[HOLDS]], %{{.*}}, %c0_i64

// Each pointer is an argument of the body, so that it can be noalias. Four accumulators of 16 lanes, then the rest under a
// mask.
// CHECK-LABEL: func.func private @total_phase0_body(%arg0: !llvm.ptr {llvm.noalias}, %arg1: !llvm.ptr {llvm.noalias}
// CHECK-NOT:     optnone
// CHECK:         scf.for
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4:     llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK:           scf.for {{.*}} -> (vector<16xf32>)
// CHECK:             arith.subi
// CHECK:             llvm.intr.masked.load
// CHECK:             arith.select
// CHECK-LABEL: func.func @total_phase0(
// CHECK-SAME:    passthrough = ["noinline", "optnone"]

// Without masks a tail runs point by point.
// V3-LABEL: func.func private @total_phase0_body
// V3:         scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// V3:         scf.for {{.*}} -> (f32)
// V3-NOT:     masked
// V3:         func.func @total_workspace_bytes

// CHECK-LABEL: func.func @total_workspace_bytes
norm.kernel @total axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out})
    attributes {norm.family = "total", norm.guards = [{axes = ["k"], most = 100 : i64}]} {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// A phase is handed what it uses alone: the entry leaves %z and the first workspace out, and steps over the latter.
// CHECK-LABEL: func.func private @later_phase1_body(%arg0: !llvm.ptr {llvm.noalias}, %arg1: !llvm.ptr {llvm.noalias}, %arg2: i64, %arg3: i64, %arg4: i64, %arg5: i64)
// CHECK-LABEL: func.func @later_phase1(
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %[[SPACE:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK:         %[[SECOND:.*]] = llvm.getelementptr %[[SPACE]][%{{.*}}] : (!llvm.ptr, i64) -> !llvm.ptr, i8
// CHECK:         call @later_phase1_body(%{{.*}}, %[[SECOND]],
norm.kernel @later axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %z: !f32_n {norm.name = "z"},
                               %y: !f32_n {norm.name = "y", norm.out}, %w: !f32_n {norm.name = "w", norm.out}) {
  %first = norm.workspace : !f32_n_k
  %second = norm.workspace : !f32_n
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %first : f32 to !f32_n_k
      norm.yield %a : f32
    }
    %b = norm.load %z : !f32_n to f32
    %c = norm.pass [k] (sum) {
      %d = norm.load %first : !f32_n_k to f32
      norm.yield %d : f32
    }
    norm.store %c to %y : f32 to !f32_n
    %t = arith.addf %s, %b : f32
    norm.store %t to %second : f32 to !f32_n
  }
  norm.phase [n] {
    %a = norm.load %second : !f32_n to f32
    norm.store %a to %w : f32 to !f32_n
  }
  norm.return
}

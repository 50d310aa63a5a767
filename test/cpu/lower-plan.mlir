// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 accumulators=2 masked=false" --canonicalize --cse | FileCheck %s --check-prefix=V3
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=STREAM
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576 line-bytes=256" --canonicalize --cse | FileCheck %s --check-prefix=LINE

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// Blocks are counted from the extents; a variant that does not apply has none.
// CHECK-LABEL: func.func @total_blocks0(%arg0: !llvm.ptr) -> i64
// CHECK:         %[[HOLDS:.*]] = arith.cmpi sle, %{{.*}}, %c100_i64
// CHECK:         arith.select %[[HOLDS]], %{{.*}}, %c0_i64

// Each pointer is an argument of the body, so that it can be noalias. Four accumulators of 16 lanes, then the rest under a
// mask.
// CHECK-LABEL: func.func private @total_phase0_body(%arg0: !llvm.ptr {llvm.noalias}, %arg1: !llvm.ptr {llvm.noalias}
// CHECK:         scf.for
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4:     llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK:           scf.for {{.*}} -> (vector<16xf32>)
// CHECK:             arith.subi
// CHECK:             llvm.intr.masked.load
// CHECK:             arith.select
// CHECK-LABEL: func.func @total_phase0(

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

// A large and aligned output bypasses the caches, and a fence orders it. What is left of a line is stored before, where
// there are as many points at least.
// LINE-LABEL:   func.func private @twice_phase0_body
// LINE:           %[[LEFT:.*]] = arith.andi %{{.*}}, %c255_i64
// LINE:           %[[POINTS:.*]] = arith.shrui %[[LEFT]], %c2_i64
// LINE:           %[[MANY:.*]] = arith.cmpi sge, %{{.*}}, %c256_i64
// LINE:           arith.select %[[MANY]], %[[POINTS]], %c0_i64
// STREAM-LABEL: func.func private @twice_phase0_body
// STREAM:         scf.if
// STREAM:           llvm.store %{{.*}} {alignment = 64 : i64, nontemporal}
// STREAM:         } else {
// STREAM-NOT:       nontemporal
// STREAM:         llvm.call_intrinsic "llvm.x86.sse.sfence"
norm.kernel @twice axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.addf %a, %a : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Two stages: the first sweep of a block stands beside the last sweep of the block before, where what both reach fits the
// first cache or stores bypass the caches; else a turn is one stage. What the last sweep takes from the first was made a
// turn before. Where stores bypass the caches, what is read next is fetched.
// CHECK-LABEL: func.func private @center_phase0_body
// CHECK:         %[[AHEAD:.*]] = arith.cmpi sle, %{{.*}}, %c32768_i64
// CHECK:         arith.select %[[AHEAD]], %{{.*}}, %{{.*}} : i64
// CHECK:         scf.for {{.*}} iter_args(%{{.*}}, %[[MADE:.*]] = %{{.*}}) -> (i64, i64, f32)
// CHECK:           %[[SUM:.*]] = scf.if %{{.*}} -> (f32)
// CHECK:           scf.if
// CHECK:             vector.broadcast %[[MADE]]
// CHECK:             llvm.store
// CHECK:           scf.yield %{{.*}}, %{{.*}}, %[[SUM]] : i64, i64, f32
// STREAM-LABEL: func.func private @center_phase0_body
// STREAM-COUNT-4:   llvm.intr.prefetch
// STREAM-COUNT-4:   nontemporal
// STREAM-NOT:       llvm.intr.prefetch
norm.kernel @center axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.subf %a, %s : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// What computes a function fetches ahead beside ordinary stores too.
// STREAM-LABEL: func.func private @scaled_phase0_body
// STREAM-COUNT-4:   llvm.intr.prefetch
// STREAM-COUNT-4:   nontemporal
// STREAM-COUNT-4:   llvm.intr.prefetch
// STREAM-NOT:       nontemporal
// STREAM-LABEL: func.func @scaled_workspace_bytes
norm.kernel @scaled axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.subf %a, %s : f32
      %c = math.exp %b : f32
      norm.store %c to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Two vectors of bf16 are one load: the even points by a shift, the odd ones by a mask. They are stored as one again.
!bf16_n_k = tensor<?x?xbf16, #norm.axes<n, k>>
// CHECK-LABEL: func.func private @halves_phase0_body
// CHECK:         %[[BOTH:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK:         %[[PAIR:.*]] = vector.bitcast %[[BOTH]] : vector<32xi16> to vector<16xi32>
// CHECK:         arith.shli %[[PAIR]]
// CHECK:         arith.andi %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK:         vector.interleave %{{.*}} -> vector<32xi16>
// CHECK:         llvm.store %{{.*}} : vector<32xi16>, !llvm.ptr
norm.kernel @halves axes(n, k) (%x: !bf16_n_k {norm.name = "x"}, %y: !bf16_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !bf16_n_k to f32
      %b = arith.addf %a, %a : f32
      norm.store %b to %y : f32 to !bf16_n_k
    }
  }
  norm.return
}

// A sample is the first sixteenth of the points along its axis, in whole sixteens.
// CHECK-LABEL: func.func private @sample_phase0_body
// CHECK:         %[[UP:.*]] = arith.addi %[[K:.*]], %c15_i64
// CHECK:         %[[PART:.*]] = arith.shrui %[[UP]], %c4_i64
// CHECK:         %[[MORE:.*]] = arith.addi %[[PART]], %c15_i64
// CHECK:         %[[SIXTEENS:.*]] = arith.andi %[[MORE]], %c-16_i64
// CHECK:         %[[COUNT:.*]] = arith.minsi %[[K]], %[[SIXTEENS]]
// CHECK:         arith.sitofp %[[COUNT]]
norm.kernel @sample axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] sample k (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %points = norm.sampled [k] sample k : i64
    %count = arith.sitofp %points : i64 to f32
    %mean = arith.divf %s, %count : f32
    norm.store %mean to %y : f32 to !f32_n
  }
  norm.return
}

// What is stored in another order than it is loaded is turned over: 16 loads along the rows, four times 16 shuffles, 16
// stores along the lanes. Rows that fill no tile are gathered.
!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_n_s_k = tensor<?x?x?xf32, #norm.axes<n, s, k>>
// CHECK-LABEL: func.func private @turn_over_phase0_body
// CHECK-COUNT-16:  llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-NOT:       vector.shuffle
// CHECK-COUNT-16:  llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
// CHECK:           llvm.intr.masked.gather
norm.kernel @turn_over axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n_s_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [s, k] {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.store %a to %y : f32 to !f32_n_s_k
    }
  }
  norm.return
}

// Arithmetic between sweeps stands before the sweeps of a turn, whose sums it takes from the turn before; a root is then
// not waited for.
// CHECK-LABEL: func.func private @rooted_phase0_body
// CHECK:         scf.for {{.*}} iter_args(%{{.*}}, %[[MADE:.*]] = %{{.*}}) -> (i64, i64, f32)
// CHECK-NEXT:      %[[ROOT:.*]] = math.sqrt %[[MADE]]
// CHECK:           %[[SUM:.*]] = scf.if %{{.*}} -> (f32)
// CHECK:           scf.if
// CHECK:             vector.broadcast %[[ROOT]]
// CHECK:             llvm.store
// CHECK:           scf.yield %{{.*}}, %{{.*}}, %[[SUM]] : i64, i64, f32
norm.kernel @rooted axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %r = math.sqrt %s : f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.subf %a, %r : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// A quotient of integers stays in its stage: before the first turn of that its divisor is 0.
// CHECK-LABEL: func.func private @divided_phase0_body
// CHECK:         scf.for {{.*}} iter_args(%{{.*}}, %[[MADE:.*]] = %{{.*}}) -> (i64, i64, i64)
// CHECK-NOT:       divsi %{{.*}}, %[[MADE]]
// CHECK:           scf.if %{{.*}} -> (i64)
// CHECK:           scf.if %{{[0-9]+}} {
// CHECK-NEXT:        arith.divsi %{{.*}}, %[[MADE]]
norm.kernel @divided axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      %i = arith.fptosi %a : f32 to i64
      norm.yield %i : i64
    }
    %c = arith.constant 1000 : i64
    %q = arith.divsi %c, %s : i64
    %r = arith.sitofp %q : i64 to f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %r : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

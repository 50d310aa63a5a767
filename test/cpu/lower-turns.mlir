// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=STREAM

!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

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

// A power of 2 that is 1 for most divisors is multiplied by only where it is not, in the little code of what is rare.
// CHECK-LABEL: func.func private @quotients_phase0_body
// CHECK:         %[[POWER:.*]] = arith.select %{{.*}}, %{{.*}}, %{{.*}} : f32
// CHECK:         %[[IS_ONE:.*]] = arith.cmpf oeq, %{{.*}}, %{{.*}} : f32
// CHECK:         scf.if %[[IS_ONE]] {
// CHECK-COUNT-4:   arith.mulf {{.*}} : vector<16xf32>
// CHECK-NOT:       arith.mulf {{.*}} : vector<16xf32>
// CHECK:           llvm.store {{.*}} : vector<16xf32>
// CHECK:         } else {
// CHECK-NOT:     } else {
// CHECK:           %[[SCALED:.*]] = arith.mulf {{.*}} : vector<16xf32>
// CHECK:           arith.mulf %[[SCALED]], {{.*}} : vector<16xf32>
norm.kernel @quotients axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %divisors: !f32_n {norm.name = "d"},
                                   %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %divisor = norm.load %divisors : !f32_n to f32
    %one = arith.constant 1.0 : f32
    %up = arith.constant 0x5f800000 : f32
    %down = arith.constant 0x1f800000 : f32
    %isSmall = arith.cmpf olt, %divisor, %down : f32
    %isLarge = arith.cmpf ogt, %divisor, %up : f32
    %large = arith.select %isLarge, %down, %one : f32
    %power = arith.select %isSmall, %up, %large : f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %power : f32
      %c = arith.mulf %b, %divisor : f32
      norm.store %c to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Blocks side by side: the sweep goes along each slice, four slices in one loop and then one masked vector of each; a
// quarter of a vector of blocks is folded into one vector at once, the quarters later. Those that are no whole quarter
// go one by one. What follows takes 32 blocks.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 accumulators=2 masked=false" --canonicalize --cse | FileCheck %s --check-prefix=V3
// RUN: norm-opt %s --norm-lower-plan="accumulators=2" --canonicalize --cse | FileCheck %s --check-prefix=PAIRS

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>
!f32_c_k = tensor<?x?xf32, #norm.axes<c, k>>

// CHECK-LABEL: func.func private @scale_phase0_body
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c32_i64
// CHECK:           scf.for %{{.*}} step %c4_i64
// CHECK:             scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:             scf.if {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4:       llvm.intr.masked.load
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
// CHECK:             llvm.store %{{.*}} : vector<16xf32>
// CHECK:           scf.for %{{.*}} step %c4_i64
// CHECK:             scf.for %{{.*}} step %c1_i64
// CHECK:               scf.for {{.*}} -> (vector<16xf32>)
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29]
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30]
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]
// CHECK:           arith.mulf %{{.*}} : vector<32xf32>
// CHECK:           llvm.store %{{.*}} : vector<32xf32>
// CHECK:           scf.for %{{.*}} step %c4_i64
// CHECK-COUNT-4:     llvm.load %{{.*}} -> f32
// CHECK:           scf.for %{{.*}} step %c4_i64
// CHECK:             scf.for %{{.*}} step %c1_i64

// Without masks the rest of each slice goes point by point, all blocks at once.
// V3-LABEL: func.func private @scale_phase0_body
// V3:         scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// V3:         scf.for {{.*}} -> (vector<16xf32>)
// V3:           llvm.intr.masked.gather

// PAIRS-LABEL: func.func private @scale_phase0_body
// PAIRS:         scf.for %{{.*}} step %c2_i64
// PAIRS:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>) : i64
norm.kernel @scale axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] vectorized {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    %t = arith.mulf %s, %s : f32
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %t : f32
      norm.store %b to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Rows of a chunk, with sums of their columns: a vector of each column takes in one row after the other, whole vectors
// at the tail as well, and is added to memory every 64 rows.
// CHECK-LABEL: func.func private @columns_phase0_body
// CHECK:         scf.for %{{.*}} step %c64_i64
// CHECK:           scf.for %{{.*}} step %c32_i64
// CHECK:             scf.for %{{.*}} step %c4_i64
// CHECK:               scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:                 %[[COLUMN:.*]] = llvm.load %[[AT:.*]] {alignment = 64 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK:                 %[[FIRST:.*]] = arith.addf %[[COLUMN]], %{{.*}} : vector<16xf32>
// CHECK-NEXT:            %[[SECOND:.*]] = arith.addf %[[FIRST]], %{{.*}} : vector<16xf32>
// CHECK-NEXT:            %[[THIRD:.*]] = arith.addf %[[SECOND]], %{{.*}} : vector<16xf32>
// CHECK-NEXT:            %[[LAST:.*]] = arith.addf %[[THIRD]], %{{.*}} : vector<16xf32>
// CHECK:                 llvm.store %[[LAST]], %[[AT]] {alignment = 64 : i64} : vector<16xf32>
// CHECK:               scf.if {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4:         llvm.intr.masked.load
// CHECK-NOT:             llvm.intr.masked
// CHECK:               } else {
// CHECK:           scf.for %{{.*}} step %c16_i64
// CHECK:             llvm.intr.masked.load
// CHECK:             arith.addf
// CHECK:             llvm.intr.masked.store

// V3-LABEL: func.func private @columns_phase0_body
// V3-NOT:     vector<16xf32>
// V3-LABEL: func.func @columns_phase0
norm.kernel @columns axes(n, k, c = n by 16) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}, %z: !f32_k {norm.name = "z", norm.out})
    attributes {norm.guards = [{axes = ["k"], most = 256 : i64}]} {
  %w = norm.workspace : !f32_c_k
  norm.phase [c] vectorized {
    %zero = arith.constant 0.0 : f32
    norm.pass [k] {
      norm.store %zero to %w : f32 to !f32_c_k
    }
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %a = norm.load %x : !f32_n_k to f32
        norm.store sum %a to %w : f32 to !f32_c_k
        norm.yield %a : f32
      }
      norm.pass [k] {
        %a = norm.load %x : !f32_n_k to f32
        %b = arith.mulf %a, %s : f32
        norm.store %b to %y : f32 to !f32_n_k
      }
    }
  }
  norm.phase [] {
    norm.pass [k] {
      %s = norm.pass [c] (sum) {
        %a = norm.load %w : !f32_c_k to f32
        norm.yield %a : f32
      }
      norm.store %s to %z : f32 to !f32_k
    }
  }
  norm.return
}

// Short rows inside of a block, each with a scale, go side by side.
!f32_n_m_k = tensor<?x?x?xf32, #norm.axes<n, m, k>>
!f32_n_m = tensor<?x?xf32, #norm.axes<n, m>>
// CHECK-LABEL: func.func private @quantise_short_phase0_body
// CHECK:         scf.for %{{.*}} = %c0_i64 to %{{.*}} step %c32_i64
// CHECK:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:           llvm.intr.masked.store %{{.*}} : vector<32xf32>, vector<32xi1> into !llvm.ptr
norm.kernel @quantise_short axes(n, m, k = 32) (%x: !f32_n_m_k {norm.name = "x"},
                                                %y: !f32_n_m {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [m] {
      %most = norm.pass [k] (max) {
        %a = norm.load %x : !f32_n_m_k to f32
        %b = math.absf %a : f32
        norm.yield %b : f32
      }
      norm.store %most to %y : f32 to !f32_n_m
    }
  }
  norm.return
}

// Longer ones go one after another.
// CHECK-LABEL: func.func private @quantise_long_phase0_body
// CHECK-NOT:     vector<32xf32>
norm.kernel @quantise_long axes(n, m, k = 128) (%x: !f32_n_m_k {norm.name = "x"},
                                                %y: !f32_n_m {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [m] {
      %most = norm.pass [k] (max) {
        %a = norm.load %x : !f32_n_m_k to f32
        %b = math.absf %a : f32
        norm.yield %b : f32
      }
      norm.store %most to %y : f32 to !f32_n_m
    }
  }
  norm.return
}

// Rows of any length go side by side where what is computed for each is only spread over an array of the block: 32
// quotients at a time.
!sp_n_g = tensor<?x?xf32, #norm.axes<n, g>>
!sp_n_g_k = tensor<?x?x?xf32, #norm.axes<n, g, k>>
// CHECK-LABEL: func.func private @spread_groups_phase0_body
// CHECK:         scf.for %{{.*}} step %c32_i64
// CHECK:           arith.divf %{{.*}} : vector<32xf32>
// CHECK:           scf.for
norm.kernel @spread_groups axes(n, g, k) (%x: !sp_n_g_k {norm.name = "x"}, %v: !sp_n_g {norm.name = "v"}, %y: !sp_n_g_k {norm.name = "y", norm.out}) {
  %w = norm.workspace : !sp_n_g_k
  norm.phase [n] {
    %c = arith.constant 3.0 : f32
    norm.pass [g] {
      %a = norm.load %v : !sp_n_g to f32
      %q = arith.divf %a, %c : f32
      norm.pass [k] {
        norm.store %q to %w : f32 to !sp_n_g_k
      }
    }
    norm.pass [g, k] {
      %a = norm.load %x : !sp_n_g_k to f32
      %q = norm.load %w : !sp_n_g_k to f32
      %d = arith.mulf %a, %q : f32
      norm.store %d to %y : f32 to !sp_n_g_k
    }
  }
  norm.return
}

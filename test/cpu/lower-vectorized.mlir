// Blocks side by side: the sweep goes along each slice, four slices in one loop and then one masked vector of each; a
// quarter of a vector of blocks is folded into one vector at once, the quarters later. What follows takes 32 blocks.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 accumulators=2 masked=false" --canonicalize --cse | FileCheck %s --check-prefix=V3
// RUN: norm-opt %s --norm-lower-plan="accumulators=2" --canonicalize --cse | FileCheck %s --check-prefix=WIDE

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>

// CHECK-LABEL: func.func private @scale_phase0_body
// CHECK:         scf.for %{{.*}} = %{{.*}} to %{{.*}} step %c32_i64
// CHECK:           scf.for %{{.*}} = %c0_i64 to %c4_i64 step %c1_i64
// CHECK:             scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK:             scf.if {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4:       llvm.intr.masked.load
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// CHECK:             vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
// CHECK:             llvm.store %{{.*}} : vector<16xf32>
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29]
// CHECK:           vector.shuffle %{{.*}}, %{{.*}} [0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30]
// CHECK:           arith.mulf %{{.*}} : vector<32xf32>
// CHECK:           llvm.store %{{.*}} : vector<32xf32>
// CHECK:           scf.for %{{.*}} step %c4_i64
// CHECK-COUNT-4:     llvm.load %{{.*}} -> f32

// Without masks the rest of each slice goes point by point, all blocks at once.
// V3-LABEL: func.func private @scale_phase0_body
// V3:         scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// V3:         scf.for {{.*}} -> (vector<16xf32>)
// V3:           llvm.intr.masked.gather

// The slices of one loop are such that each loop takes them in the same distances.
// WIDE-LABEL: func.func private @scale_phase0_body
// WIDE:         scf.for %{{.*}} = %c0_i64 to %c4_i64 step %c1_i64
// WIDE:           scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
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

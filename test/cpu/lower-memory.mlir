// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=STREAM
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576 line-bytes=256" --canonicalize --cse | FileCheck %s --check-prefix=LINE
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 masked=false stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=HALF

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>

// A large and aligned output bypasses the caches, and a fence orders it. What is left of a line is stored before, where
// there are as many points at least.
// LINE-LABEL:   func.func private @twice_phase0_body
// LINE:           %[[LEFT:.*]] = arith.andi %{{.*}}, %c255_i64
// LINE:           %[[POINTS:.*]] = arith.shrui %[[LEFT]], %c2_i64
// LINE:           %[[MANY:.*]] = arith.cmpi sge, %{{.*}}, %c256_i64
// LINE:           arith.select %[[MANY]], %[[POINTS]], %c0_i64
// HALF-LABEL: func.func private @twice_phase0_body
// HALF:         scf.if
// HALF:           %[[BEGIN:.*]] = arith.select %{{.*}}, %{{.*}}, %c0_i64
// HALF:           scf.for %{{.*}} = %c0_i64 to %[[BEGIN]] step %c1_i64
// HALF:             llvm.store %{{.*}} : f32, !llvm.ptr
// HALF:           scf.yield %[[BEGIN]], %{{.*}} : i64, i1
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

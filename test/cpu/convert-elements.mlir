// Rows that are quantised: the largest magnitude is that of integers, numbers are rounded by one instruction, and four
// vectors of bytes bypass the caches as one.
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1024" --canonicalize --cse | FileCheck %s --enable-var-scope

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!i8_n_k = tensor<?x?xi8, #norm.axes<n, k>>

// CHECK-LABEL: func.func private @quantise_phase0_body
// CHECK-COUNT-4: arith.maxsi %{{.*}} : vector<16xi32>
// CHECK:         %[[LOW:.*]] = arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK:         llvm.call_intrinsic "llvm.lrint"(%{{.*}}) : (vector<16xf32>) -> vector<16xi32>
// CHECK:         vector.shuffle %{{.*}} : vector<16xi8>, vector<16xi8>
// CHECK:         %[[ALL:.*]] = vector.shuffle %{{.*}} : vector<32xi8>, vector<32xi8>
// CHECK:         llvm.store %[[ALL]], %{{.*}} {alignment = 64 : i64, nontemporal} : vector<64xi8>
norm.kernel @quantise axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %q: !i8_n_k {norm.name = "q", norm.out}) {
  norm.phase [n] {
    %most = norm.pass [k] (max) {
      %a = norm.load %x : !f32_n_k to f32
      %b = math.absf %a : f32
      norm.yield %b : f32
    }
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = arith.mulf %a, %most : f32
      norm.store %b to %q : f32 to !i8_n_k
    }
  }
  norm.return
}

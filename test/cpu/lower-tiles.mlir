// What is loaded the other way round goes by square tiles; what each row computes for itself is computed once for a
// strip of rows, and taken from an array at each tile. Rows that are stored end to end are few.
// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=STREAM
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 masked=false stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=HALF

!f32_s_c = tensor<?x?xf32, #norm.axes<s, c>>
!f32_c_s = tensor<?x?xf32, #norm.axes<c, s>>
!f32_c = tensor<?xf32, #norm.axes<c>>

// CHECK-LABEL: func.func private @scale_phase0_body
// CHECK:         %[[SCALES:.*]] = llvm.alloca %c64_i64 x f32
// CHECK:         arith.divui %c16384_i64, %{{.*}}
// CHECK:         "llvm.intr.ctlz"
// CHECK:         %[[FEW:.*]] = arith.shrui
// CHECK:         %[[STRIP:.*]] = arith.select %{{.*}}, %[[FEW]], %{{.*}}
// CHECK:         scf.for %{{.*}} step %[[STRIP]]
// CHECK:           scf.for %{{.*}} step %c1_i64
// CHECK:             math.sqrt
// CHECK:             llvm.getelementptr %[[SCALES]]
// CHECK-NEXT:        llvm.store
// CHECK:           scf.for %{{.*}} step %c16_i64
// CHECK:             scf.for %{{.*}} step %c16_i64
// CHECK-COUNT-16:      llvm.load %{{.*}} -> vector<16xf32>
// CHECK-COUNT-64:      vector.shuffle
// CHECK:               llvm.getelementptr %[[SCALES]]
// CHECK-NEXT:          llvm.load %{{.*}} -> f32
// CHECK-NOT:           math.sqrt
// CHECK:               llvm.store %{{.*}} : vector<16xf32>
// Past the caches a tile brings what it reads of the next strip; beyond all of them, ordinary stores are prepared too.
// STREAM-LABEL: func.func private @scale_phase0_body
// STREAM:         %[[ALIGNED:.*]] = arith.cmpi eq, %{{.*}}, %c0_i64
// STREAM:         %[[FROM:.*]] = arith.select %{{.*}}, %c262144_i64, %c2097152_i64
// STREAM:         %[[LARGE:.*]] = arith.cmpi sge, %{{.*}}, %[[FROM]]
// STREAM:         %[[BYPASS:.*]] = arith.andi %[[LARGE]], %[[ALIGNED]]
// STREAM:         %[[VAST:.*]] = arith.cmpi sge, %{{.*}}, %c1310720_i64
// STREAM:         %[[BYTES:.*]] = arith.select %[[BYPASS]], %c8192_i64, %c16384_i64
// STREAM:         arith.divui %[[BYTES]], %{{.*}}
// STREAM:         %[[FAR:.*]] = arith.andi %[[VAST]], %{{.*}}
// STREAM:         scf.if %[[BYPASS]]
// STREAM-COUNT-16:  "llvm.intr.prefetch"{{.*}}hint = 3 : i32, rw = 0
// STREAM-COUNT-16:  llvm.store %{{.*}} nontemporal} : vector<16xf32>
// STREAM:         else
// STREAM:           scf.if %[[FAR]]
// STREAM:             "llvm.intr.prefetch"{{.*}}rw = 0
// STREAM:             "llvm.intr.prefetch"{{.*}}rw = 1
// STREAM-NOT:       nontemporal
// STREAM:       func.func
norm.kernel @scale axes(s, c) (%x: !f32_s_c {norm.name = "x"}, %v: !f32_c {norm.name = "v"}, %y: !f32_c_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [c] {
      %a = norm.load %v : !f32_c to f32
      %r = math.sqrt %a : f32
      norm.pass [s] {
        %b = norm.load %x : !f32_s_c to f32
        %d = arith.mulf %b, %r : f32
        norm.store %d to %y : f32 to !f32_c_s
      }
    }
  }
  norm.return
}

// Elsewhere a strip has 64 rows; where the rows of an output crowd, it is a tile.
// CHECK-LABEL: func.func private @apart_phase0_body
// CHECK:         arith.andi %{{.*}}, %c1023_i64
// CHECK:         %[[MANY:.*]] = arith.select %{{.*}}, %c16_i64, %c64_i64
// CHECK:         %[[FEW:.*]] = arith.shrui
// CHECK:         %[[STRIP:.*]] = arith.select %{{.*}}, %[[FEW]], %[[MANY]]
// CHECK:         scf.for %{{.*}} step %[[STRIP]]
norm.kernel @apart axes(s, c, s_tile = s by 64) (%x: !f32_s_c {norm.name = "x"}, %y: !f32_c_s {norm.name = "y", norm.out}) {
  norm.phase [s_tile] {
    norm.pass [c, s] {
      %b = norm.load %x : !f32_s_c to f32
      norm.store %b to %y : f32 to !f32_c_s
    }
  }
  norm.return
}

// What is stored in another order than it is loaded is turned over: 16 loads along the rows, four times 16 shuffles, 16
// stores along the lanes. Rows that fill no tile are loaded under a mask, and wait for their turn in an array.
!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_n_s_k = tensor<?x?x?xf32, #norm.axes<n, s, k>>
// CHECK-LABEL: func.func private @turn_over_phase0_body
// CHECK-COUNT-16:  llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-NOT:       vector.shuffle
// CHECK-COUNT-16:  llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
// CHECK-COUNT-16:  llvm.intr.masked.load
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-COUNT-16:  llvm.store %{{.*}} {alignment = 64 : i64} : vector<16xf32>, !llvm.ptr
// CHECK:           scf.for
// CHECK-NOT:       scf.for
// CHECK:             llvm.load %{{.*}} {alignment = 64 : i64} : !llvm.ptr -> vector<16xf32>
// CHECK:             llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
// Of vectors that are half of a line two tiles go beside each other, and a row of both is stored at once.
// HALF-LABEL:  func.func private @turn_over_phase0_body
// HALF:          scf.for %[[LANE:.*]] = %c0_i64 to %{{.*}} step %c16_i64
// HALF:            scf.for %{{.*}} step %c8_i64
// HALF-COUNT-24:     vector.shuffle %{{.*}} : vector<8xf32>, vector<8xf32>
// HALF-COUNT-24:     vector.shuffle %{{.*}} : vector<8xf32>, vector<8xf32>
// HALF:              %[[AT:.*]] = llvm.getelementptr
// HALF-NEXT:         llvm.store %{{.*}}, %[[AT]] {alignment = 32 : i64, nontemporal} : vector<8xf32>
// HALF:              llvm.store %{{.*}} {alignment = 32 : i64, nontemporal} : vector<8xf32>
// HALF:          } else {
norm.kernel @turn_over axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n_s_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [s, k] {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.store %a to %y : f32 to !f32_n_s_k
    }
  }
  norm.return
}

// The rows of a split axis too, as a whole: where they stand in memory takes no division, where their group does.
!f32_n_s_g_k = tensor<?x?x?x?xf32, #norm.axes<n, s, g, k>>
!f32_n_g_k_s = tensor<?x?x?x?xf32, #norm.axes<n, g, k, s>>
!f32_n_g = tensor<?x?xf32, #norm.axes<n, g>>
// CHECK-LABEL: func.func private @split_rows_phase0_body
// CHECK-COUNT-1:   arith.divui
// CHECK-COUNT-16:  llvm.load %{{.*}} : !llvm.ptr -> vector<16xf32>
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xf32>, vector<16xf32>
// CHECK-NOT:       arith.{{div|rem}}ui
// CHECK:           llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
norm.kernel @split_rows axes(n, s, g, k, c = g * k) (%x: !f32_n_s_g_k {norm.name = "x"}, %v: !f32_n_g {norm.name = "v"}, %y: !f32_n_g_k_s {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [c] {
      %a = norm.load %v : !f32_n_g to f32
      norm.pass [s] {
        %b = norm.load %x : !f32_n_s_g_k to f32
        %d = arith.mulf %b, %a : f32
        norm.store %d to %y : f32 to !f32_n_g_k_s
      }
    }
  }
  norm.return
}

// Elements of 16 bits are turned over two rows at a time, and stored as whole lines: 32 rows by 32 lanes.
!bf16_n_k_s = tensor<?x?x?xbf16, #norm.axes<n, k, s>>
!bf16_n_s_k = tensor<?x?x?xbf16, #norm.axes<n, s, k>>
// CHECK-LABEL: func.func private @pairs_phase0_body
// CHECK:           %[[MANY:.*]] = arith.select %{{.*}}, %c32_i64, %c64_i64
// CHECK:           %[[FEW:.*]] = arith.shrui
// CHECK:           %[[STRIP:.*]] = arith.select %{{.*}}, %[[FEW]], %[[MANY]]
// CHECK:           scf.for %{{.*}} step %[[STRIP]]
// CHECK-COUNT-16:  llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xi32>, vector<16xi32>
// CHECK-COUNT-16:  llvm.store %{{.*}} {alignment = 64 : i64} : vector<16xi32>, !llvm.ptr
// CHECK-COUNT-16:  llvm.load %{{.*}} : !llvm.ptr -> vector<32xi16>
// CHECK-COUNT-64:  vector.shuffle %{{.*}} : vector<16xi32>, vector<16xi32>
// CHECK-COUNT-16:  llvm.store %{{.*}} {alignment = 64 : i64} : vector<16xi32>, !llvm.ptr
// CHECK:           scf.for %{{.*}} = %c0_i64 to %c32_i64 step %c2_i64
// CHECK-COUNT-2:     llvm.load %{{.*}} {alignment = 64 : i64} : !llvm.ptr -> vector<16xi32>
// CHECK-COUNT-2:     llvm.store %{{.*}} : vector<32xi16>, !llvm.ptr
norm.kernel @pairs axes(n, k, s) (%x: !bf16_n_k_s {norm.name = "x"}, %y: !bf16_n_s_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [s, k] {
      %a = norm.load %x : !bf16_n_k_s to f32
      norm.store %a to %y : f32 to !bf16_n_s_k
    }
  }
  norm.return
}

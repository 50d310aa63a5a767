// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576 l1-bytes=32768" --canonicalize --cse | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// Of one thread, which is given all blocks, stores bypass the caches from five quarters of the bound on, of several from
// twice the bound; what counts is all that the sweep reaches.
// CHECK-LABEL: func.func private @once_phase0_body(
// CHECK-SAME:    %[[N:[^:]*]]: i64, %[[K:[^:]*]]: i64, %[[FIRST:[^:]*]]: i64, %[[LAST:[^:]*]]: i64)
// CHECK-DAG:     %[[TWICE:.*]] = arith.constant 2097152 : i64
// CHECK-DAG:     %[[MORE:.*]] = arith.constant 1310720 : i64
// CHECK:         %[[BLOCKS:.*]] = arith.subi %[[LAST]], %[[FIRST]]
// CHECK:         %[[ALONE:.*]] = arith.cmpi sge, %[[BLOCKS]], %[[N]]
// CHECK:         %[[BOUND:.*]] = arith.select %[[ALONE]], %[[MORE]], %[[TWICE]]
// CHECK:         %[[BYTES:.*]] = arith.addi
// CHECK:         arith.cmpi sge, %[[BYTES]], %[[BOUND]]
norm.kernel @once axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// From three quarters on where two arrays are read for one that is stored.
// CHECK-LABEL: func.func private @two_phase0_body
// CHECK-DAG:     %[[TWICE:.*]] = arith.constant 2097152 : i64
// CHECK-DAG:     %[[LESS:.*]] = arith.constant 786432 : i64
// CHECK:         arith.select %{{.*}}, %[[LESS]], %[[TWICE]]
norm.kernel @two axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %z: !f32_n_k {norm.name = "z"},
                             %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = norm.load %z : !f32_n_k to f32
      %c = arith.addf %a, %b : f32
      norm.store %c to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// From a quarter on where rows longer than the first cache share something, which ordinary stores would push out.
// CHECK-LABEL: func.func private @crowded_phase0_body
// CHECK-DAG:     %[[TWICE:.*]] = arith.constant 2097152 : i64
// CHECK-DAG:     %[[FEW:.*]] = arith.constant 262144 : i64
// CHECK-DAG:     %[[CACHE:.*]] = arith.constant 32768 : i64
// CHECK:         arith.select %{{.*}}, %[[FEW]], %[[TWICE]]
// CHECK:         arith.cmpi sge, %{{.*}}, %[[CACHE]]
norm.kernel @crowded axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                 %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      %b = norm.load %g : !f32_k to f32
      %c = arith.mulf %a, %b : f32
      norm.store %c to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// What an input shares its memory with never does.
// CHECK-LABEL: func.func private @shared_phase0_body
// CHECK-NOT:     nontemporal
// CHECK:         return
norm.kernel @shared axes(n, k) (%x: !f32_n_k {norm.name = "x", norm.shared},
                                %y: !f32_n_k {norm.name = "y", norm.out, norm.shared}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

// Nor do a variant's whose largest arguments take a quarter of the bound at most, 32768 points of 8 bytes here, nor those
// of a kernel that is known to be as small.
// CHECK-LABEL: func.func private @little_phase0_body
// CHECK-NOT:     nontemporal
// CHECK-LABEL: func.func private @some_phase0_body
// CHECK:         nontemporal
// CHECK-LABEL: func.func private @known_phase0_body
// CHECK-NOT:     nontemporal
// CHECK:         return
norm.kernel @little axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["n", "k"], most = 32768 : i64}]} {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}
norm.kernel @some axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["n", "k"], most = 32769 : i64}]} {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}
norm.kernel @known axes(n = 128, k = 256) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}

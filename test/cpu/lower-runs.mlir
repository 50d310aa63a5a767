// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="vector-bytes=32 masked=false stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=HALF

!f32_k_s = tensor<?x?xf32, #norm.axes<k, s>>
!f32_k = tensor<?xf32, #norm.axes<k>>
!bf16_k_s = tensor<?x?xbf16, #norm.axes<k, s>>
!f32_s = tensor<?xf32, #norm.axes<s>>

// Rows of whose ends some vectors stand across two: each lane takes its own row's value, and one row's is loaded ahead.
// Those that do not bypass the caches go so as well, where nothing is reduced. Rows of whole vectors, of few or of very
// many points go one by one.
// CHECK-LABEL: func.func private @scaled_phase0_body
// CHECK-DAG:     %[[FEW:.*]] = arith.cmpi sge, %{{.*}}, %c32_i64
// CHECK-DAG:     %[[MANY:.*]] = arith.cmpi sle, %{{.*}}, %c4096_i64
// CHECK-DAG:     arith.andi %{{.*}}, %c15_i64
// CHECK:         scf.if
// CHECK:           llvm.intr.masked.store
// CHECK:           scf.for %{{.*}} iter_args(%[[PLACE:.*]] = %{{.*}}, %[[HERE:.*]] = %{{.*}}) -> (i64, f32)
// CHECK:             %[[NEXT:.*]] = llvm.load %{{.*}} -> f32
// CHECK:             scf.for
// CHECK-COUNT-4:       nontemporal
// CHECK:             scf.for
// CHECK-DAG:           %[[BEFORE:.*]] = vector.broadcast %[[HERE]] : f32 to vector<16xf32>
// CHECK-DAG:           %[[AFTER:.*]] = vector.broadcast %[[NEXT]] : f32 to vector<16xf32>
// CHECK:               %[[EACH:.*]] = arith.select %{{.*}}, %[[BEFORE]], %[[AFTER]]
// CHECK:               arith.mulf %{{.*}}, %[[EACH]]
// CHECK-NOT:           llvm.intr.masked
// CHECK:               nontemporal
// CHECK:             scf.yield %{{.*}}, %[[NEXT]] : i64, f32
// CHECK:           llvm.intr.masked.store
// CHECK:         } else {
// CHECK:           %[[SHORT:.*]] = arith.cmpi sle, %{{.*}}, %c1024_i64
// CHECK:           %[[GOES:.*]] = arith.andi %{{.*}}, %[[SHORT]]
// CHECK:           scf.if %[[GOES]]
// CHECK-NOT:         nontemporal
// CHECK:             scf.for %{{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (i64, f32)
// CHECK-NOT:         nontemporal
// CHECK:           } else {
// Without masks what stands before the first line, and after the last vector, goes point by point.
// HALF-LABEL:  func.func private @scaled_phase0_body
// HALF:          scf.for %{{.*}} = %c0_i64 to %[[BEGIN:.*]] step %c1_i64
// HALF:            llvm.store %{{.*}} : f32, !llvm.ptr
// HALF:          %[[ENDS:.*]]:2 = scf.for %{{.*}} iter_args(%{{.*}} = %[[BEGIN]], %{{.*}} = %{{.*}}) -> (i64, f32)
// HALF:              arith.select %{{.*}} : vector<8xi1>, vector<8xf32>
// HALF:              llvm.store %{{.*}} nontemporal} : vector<8xf32>
// HALF:          scf.for %{{.*}} = %[[ENDS]]#0 to %{{.*}} step %c1_i64
// HALF:            llvm.store %{{.*}} : f32, !llvm.ptr
norm.kernel @scaled axes(k, s) (%x: !f32_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                %y: !f32_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [k] {
      %f = norm.load %g : !f32_k to f32
      norm.pass [s] {
        %v = norm.load %x : !f32_k_s to f32
        %p = arith.mulf %v, %f : f32
        norm.store %p to %y : f32 to !f32_k_s
      }
    }
  }
  norm.return
}

// Elements of 16 bits go by even and odd points: 32 at a time are one register.
// CHECK-LABEL: func.func private @halves_phase0_body
// CHECK-DAG:     arith.constant dense<[0, 2, 4, 6,
// CHECK-DAG:     arith.constant dense<[1, 3, 5, 7,
// CHECK-DAG:     arith.cmpi sge, %{{.*}}, %c64_i64
norm.kernel @halves axes(k, s) (%x: !bf16_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                %y: !bf16_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [k] {
      %f = norm.load %g : !f32_k to f32
      norm.pass [s] {
        %v = norm.load %x : !bf16_k_s to f32
        %p = arith.mulf %v, %f : f32
        norm.store %p to %y : f32 to !bf16_k_s
      }
    }
  }
  norm.return
}

// Beside sums only past the caches.
// CHECK-LABEL: func.func private @reduced_phase0_body
// CHECK:         arith.cmpi sle, %{{.*}}, %c4096_i64
// CHECK-NOT:     %c1024_i64
// CHECK:         return
norm.kernel @reduced axes(k, s) (%x: !f32_k_s {norm.name = "x"}, %y: !f32_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    %sum = norm.pass [k, s] (sum) {
      %v = norm.load %x : !f32_k_s to f32
      norm.yield %v : f32
    }
    norm.pass [k] {
      norm.pass [s] {
        %v = norm.load %x : !f32_k_s to f32
        %p = arith.mulf %v, %sum : f32
        norm.store %p to %y : f32 to !f32_k_s
      }
    }
  }
  norm.return
}

// Not where something is the same for all rows, or where a row reads what others store.
// CHECK-LABEL: func.func private @shared_phase0_body
// CHECK-NOT:     arith.cmpi sle, %{{.*}}, %c4096_i64
norm.kernel @shared axes(k, s) (%x: !f32_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                %h: !f32_s {norm.name = "h"}, %y: !f32_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [k] {
      %f = norm.load %g : !f32_k to f32
      norm.pass [s] {
        %v = norm.load %x : !f32_k_s to f32
        %w = norm.load %h : !f32_s to f32
        %p = arith.mulf %v, %f : f32
        %q = arith.mulf %p, %w : f32
        norm.store %q to %y : f32 to !f32_k_s
      }
    }
  }
  norm.return
}
// CHECK-LABEL: func.func private @reread_phase0_body
// CHECK-NOT:     arith.cmpi sle, %{{.*}}, %c4096_i64
// CHECK:         return
norm.kernel @reread axes(k, s) (%x: !f32_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                %y: !f32_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [k] {
      %zero = arith.constant 0 : i64
      %f = norm.load %y at [s = %zero] : !f32_k_s to f32
      norm.pass [s] {
        %v = norm.load %x : !f32_k_s to f32
        %p = arith.mulf %v, %f : f32
        norm.store %p to %y : f32 to !f32_k_s
      }
    }
  }
  norm.return
}

// RUN: norm-opt %s --norm-lower-plan --canonicalize --cse | FileCheck %s
// RUN: norm-opt %s --norm-lower-plan="stream-bytes=1048576" --canonicalize --cse | FileCheck %s --check-prefix=STREAM

!f32_n_c_s = tensor<?x?x?xf32, #norm.axes<n, c, s>>
!f32_c_n_s = tensor<?x?x?xf32, #norm.axes<c, n, s>>
!f32_r_c = tensor<?x?xf32, #norm.axes<r, c>>
!f32_c = tensor<?xf32, #norm.axes<c>>

// Blocks that lie side by side in each row of a chunk go row by row, in the order of memory: what each does before its
// rows first, for all blocks, then a row of all blocks, then the next row. Arithmetic outside of the rows is repeated.
// CHECK-LABEL: func.func private @across_phase0_body
// CHECK:         scf.for
// CHECK:           scf.for
// CHECK-NOT:       scf.for
// CHECK:             llvm.store %cst
// CHECK:           scf.for %[[ROW:.*]] =
// CHECK-NEXT:        scf.for %[[BLOCK:.*]] =
// CHECK:               arith.divui %[[BLOCK]]
// CHECK:               llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK:               scf.for
// CHECK:               scf.for
// CHECK:                 llvm.store
// Where stores bypass the caches, what the next block reads is fetched.
// STREAM-LABEL: func.func private @across_phase0_body
// STREAM-COUNT-4:   llvm.intr.prefetch
// STREAM-COUNT-4:   nontemporal
// STREAM-LABEL: func.func @across_workspace_bytes
norm.kernel @across axes(n, c, s, r = n by 16) (%x: !f32_n_c_s {norm.name = "x"}, %w: !f32_c {norm.name = "w"},
    %y: !f32_n_c_s {norm.name = "y", norm.out}) {
  %sums = norm.workspace : !f32_r_c
  norm.phase [r, c] {
    %zero = arith.constant 0.0 : f32
    norm.store %zero to %sums : f32 to !f32_r_c
    %g = norm.load %w : !f32_c to f32
    norm.pass [n] {
      %s = norm.pass [s] (sum) {
        %a = norm.load %x : !f32_n_c_s to f32
        norm.yield %a : f32
      }
      norm.store sum %s to %sums : f32 to !f32_r_c
      norm.pass [s] {
        %a = norm.load %x : !f32_n_c_s to f32
        %b = arith.subf %a, %s : f32
        %d = arith.mulf %b, %g : f32
        norm.store %d to %y : f32 to !f32_n_c_s
      }
    }
  }
  norm.return
}

// Rows that follow each other in memory stay together.
// CHECK-LABEL: func.func private @along_phase0_body
// CHECK:         scf.for
// CHECK:           llvm.store %cst
// CHECK:           scf.for
norm.kernel @along axes(n, c, s, r = n by 16) (%x: !f32_c_n_s {norm.name = "x"},
    %y: !f32_c_n_s {norm.name = "y", norm.out}) {
  %sums = norm.workspace : !f32_r_c
  norm.phase [r, c] {
    %zero = arith.constant 0.0 : f32
    norm.store %zero to %sums : f32 to !f32_r_c
    norm.pass [n] {
      %s = norm.pass [s] (sum) {
        %a = norm.load %x : !f32_c_n_s to f32
        norm.yield %a : f32
      }
      norm.store sum %s to %sums : f32 to !f32_r_c
      norm.pass [s] {
        %a = norm.load %x : !f32_c_n_s to f32
        %b = arith.subf %a, %s : f32
        norm.store %b to %y : f32 to !f32_c_n_s
      }
    }
  }
  norm.return
}

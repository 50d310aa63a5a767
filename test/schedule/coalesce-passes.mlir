// RUN: norm-opt %s --pass-pipeline='builtin.module(norm.kernel(norm-coalesce-passes))' --verify-roundtrip | FileCheck %s

!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// CHECK-LABEL: norm.kernel @copy axes(n, k, s, k_s = k * s, n_k_s = n * k_s)
// CHECK:         norm.pass [n_k_s] {
// CHECK-NOT:     norm.pass
norm.kernel @copy axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n_k_s {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [n] {
      norm.pass [k, s] {
        %a = norm.load %x : !f32_n_k_s to f32
        norm.store %a to %y : f32 to !f32_n_k_s
      }
    }
  }
  norm.return
}

// What differs from channel to channel keeps the channels apart, but only in its own pass.
// CHECK-LABEL: norm.kernel @scale
// CHECK:         norm.pass [k_s] (sum) {
// CHECK:         norm.pass [k] {
// CHECK-NEXT:      norm.load %{{.*}} : !f32_k to f32
// CHECK-NEXT:      norm.pass [s] {
norm.kernel @scale axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %g: !f32_k {norm.name = "g"},
                                  %y: !f32_n_k_s {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %sum = norm.pass [k, s] (sum) {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.yield %a : f32
    }
    norm.pass [k] {
      %b = norm.load %g : !f32_k to f32
      norm.pass [s] {
        %a = norm.load %x : !f32_n_k_s to f32
        %p = arith.mulf %a, %b : f32
        %q = arith.mulf %p, %sum : f32
        norm.store %q to %y : f32 to !f32_n_k_s
      }
    }
  }
  norm.return
}

// A chunk of the inner axis at hand: the rows of a chunk are not one behind the other.
// CHECK-LABEL: norm.kernel @chunk axes(n, k, s, p = s by 64)
// CHECK:         norm.pass [n, k, s] {
norm.kernel @chunk axes(n, k, s, p = s by 64) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n_k_s {norm.name = "y", norm.out}) {
  norm.phase [p] {
    norm.pass [n, k, s] {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.store %a to %y : f32 to !f32_n_k_s
    }
  }
  norm.return
}

// Neither are they where the chunk is of a part of the inner axis.
// CHECK-LABEL: norm.kernel @chunk_of_a_part
// CHECK:         norm.pass [n, c] {
norm.kernel @chunk_of_a_part axes(n, k, s, c = k * s, p = k by 64) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n_k_s {norm.name = "y", norm.out}) {
  norm.phase [p] {
    norm.pass [n, c] {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.store %a to %y : f32 to !f32_n_k_s
    }
  }
  norm.return
}

// The axis of a sample stays apart, since what is taken of it is counted along it.
// CHECK-LABEL: norm.kernel @sample
// CHECK:         norm.pass [n, k_s] sample n (sum) {
// CHECK:         norm.pass [n, k, s] sample s (sum) {
norm.kernel @sample axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}) {
  norm.phase [] {
    %a = norm.pass [n, k, s] sample n (sum) {
      %v = norm.load %x : !f32_n_k_s to f32
      norm.yield %v : f32
    }
    %b = norm.pass [n, k, s] sample s (sum) {
      %v = norm.load %x : !f32_n_k_s to f32
      norm.yield %v : f32
    }
  }
  norm.return
}

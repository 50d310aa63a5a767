// RUN: norm-opt %s --norm-vectorize-blocks --verify-roundtrip | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!f32_n_k_s = tensor<?x?x?xf32, #norm.axes<n, k, s>>
!f32_n_c = tensor<?x?xf32, #norm.axes<n, c>>
!f32_c_k = tensor<?x?xf32, #norm.axes<c, k>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_k = tensor<?xf32, #norm.axes<k>>

// A second variant for short slices; another upper bound gives way to the lower one.
// CHECK-LABEL: norm.kernel @total axes(n, k)
// CHECK-SAME:    norm.family = "total", norm.guards = [{axes = ["k"], most = 4096 : i64}, {axes = ["k"], over = 256 : i64}]
// CHECK:         norm.phase [n] {
// CHECK-LABEL: norm.kernel @total_vectorized axes(n, k)
// CHECK-SAME:    norm.family = "total", norm.guards = [{axes = ["k"], most = 256 : i64}]
// CHECK:         norm.phase [n] vectorized {
norm.kernel @total axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["k"], most = 4096 : i64}]} {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Where the length is known, so is the variant.
// CHECK-LABEL: norm.kernel @short
// CHECK-NOT:     norm.guards
// CHECK:         norm.phase [n] vectorized {
norm.kernel @short axes(n, k = 256) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}
// CHECK-LABEL: norm.kernel @long
// CHECK:         norm.phase [n] {
norm.kernel @long axes(n, k = 257) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Nor where the kernel runs for longer slices alone.
// CHECK-LABEL: norm.kernel @over
// CHECK-SAME:    norm.guards = [{axes = ["k"], over = 4096 : i64}]
// CHECK-NOT:   norm.kernel @over_vectorized
norm.kernel @over axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["k"], over = 4096 : i64}]} {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}

// Rows of a chunk, whose columns are summed up.
// CHECK-LABEL: norm.kernel @rows
// CHECK:         norm.phase [c] vectorized {
norm.kernel @rows axes(n, k = 100, c = n by 16) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}, %z: !f32_k {norm.name = "z", norm.out}) {
  %w = norm.workspace : !f32_c_k
  norm.phase [c] {
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
      norm.store %s to %y : f32 to !f32_n
    }
  }
  norm.phase [] {
    norm.pass [c, k] {
      %a = norm.load %w : !f32_c_k to f32
      norm.store %a to %z : f32 to !f32_k
    }
  }
  norm.return
}

// Not where nothing is reduced, where the blocks are chunks of slices, where slices have two axes, where blocks are summed up, or
// where there are no blocks.
// CHECK-NOT: vectorized
norm.kernel @map axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
    }
  }
  norm.return
}
norm.kernel @chunks axes(n, k, c = k by 64) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  %w = norm.workspace : !f32_n_c
  norm.phase [n, c] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.store %s to %w : f32 to !f32_n_c
  }
  norm.phase [n] {
    %s = norm.pass [c] (sum) {
      %a = norm.load %w : !f32_n_c to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}
norm.kernel @two_axes axes(n, k, s) (%x: !f32_n_k_s {norm.name = "x"}, %y: !f32_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k, s] (sum) {
      %a = norm.load %x : !f32_n_k_s to f32
      norm.yield %a : f32
    }
    norm.store %s to %y : f32 to !f32_n
  }
  norm.return
}
norm.kernel @columns axes(n, k, c = n by 16) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_k {norm.name = "y", norm.out}) {
  norm.phase [] {
    %m = norm.pass [n] (sum) {
      %r = norm.pass [k] (sum) {
        %a = norm.load %x : !f32_n_k to f32
        norm.yield %a : f32
      }
      norm.yield %r : f32
    }
    norm.pass [k] {
      norm.store %m to %y : f32 to !f32_k
    }
  }
  norm.return
}

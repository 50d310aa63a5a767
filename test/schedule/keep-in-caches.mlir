// RUN: norm-opt %s --norm-keep-in-caches=bytes=4096 --verify-roundtrip | FileCheck %s

!f32_n_k = tensor<?x?xf32, #norm.axes<n, k>>
!bf16_k_n = tensor<?x?xbf16, #norm.axes<k, n>>
!f32_n_m = tensor<?x?xf32, #norm.axes<n, m>>
!f32_n = tensor<?xf32, #norm.axes<n>>
!f32_p = tensor<?xf32, #norm.axes<p>>
!f32 = tensor<f32>

// 4096 bytes are 682 points of 6 bytes, in whichever order they lie; what is smaller does not count.
// CHECK-LABEL: norm.kernel @copy axes(n, k)
// CHECK-SAME:    norm.family = "copy", norm.guards = [{axes = ["n", "k"], over = 682 : i64}]
// CHECK-LABEL: norm.kernel @copy_small axes(n, k)
// CHECK-SAME:    norm.family = "copy", norm.guards = [{axes = ["n", "k"], most = 682 : i64}]
// CHECK:         norm.phase [n] {
norm.kernel @copy axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %scale: !f32_n {norm.name = "scale"},
                              %y: !bf16_k_n {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !bf16_k_n
      norm.yield
    }
  }
  norm.return
}

// Of a variant, a variant: what it is told apart by stays.
// CHECK-LABEL: norm.kernel @long axes(n, k)
// CHECK-SAME:    norm.guards = [{axes = ["k"], over = 256 : i64}, {axes = ["n", "k"], over = 512 : i64}]
// CHECK-LABEL: norm.kernel @long_small
// CHECK-SAME:    norm.guards = [{axes = ["k"], over = 256 : i64}, {axes = ["n", "k"], most = 512 : i64}]
norm.kernel @long axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out})
    attributes {norm.guards = [{axes = ["k"], over = 256 : i64}]} {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
      norm.yield
    }
  }
  norm.return
}

// The points of a product are those of its parts.
// CHECK-LABEL: norm.kernel @flat axes(n, k, p = n * k)
// CHECK-SAME:    {axes = ["n", "k"], over = 512 : i64}
// CHECK-LABEL: norm.kernel @flat_small
norm.kernel @flat axes(n, k, p = n * k) (%x: !f32_p {norm.name = "x"}, %y: !f32_p {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.pass [p] {
      %a = norm.load %x : !f32_p to f32
      norm.store %a to %y : f32 to !f32_p
      norm.yield
    }
  }
  norm.return
}

// Where all extents are known, so are the bytes; where the largest range over other axes each, nobody knows them.
// CHECK-LABEL: norm.kernel @fixed
// CHECK-NOT:     norm.guards
// CHECK-NOT:   norm.kernel @fixed_small
norm.kernel @fixed axes(n = 3, k = 4) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_k {norm.name = "y", norm.out}) {
  norm.phase [n] {
    norm.pass [k] {
      %a = norm.load %x : !f32_n_k to f32
      norm.store %a to %y : f32 to !f32_n_k
      norm.yield
    }
  }
  norm.return
}
// CHECK-LABEL: norm.kernel @other_axes
// CHECK-NOT:     norm.guards
// CHECK-NOT:   norm.kernel @other_axes_small
norm.kernel @other_axes axes(n, k, m) (%x: !f32_n_k {norm.name = "x"}, %y: !f32_n_m {norm.name = "y", norm.out}) {
  norm.phase [n] {
    %s = norm.pass [k] (sum) {
      %a = norm.load %x : !f32_n_k to f32
      norm.yield %a : f32
    }
    norm.pass [m] {
      norm.store %s to %y : f32 to !f32_n_m
      norm.yield
    }
  }
  norm.return
}
// CHECK-LABEL: norm.kernel @scalar
// CHECK-NOT:     norm.guards
norm.kernel @scalar axes() (%s: f32 {norm.name = "s"}, %y: !f32 {norm.name = "y", norm.out}) {
  norm.phase [] {
    norm.store %s to %y : f32 to !f32
  }
  norm.return
}

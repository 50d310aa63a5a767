// RUN: not norm-opt %s --norm-differentiate 2>&1 | FileCheck %s

!f32_n = tensor<?xf32, #norm.axes<n>>

// A message is about the name behind `given`, at its place in the text.
// CHECK: k.norm:7:50: error: `y` is given, but what it is computed from cannot be recovered from it
// CHECK: k.norm:3:7: note: this cannot be undone
norm.kernel @f axes(n) (%x: !f32_n {norm.name = "x", norm.dims = ["n"]})
    -> (!f32_n {norm.name = "y", norm.dims = ["n"]}) {
  %y = math.absf %x : !f32_n loc("k.norm":3:7)
  norm.return %y : !f32_n
}
norm.gradient @g of @f {of = ["y"], wrt = ["x"], given = ["y"]}
    loc(fused["k.norm":7:10, "k.norm":7:30, "k.norm":7:50])

// RUN: norm-opt %s --norm-format -o /dev/null | FileCheck %s --match-full-lines

// What the front end does not write itself, but simplification and differentiation do.
!f = tensor<?xf32, #norm.axes<n>>
!i = tensor<?xi64, #norm.axes<n>>
!b = tensor<?xi1, #norm.axes<n>>
norm.kernel @ops axes(n) (%x: !f {norm.name = "x", norm.dims = ["n"]}, %y: !f {norm.name = "y", norm.dims = ["n"]},
                          %b: !b {norm.name = "b", norm.dims = ["n"]}, %z: f32 {norm.name = "over", norm.dims = []})
    -> (!f {norm.name = "sums", norm.dims = ["n"]}, !i {norm.name = "counts", norm.dims = ["n"]},
        !b {norm.name = "less", norm.dims = ["n"]}, !b {norm.name = "ordered", norm.dims = ["n"]},
        !b {norm.name = "xor", norm.dims = ["n"]}, !f {norm.name = "rstd", norm.dims = ["n"]},
        !f {norm.name = "half", norm.dims = ["n"]}) {
  %minus = arith.negf %y : !f
  %difference = arith.addf %minus, %x : !f
  %two = arith.constant -2.0 : f32
  %twos = norm.broadcast %two : f32 to !f
  %sums = arith.addf %difference, %twos : !f

  %counts = arith.extui %b : !b to !i

  %nan = arith.cmpf uno, %x, %y : !f
  %ult = arith.cmpf ult, %x, %y : !f
  %one = arith.cmpf one, %x, %y : !f
  %or = arith.ori %ult, %one : !b
  %less = arith.andi %or, %nan : !b
  %ordered = arith.cmpi slt, %b, %less : !b
  %xor = arith.xori %b, %less : !b

  // Two roots have two names, and neither is that of an output.
  %first = math.rsqrt %x : !f
  %second = math.rsqrt %y : !f
  %first2 = arith.mulf %first, %first : !f
  %second2 = arith.mulf %second, %second : !f
  %rstd = arith.subf %first2, %second2 : !f

  // A value that is an integer to the language is made a real where a real is asked for.
  %index = norm.index n : !i
  %real = arith.sitofp %index : !i to !f
  %reals = arith.sitofp %counts : !i to !f
  %product = arith.mulf %real, %reals : !f
  %negative = arith.negf %real : !f
  %half = arith.addf %product, %negative : !f
  norm.return %sums, %counts, %less, %ordered, %xor, %rstd, %half : !f, !i, !b, !b, !b, !f, !f
}
// CHECK:      kernel ops(
// CHECK:          over: f32
// CHECK:        sums = x - y - 2
// CHECK-NEXT:   counts = where(b, 1, 0)
// CHECK-NEXT:   less = (not x >= y or (x < y or x > y)) and (x != x or y != y)
// CHECK-NEXT:   ordered = less < b
// CHECK-NEXT:   xor = b != less
// CHECK-NEXT:   let rstd2 = rsqrt(x)
// CHECK-NEXT:   let rstd3 = rsqrt(y)
// CHECK-NEXT:   rstd = rstd2 * rstd2 - rstd3 * rstd3
// CHECK-NEXT:   half = cast(index(n), f32) * counts - index(n)
// CHECK-NEXT: }

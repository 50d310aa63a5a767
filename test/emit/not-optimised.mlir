// What says that it is not worth optimising is left as it is.
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit llvm | FileCheck %s

// CHECK-LABEL: define i64 @as_it_is(
// CHECK:         add i64 %{{.*}}, %{{.*}}
// CHECK-LABEL: define i64 @optimised(
// CHECK:         shl i64 %0, 1
func.func @as_it_is(%n: i64) -> i64 attributes {passthrough = ["noinline", "optnone"]} {
  %0 = arith.addi %n, %n : i64
  return %0 : i64
}
func.func @optimised(%n: i64) -> i64 {
  %0 = arith.addi %n, %n : i64
  return %0 : i64
}

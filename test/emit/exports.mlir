// Public functions are exported, private ones are not; an object needs nobody else.
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit object | llvm-nm - | FileCheck %s --implicit-check-not=U
// RUN: norm-emit %s --target cpu:aarch64 --emit object | llvm-nm - | FileCheck %s --implicit-check-not=U
// RUN: norm-emit %s --emit shared | llvm-nm -D - | FileCheck %s --check-prefix=SHARED --implicit-check-not=U

// CHECK: T blocks
// CHECK: t helper
// SHARED-NOT: helper
// SHARED: T blocks
func.func private @helper(%a: f32) -> i64 attributes {no_inline} {
  %0 = arith.fptosi %a : f32 to i64
  return %0 : i64
}
func.func @blocks(%extents: !llvm.ptr) -> i64 {
  %x = llvm.load %extents : !llvm.ptr -> f32
  %0 = func.call @helper(%x) : (f32) -> i64
  return %0 : i64
}

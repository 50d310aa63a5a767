// An operation that would become a call to a library is an error that names it.
// RUN: not norm-emit %s --target cpu:x86-64-v3 --emit object 2>&1 >/dev/null | FileCheck %s
// CHECK: error: internal error while generating code for x86-64-v3: the object calls expf, and an object may call nothing
func.func @kernel(%to: !llvm.ptr, %x: f32) {
  %0 = math.exp %x : f32
  llvm.store %0, %to : f32, !llvm.ptr
  return
}

// The vectors of each target, none of them narrowed; a streaming store stays one; nothing is fused that is not written so.
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit asm | FileCheck %s --check-prefix=V4
// RUN: norm-emit %s --target x86-64-v3 --emit asm | FileCheck %s --check-prefix=V3
// RUN: norm-emit %s --target cpu:aarch64 --emit asm | FileCheck %s --check-prefix=ARM
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit llvm | FileCheck %s --check-prefix=LLVM

// V4-LABEL: scale:
// V4: vmulps {{.*}}%zmm
// V4: vaddps {{.*}}%zmm
// V4: vmovntps %zmm
// V3-LABEL: scale:
// V3-COUNT-2: vmulps {{.*}}%ymm
// V3-COUNT-2: vmovntps %ymm
// ARM-LABEL: scale:
// ARM-NOT: fmla
// ARM: fmul v{{[0-9]+}}.4s
// ARM: fadd v{{[0-9]+}}.4s
// ARM: stnp
// LLVM: define void @scale({{.*}}) {{.*}}#[[ATTRIBUTES:[0-9]+]]
// LLVM: attributes #[[ATTRIBUTES]] = { {{.*}}nounwind{{.*}}"no-builtins" "prefer-vector-width"="512" "target-cpu"="x86-64-v4"
func.func @scale(%x: !llvm.ptr {llvm.noalias}, %y: !llvm.ptr {llvm.noalias}) {
  %a = llvm.load %x {alignment = 4 : i64} : !llvm.ptr -> vector<16xf32>
  %b = arith.mulf %a, %a : vector<16xf32>
  %c = arith.addf %b, %a : vector<16xf32>
  llvm.store %c, %y {alignment = 64 : i64, nontemporal} : vector<16xf32>, !llvm.ptr
  return
}

// What does not change in a loop leaves its addresses: tensors share one counter, and constants are part of an
// instruction's address.
//
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit asm | FileCheck %s

// CHECK-LABEL: rows:
// CHECK:      [[LOOP:.LBB[0-9_]+]]:
// CHECK-NEXT: vmovups ([[X:%r[a-z0-9]+]],[[I:%r[a-z0-9]+]],4), %zmm0
// CHECK-NEXT: vmovups 64([[X]],[[I]],4), %zmm1
// CHECK-NEXT: vaddps ({{%r[a-z0-9]+}},[[I]],4), %zmm0, %zmm0
// CHECK-NEXT: vaddps 64({{%r[a-z0-9]+}},[[I]],4), %zmm1, %zmm1
// CHECK-NEXT: vmovups %zmm0, ([[Y:%r[a-z0-9]+]],[[I]],4)
// CHECK-NEXT: vmovups %zmm1, 64([[Y]],[[I]],4)
// CHECK-NEXT: addq $32, [[I]]
// CHECK-NEXT: cmpq {{%r[a-z0-9]+}}, [[I]]
// CHECK-NEXT: jl [[LOOP]]
func.func @rows(%x: !llvm.ptr {llvm.noalias}, %beta: !llvm.ptr {llvm.noalias}, %y: !llvm.ptr {llvm.noalias},
                %row: i64, %width: i64) {
  %zero = arith.constant 0 : i64
  %sixteen = arith.constant 16 : i64
  %step = arith.constant 32 : i64
  %first = arith.muli %row, %width : i64
  scf.for %i = %zero to %width step %step : i64 {
    %j = arith.addi %i, %sixteen : i64
    %a = arith.addi %first, %i : i64
    %b = arith.addi %first, %j : i64
    %xa = llvm.getelementptr %x[%a] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %xb = llvm.getelementptr %x[%b] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %betaa = llvm.getelementptr %beta[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %betab = llvm.getelementptr %beta[%j] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %ya = llvm.getelementptr %y[%a] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %yb = llvm.getelementptr %y[%b] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %va = llvm.load %xa {alignment = 4} : !llvm.ptr -> vector<16xf32>
    %vb = llvm.load %xb {alignment = 4} : !llvm.ptr -> vector<16xf32>
    %ba = llvm.load %betaa {alignment = 4} : !llvm.ptr -> vector<16xf32>
    %bb = llvm.load %betab {alignment = 4} : !llvm.ptr -> vector<16xf32>
    %sa = arith.addf %va, %ba : vector<16xf32>
    %sb = arith.addf %vb, %bb : vector<16xf32>
    llvm.store %sa, %ya {alignment = 4} : vector<16xf32>, !llvm.ptr
    llvm.store %sb, %yb {alignment = 4} : vector<16xf32>, !llvm.ptr
  }
  return
}

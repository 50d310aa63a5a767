// With AVX-512, powers of 2 in the logistic function of a product are looked up in a register and scaled.
// RUN: norm-opt %s --norm-expand-math=lookups | FileCheck %s

// CHECK-LABEL: func.func @silu
// CHECK: %[[T:.*]] = math.fma %arg0
// CHECK: %[[N:.*]] = arith.subf %[[T]]
// CHECK-COUNT-2: math.fma
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.mask.range.ps.512"
// CHECK: math.fma
// CHECK: %[[INDEX:.*]] = arith.bitcast %[[T]]
// CHECK: math.fma
// CHECK: %[[POWER:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%{{.*}}, %[[INDEX]])
// CHECK: %[[SCALE:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%[[POWER]], %[[N]],
// CHECK: %[[SUM:.*]] = math.fma %[[SCALE]]
// CHECK-NEXT: %[[PRODUCT:.*]] = arith.divf %arg0, %[[SUM]]
// CHECK-NEXT: return %[[PRODUCT]]
func.func @silu(%x: vector<16xf32>) -> vector<16xf32> {
  %ones = arith.constant dense<1.0> : vector<16xf32>
  %0 = arith.negf %x : vector<16xf32>
  %1 = math.exp %0 : vector<16xf32>
  %2 = arith.addf %1, %ones : vector<16xf32>
  %3 = arith.divf %ones, %2 : vector<16xf32>
  %4 = arith.mulf %3, %x : vector<16xf32>
  return %4 : vector<16xf32>
}

// Fewer numbers, and one, are some of 16: the same instructions, so the same bits.
// CHECK-LABEL: func.func @gate
// CHECK: vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK: %[[POWERS:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// CHECK: vector.extract %[[POWERS]][0] : f32 from vector<16xf32>
// CHECK: arith.divf %arg1, %{{.*}} : f32
func.func @gate(%x: f32, %a: f32) -> f32 {
  %one = arith.constant 1.0 : f32
  %0 = math.exp %x : f32
  %1 = arith.addf %0, %one : f32
  %2 = arith.divf %one, %1 : f32
  %3 = arith.mulf %2, %a : f32
  return %3 : f32
}

// So are those of exp, and of the logistic function by itself: a multiple of 1 + exp(x) is rounded.
// CHECK-LABEL: func.func @derivative
// CHECK: %[[POWER:.*]] = llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"
// CHECK: %[[PRODUCT:.*]] = arith.mulf %[[POWER]], %{{.*}} : vector<16xf32>
// CHECK: %[[EXP:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"(%[[PRODUCT]],
// CHECK: %[[SCALE:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// CHECK-NEXT: %[[SUM:.*]] = math.fma %[[SCALE]], %{{.*}}, %[[MULTIPLE:.*]] : vector<16xf32>
// CHECK-NEXT: %[[LOGISTIC:.*]] = arith.divf %[[MULTIPLE]], %[[SUM]] : vector<16xf32>
// CHECK: arith.mulf %[[EXP]], %[[LOGISTIC]]
func.func @derivative(%x: vector<16xf32>) -> vector<16xf32> {
  %ones = arith.constant dense<1.0> : vector<16xf32>
  %0 = arith.negf %x : vector<16xf32>
  %1 = math.exp %0 : vector<16xf32>
  %2 = arith.addf %1, %ones : vector<16xf32>
  %3 = arith.divf %ones, %2 : vector<16xf32>
  %4 = arith.mulf %1, %3 : vector<16xf32>
  return %4 : vector<16xf32>
}

// log(1 + e) with e from 0 to 1, as softplus has it, needs no division.
// CHECK-LABEL: func.func @log1p
// CHECK: %[[E:.*]] = llvm.call_intrinsic "llvm.x86.avx512.mask.scalef.ps.512"
// CHECK: %[[C:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.ps.512"
// CHECK: %[[REST:.*]] = arith.subf %[[C]]
// CHECK: math.fma %[[E]], %[[C]], %[[REST]]
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.ps.512"
// CHECK-NOT: arith.divf
// CHECK: return
func.func @log1p(%x: vector<16xf32>) -> vector<16xf32> {
  %ones = arith.constant dense<1.0> : vector<16xf32>
  %0 = math.absf %x : vector<16xf32>
  %1 = arith.negf %0 : vector<16xf32>
  %2 = math.exp %1 : vector<16xf32>
  %3 = arith.addf %2, %ones : vector<16xf32>
  %4 = arith.cmpf oeq, %3, %ones : vector<16xf32>
  %5 = math.log %3 : vector<16xf32>
  %6 = arith.mulf %5, %2 : vector<16xf32>
  %7 = arith.subf %3, %ones : vector<16xf32>
  %8 = arith.divf %6, %7 : vector<16xf32>
  %9 = arith.select %4, %2, %8 : vector<16xi1>, vector<16xf32>
  return %9 : vector<16xf32>
}

// f64, and more lanes than a register has, are computed.
// CHECK-LABEL: func.func @computed
// CHECK-NOT: call_intrinsic
// CHECK: return
func.func @computed(%x: vector<8xf64>, %y: vector<32xf32>) -> (vector<8xf64>, vector<32xf32>) {
  %one = arith.constant dense<1.0> : vector<8xf64>
  %0 = math.exp %x : vector<8xf64>
  %1 = arith.addf %0, %one : vector<8xf64>
  %2 = arith.divf %x, %1 : vector<8xf64>
  %ones = arith.constant dense<1.0> : vector<32xf32>
  %3 = math.exp %y : vector<32xf32>
  %4 = arith.addf %3, %ones : vector<32xf32>
  %5 = arith.divf %y, %4 : vector<32xf32>
  return %2, %5 : vector<8xf64>, vector<32xf32>
}

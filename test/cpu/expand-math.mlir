// RUN: norm-opt %s --norm-expand-math | FileCheck %s

// CHECK-LABEL: func.func @rsqrt
// CHECK: %[[ROOT:.*]] = math.sqrt %{{.*}} : f64
// CHECK: %[[INVERSE:.*]] = arith.divf %{{.*}}, %[[ROOT]] : f64
// CHECK: %[[CORRECTED:.*]] = math.fma %[[INVERSE]], %{{.*}}, %[[INVERSE]] : f64
// CHECK: arith.select %{{.*}}, %[[INVERSE]], %[[CORRECTED]] : f64
func.func @rsqrt(%x: f64) -> f64 {
  %0 = math.rsqrt %x : f64
  return %0 : f64
}

// The sum 1 + exp is one function, in either order of its operands: no exp by itself is left.
// CHECK-LABEL: func.func @sigmoid
// CHECK-NOT: arith.cmpf ole
// CHECK: %[[SUM:.*]] = arith.addf %[[HALF:.*]], %[[HALF]] : vector<8xf32>
// CHECK-NOT: arith.addf
// CHECK: arith.divf %{{.*}}, %[[SUM]] : vector<8xf32>
func.func @sigmoid(%x: vector<8xf32>) -> vector<8xf32> {
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.negf %x : vector<8xf32>
  %1 = math.exp %0 : vector<8xf32>
  %2 = arith.addf %1, %one : vector<8xf32>
  %3 = arith.divf %one, %2 : vector<8xf32>
  return %3 : vector<8xf32>
}

// A product with it is a quotient, rounded once; the 1 may be spread over the lanes.
// CHECK-LABEL: func.func @silu
// CHECK-COUNT-8: math.fma
// CHECK: %[[SUM:.*]] = math.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK-NEXT: %[[PRODUCT:.*]] = arith.divf %arg0, %[[SUM]] : vector<8xf32>
// CHECK-NEXT: return %[[PRODUCT]]
func.func @silu(%x: vector<8xf32>) -> vector<8xf32> {
  %one = arith.constant 1.0 : f32
  %ones = vector.broadcast %one : f32 to vector<8xf32>
  %0 = arith.negf %x : vector<8xf32>
  %1 = math.exp %0 : vector<8xf32>
  %2 = arith.addf %1, %ones : vector<8xf32>
  %3 = arith.divf %ones, %2 : vector<8xf32>
  %4 = arith.mulf %3, %x : vector<8xf32>
  return %4 : vector<8xf32>
}

// Not where the logistic function itself is asked for as well.
// CHECK-LABEL: func.func @shared_sigmoid
// CHECK: %[[SIGMOID:.*]] = arith.divf
// CHECK: %[[PRODUCT:.*]] = arith.mulf %arg0, %[[SIGMOID]]
// CHECK: return %[[PRODUCT]], %[[SIGMOID]]
func.func @shared_sigmoid(%x: f32) -> (f32, f32) {
  %one = arith.constant 1.0 : f32
  %0 = math.exp %x : f32
  %1 = arith.addf %0, %one : f32
  %2 = arith.divf %one, %1 : f32
  %3 = arith.mulf %x, %2 : f32
  return %3, %2 : f32, f32
}

// An exp that something else reads as well shares its polynomial with the sum.
// CHECK-LABEL: func.func @shared_exp
// CHECK-COUNT-9: math.fma
// CHECK-NOT: math.fma
// CHECK: return
func.func @shared_exp(%x: f32) -> (f32, f32) {
  %one = arith.constant 1.0 : f32
  %0 = math.exp %x : f32
  %1 = arith.addf %one, %0 : f32
  return %0, %1 : f32, f32
}

// Inside regions too, and what processors have stays.
// CHECK-LABEL: func.func @in_loop
// CHECK: scf.for
// CHECK-NOT: math.tanh
// CHECK: math.copysign
// CHECK: math.floor
// CHECK: arith.maximumf
func.func @in_loop(%x: vector<4xf64>, %n: index) -> vector<4xf64> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %0 = scf.for %i = %zero to %n step %one iter_args(%y = %x) -> (vector<4xf64>) {
    %1 = math.tanh %y : vector<4xf64>
    %2 = math.floor %1 : vector<4xf64>
    %3 = arith.maximumf %2, %x : vector<4xf64>
    scf.yield %3 : vector<4xf64>
  }
  return %0 : vector<4xf64>
}

// CHECK-LABEL: func.func @all
// CHECK-NOT: math.{{log|erf|powf}}
// CHECK: return
func.func @all(%x: f32, %y: vector<2xf64>) -> (f32, vector<2xf64>) {
  %0 = math.log %x : f32
  %1 = math.erf %0 : f32
  %2 = math.powf %1, %x : f32
  %3 = math.log %y : vector<2xf64>
  %4 = math.erf %3 : vector<2xf64>
  %5 = math.powf %4, %y : vector<2xf64>
  return %2, %5 : f32, vector<2xf64>
}

// A bool becomes a number by a mask.
// CHECK-LABEL: func.func @truth
// CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK: arith.uitofp %{{.*}} : vector<8xi8> to vector<8xf32>
func.func @truth(%x: vector<8xi1>, %y: vector<8xi8>) -> (vector<8xf32>, vector<8xf32>) {
  %0 = arith.uitofp %x : vector<8xi1> to vector<8xf32>
  %1 = arith.uitofp %y : vector<8xi8> to vector<8xf32>
  return %0, %1 : vector<8xf32>, vector<8xf32>
}

// A loop that nothing uses is left to others; what it holds is expanded as ever.
// CHECK-LABEL: func.func @pure_loop
// CHECK:         scf.for
// CHECK-NOT:     math.exp
// CHECK:         return
func.func @pure_loop(%x: f32, %n: i64) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %r = scf.for %i = %zero to %n step %one iter_args(%a = %x) -> (f32) : i64 {
    %e = math.exp %a : f32
    scf.yield %e : f32
  }
  return
}

// exp(v) - 1 by way of tanh(v / 2) is computed without a division.
// CHECK-LABEL: func.func @expm1
// CHECK-NOT: arith.divf
// CHECK: return
func.func @expm1(%x: vector<8xf32>) -> vector<8xf32> {
  %one = arith.constant dense<1.0> : vector<8xf32>
  %two = arith.constant dense<2.0> : vector<8xf32>
  %0 = math.tanh %x : vector<8xf32>
  %1 = arith.mulf %0, %two : vector<8xf32>
  %2 = arith.subf %one, %0 : vector<8xf32>
  %3 = arith.divf %1, %2 : vector<8xf32>
  return %3 : vector<8xf32>
}

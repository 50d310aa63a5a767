// RUN: norm-opt %s --norm-expand-math | FileCheck %s

// In f32 by a logarithm and an exponential in f64, rounded once; then the special cases, as C has them.
// CHECK-LABEL: func.func @single
// CHECK-NOT:     math.powf
// CHECK:         %[[MAGNITUDE:.*]] = math.absf %[[X:.*]] : f32
// CHECK-DAG:     arith.extf %[[MAGNITUDE]] : f32 to f64
// CHECK-DAG:     arith.extf %[[Y:.*]] : f32 to f64
// CHECK:         arith.truncf %{{.*}} : f64 to f32
// CHECK:         math.roundeven %[[Y]]
// CHECK:         return
func.func @single(%x: f32, %y: f32) -> f32 {
  %0 = math.powf %x, %y : f32
  return %0 : f32
}

// In f64 the logarithm is an unevaluated sum of two: the product's rest comes from a fused operation.
// CHECK-LABEL: func.func @double
// CHECK-NOT:     math.powf
// CHECK-NOT:     arith.extf
// CHECK:         arith.divf
// CHECK:         %[[HIGH:.*]] = arith.mulf %arg1, %[[LOG:.*]] : vector<8xf64>
// CHECK:         %[[MINUS:.*]] = arith.negf %[[HIGH]]
// CHECK:         math.fma %arg1, %[[LOG]], %[[MINUS]]
// CHECK:         return
func.func @double(%x: vector<8xf64>, %y: vector<8xf64>) -> vector<8xf64> {
  %0 = math.powf %x, %y : vector<8xf64>
  return %0 : vector<8xf64>
}

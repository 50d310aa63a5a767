// RUN: norm-opt %s --norm-expand-math | FileCheck %s

// Scalars and vectors become the same sequence.
// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
// CHECK-COUNT-8: math.fma {{.*}} : f32
// CHECK-NOT: math.fma
// CHECK: return
func.func @exp(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @exp_vector
// CHECK-NOT: math.exp
// CHECK-COUNT-8: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: math.fma
// CHECK: return
func.func @exp_vector(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// The argument less a multiple of ln 2, in two parts; the multiple is added to the exponent. What is too large, too small
// or NaN is chosen at the end.
// CHECK-LABEL: func.func @bounds
// CHECK-DAG:     %[[INVERSE:.*]] = arith.constant 1.44269502 : f32
// CHECK:         %[[SHIFTED:.*]] = math.fma %[[X:.*]], %[[INVERSE]], %{{.*}}
// CHECK:         %[[N:.*]] = arith.subf %[[SHIFTED]], %{{.*}}
// CHECK:         %[[HIGH:.*]] = math.fma %[[N]], %{{.*}}, %[[X]]
// CHECK:         math.fma %[[N]], %{{.*}}, %[[HIGH]]
// CHECK:         arith.addi
// CHECK-DAG:     %[[LARGEST:.*]] = arith.constant 88.7228
// CHECK-DAG:     %[[SMALLEST:.*]] = arith.constant -87.336
// CHECK-DAG:     arith.cmpf ole, %[[X]], %[[LARGEST]]
// CHECK-DAG:     arith.cmpf olt, %[[X]], %[[SMALLEST]]
// CHECK:         return
func.func @bounds(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// A logarithm's argument becomes one between the roots of 1/2 and 2; a denormal one is scaled up first.
// CHECK-LABEL: func.func @log
// CHECK-DAG:     %[[LEAST:.*]] = arith.constant 1.17549435E-38 : f32
// CHECK-DAG:     %[[UP:.*]] = arith.constant 0x4B800000 : f32
// CHECK-DAG:     %[[TINY:.*]] = arith.cmpf olt, %[[X:.*]], %[[LEAST]]
// CHECK-DAG:     %[[SCALED:.*]] = arith.mulf %[[X]], %[[UP]]
// CHECK:         arith.select %[[TINY]], %[[SCALED]], %[[X]]
// CHECK-NOT:     math.log
// CHECK:         return
func.func @log(%x: f32) -> f32 {
  %0 = math.log %x : f32
  return %0 : f32
}

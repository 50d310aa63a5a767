// A loaded object runs: the sum of squares of the first values[0] of what follows, four lanes at a time and then singly.
// RUN: norm-emit %s --call squares --values 3,10,20,30 | FileCheck %s --check-prefix=THREE
// RUN: norm-emit %s --call squares --values 6,1,2,3,4,5,6 | FileCheck %s --check-prefix=SIX
// RUN: norm-emit %s --call squares --values 0 | FileCheck %s --check-prefix=NONE
// THREE: {{^}}1400
// SIX: {{^}}91
// NONE: {{^}}0
func.func @squares(%values: !llvm.ptr) -> i64 {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %four = arith.constant 4 : i64
  %none = arith.constant dense<0> : vector<4xi64>
  %n = llvm.load %values : !llvm.ptr -> i64
  %first = llvm.getelementptr %values[1] : (!llvm.ptr) -> !llvm.ptr, i64
  %rest = arith.remui %n, %four : i64
  %whole = arith.subi %n, %rest : i64
  %lanes = scf.for %i = %zero to %whole step %four iter_args(%sum = %none) -> (vector<4xi64>) : i64 {
    %at = llvm.getelementptr %first[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i64
    %v = llvm.load %at {alignment = 8 : i64} : !llvm.ptr -> vector<4xi64>
    %square = arith.muli %v, %v : vector<4xi64>
    %next = arith.addi %sum, %square : vector<4xi64>
    scf.yield %next : vector<4xi64>
  }
  %start = vector.reduction <add>, %lanes : vector<4xi64> into i64
  %result = scf.for %i = %whole to %n step %one iter_args(%sum = %start) -> (i64) : i64 {
    %at = llvm.getelementptr %first[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i64
    %v = llvm.load %at : !llvm.ptr -> i64
    %square = arith.muli %v, %v : i64
    %next = arith.addi %sum, %square : i64
    scf.yield %next : i64
  }
  return %result : i64
}

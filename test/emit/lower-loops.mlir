// A loop is entered behind a test and ends with one, so that what does not change in its body may leave it, loads too.
//
// RUN: norm-emit %s --target cpu:x86-64-v4 --emit llvm | FileCheck %s

// CHECK-LABEL: define i64 @sum(
// CHECK:         [[ENTERS:%.*]] = icmp slt i64 %1, %2
// CHECK:         br i1 [[ENTERS]], label %[[BEFORE:.*]], label
// CHECK:       [[BEFORE]]:
// CHECK:         load i64, ptr %0
// CHECK:         br label %[[BODY:[0-9]+]]
// CHECK:       [[BODY]]:
// CHECK-NOT:     load
// CHECK:         [[NEXT:%.*]] = add {{.*}}i64 [[I:%.*]], %3
// CHECK:         [[AGAIN:%.*]] = icmp slt i64 [[NEXT]], %2
// CHECK:         br i1 [[AGAIN]], label %[[BODY]], label
// CHECK:         ret i64
func.func @sum(%scale: !llvm.ptr {llvm.noalias}, %from: i64, %to: i64, %step: i64) -> i64 {
  %zero = arith.constant 0 : i64
  %sum = scf.for %i = %from to %to step %step iter_args(%before = %zero) -> (i64) : i64 {
    %factor = llvm.load %scale : !llvm.ptr -> i64
    %term = arith.muli %i, %factor : i64
    %after = arith.addi %before, %term : i64
    scf.yield %after : i64
  }
  return %sum : i64
}

// A loop inside of a choice inside of a loop; a choice without a second half.
// CHECK-LABEL: define void @nested(
// CHECK:         store i64
// CHECK:         ret void
func.func @nested(%out: !llvm.ptr {llvm.noalias}, %n: i64, %yes: i1) {
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  scf.for %i = %zero to %n step %one : i64 {
    %sum = scf.if %yes -> (i64) {
      %inner = scf.for %j = %zero to %i step %one iter_args(%before = %zero) -> (i64) : i64 {
        %after = arith.addi %before, %j : i64
        scf.yield %after : i64
      }
      scf.yield %inner : i64
    } else {
      scf.yield %zero : i64
    }
    %some = arith.cmpi sgt, %sum, %zero : i64
    scf.if %some {
      %at = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, i64
      llvm.store %sum, %at : i64, !llvm.ptr
    }
  }
  return
}

// RUN: split-file %s %t
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="omit=y,rstd,moving" 2>&1 | FileCheck %s --check-prefix=NOTHING
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="passed=x,momentum outputs=y,moving" 2>&1 | FileCheck %s --check-prefix=REQUIRED
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="passed=x,gamma,momentum" 2>&1 | FileCheck %s --check-prefix=STATE
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="sizes=c=250" 2>&1 | FileCheck %s --check-prefix=DIVIDE
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="sizes=c=256,k=9" 2>&1 | FileCheck %s --check-prefix=PRODUCT
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="sizes=g=16" 2>&1 | FileCheck %s --check-prefix=FACTOR
// RUN: not norm-opt %t/zero.mlir --norm-specialize="sizes=c=256" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="orders=x=n/c,y=n/c/c/1,gamma=c/n,beta=d" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="orders=y=1/n/s.../c inplace=y=x,rstd=gamma" 2>&1 | FileCheck %s --check-prefix=INPLACE
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="inplace=y=x outputs=rstd" 2>&1 | FileCheck %s --check-prefix=GONE
// RUN: not norm-opt %t/kernel.mlir --norm-specialize="inplace=y=x,rstd=moving" 2>&1 | FileCheck %s --check-prefix=TWICE

// NOTHING: error: kernel f has nothing to compute: every output is omitted
// REQUIRED-DAG: kernel.mlir:9:6: error: input gamma is required: pass it
// REQUIRED-DAG: kernel.mlir:10:6: error: state moving is required: pass it
// STATE: error: state moving is required: pass it

// DIVIDE: kernel.mlir:15:3: error: split c = g * k: g = 32 does not divide c = 250
// PRODUCT: kernel.mlir:15:3: error: split c = g * k: g * k is 32 * 9 = 288, but c is 256
// FACTOR: kernel.mlir:15:3: error: split c = g * k: g = 32, but axis g is 16
// ZERO: zero.mlir:5:3: error: split c = g * k: g = 0, expected at least 1 (c is 256)

// ORDER-DAG: error: --order x=n,c: the dimensions of x are n, 1, c, s...
// ORDER-DAG: error: --order y=n,c,c,1: the dimensions of y are n, 1, c, s...
// ORDER-DAG: error: --order gamma=c,n: the dimensions of gamma are c
// ORDER-DAG: error: --order beta=d: the dimensions of beta are c

// INPLACE-DAG: error: --inplace y=x: they differ in type or in order: y is bf16[1, n, s..., c], x is bf16[n, 1, c, s...]
// INPLACE-DAG: error: --inplace rstd=gamma: they differ in type or in order: rstd is f32[n, g], gamma is f32[c]
// GONE: error: --inplace y=x: y is omitted
// TWICE: error: --inplace rstd=moving: another result takes the memory of moving

//--- kernel.mlir
!x = tensor<?x?x?x?xbf16, #norm.axes<n, g, k, s>>
!f = tensor<?x?x?x?xf32, #norm.axes<n, g, k, s>>
!c = tensor<?x?xf32, #norm.axes<g, k>>
!m = tensor<?x?xf32, #norm.axes<n, g>>

norm.kernel @f
    axes(n, g, k, c = g * k, s)
    (%x: !x {norm.name = "x", norm.dims = ["n", "1", "c", "s..."]},
     %gamma: !c {norm.name = "gamma", norm.dims = ["c"]},
     %moving: !c {norm.name = "moving", norm.dims = ["c"], norm.state},
     %beta: !c {norm.name = "beta", norm.dims = ["c"], norm.default = 0}, %momentum: f32 {norm.name = "momentum"})
    -> (!x {norm.name = "y", norm.dims = ["n", "1", "c", "s..."]}, !m {norm.name = "rstd", norm.dims = ["n", "g"]},
        !c {norm.name = "moving", norm.dims = ["c"]}) {
  %g = arith.constant 32 : i64
  norm.factor g = %g of c
  %f = norm.cast %x : !x to !f
  %mu, %var = norm.moments %f over [k, s] : !f
  %gb = norm.broadcast %gamma : !c to !f
  %bb = norm.broadcast %beta : !c to !f
  %a = arith.mulf %f, %gb : !f
  %y = arith.addf %a, %bb : !f
  %o = norm.cast %y : !f to !x
  %sum = norm.reduce sum %f over [n, s] : !f
  %mb = norm.broadcast %momentum : f32 to !c
  %step = arith.mulf %sum, %mb : !c
  %new = arith.addf %moving, %step : !c
  norm.return %o, %var, %new : !x, !m, !c
}

//--- zero.mlir
!c = tensor<?x?xf32, #norm.axes<g, k>>
norm.kernel @f axes(g, k, c = g * k) (%x: !c {norm.name = "x", norm.dims = ["c"]})
    -> (!c {norm.name = "y", norm.dims = ["c"]}) {
  %g = arith.constant 0 : i64
  norm.factor g = %g of c
  norm.return %x : !c
}

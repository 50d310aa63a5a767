#ifndef NORMC_CPU_PASSES
#define NORMC_CPU_PASSES
include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"norm-expand-math"> {
  let summary = "compute exp, log, tanh, erf, pow and rsqrt inline, from arithmetic alone";
  let description = [{
    A compiled kernel calls nothing, so the functions of the math dialect that no processor has become polynomials in
    `arith`, `math.fma` and bit operations. Values are f32 or f64, scalars or vectors of any length; a scalar and a
    lane of a vector give equal bits. Assumes a target with fused multiply-add. What a processor does have (sqrt,
    floor, roundeven, absf, maximumf) stays.

    Results are within 2 ulp, those of tanh and erf within 5; denormal results of exp flush to zero. `1 + exp(x)` is
    computed as one function, rounded once, so that the logistic function 1 / (1 + exp(-x)) keeps to 2 ulp as well.

    It stands after vector code is formed, when the shapes are final, and before the conversion to the llvm dialect.

    ```mlir
    %r = math.rsqrt %x : vector<16xf32>
    ```
    becomes
    ```mlir
    %one = arith.constant dense<1.0> : vector<16xf32>
    %s = math.sqrt %x : vector<16xf32>
    %r = arith.divf %one, %s : vector<16xf32>
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect"];
}

#endif

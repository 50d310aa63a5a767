#ifndef NORMC_CPU_PASSES
#define NORMC_CPU_PASSES
include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"norm-expand-math"> {
  let summary = "compute exp, log, tanh, erf, pow and rsqrt inline, from arithmetic alone";
  let description = [{
    A compiled kernel calls nothing, so the functions of the math dialect that no processor has become polynomials in
    `arith`, `math.fma` and bit operations. Values are f32 or f64, scalars or vectors of any length; a scalar and a
    lane of a vector give equal bits. Assumes a target with fused multiply-add. What a processor does have (sqrt,
    floor, roundeven, absf, maximumf) stays. The conversion of a bool to a number becomes a select of 1 and 0.

    Results are within 2 ulp, those of tanh and erf within 5; denormal results of exp flush to zero. `1 + exp(x)` is
    computed as one function, rounded once, so that the logistic function 1 / (1 + exp(-x)) keeps to 2 ulp as well.
    `a * (1 / (1 + exp(x)))` is one function too, a quotient: it need not round the logistic function. With `lookups`
    its powers of 2 come from a register, by instructions of AVX-512.

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
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::LLVM::LLVMDialect", "mlir::math::MathDialect",
                           "mlir::vector::VectorDialect"];
  let options = [
    Option<"lookups", "lookups", "bool", "false", "AVX-512: a register of 16 f32 is a table">,
  ];
}

def LowerPlan : Pass<"norm-lower-plan", "mlir::ModuleOp"> {
  let summary = "a plan becomes functions of loops over vectors";
  let description = [{
    Assumes a plan that `norm-verify-plan` accepts. Each phase becomes
    `KERNEL_phaseN(arguments, extents, workspace, first, last)` and `KERNEL_blocksN(extents)`, each kernel
    `KERNEL_workspace_bytes(extents)`; variants of a family number their phases through, and a variant that does not
    apply has no blocks. Every op of the plan is cloned on vectors along the last axis of an innermost pass, and on
    scalars elsewhere; memory is reached by `llvm.load` and `llvm.store`.

    ```mlir
    %sum = norm.pass [k] (sum) { %a = norm.load %x : !f32_n_k to f32  norm.yield %a : f32 }
    ```
    becomes
    ```mlir
    %v:4 = scf.for %i = %lo to %hi step %c64 iter_args(...) { %a0 = llvm.load ... : vector<16xf32> ... }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::func::FuncDialect", "mlir::LLVM::LLVMDialect",
                           "mlir::math::MathDialect", "mlir::scf::SCFDialect", "mlir::vector::VectorDialect"];
  let options = [
    Option<"vectorBytes", "vector-bytes", "int64_t", "64", "bytes of a vector register">,
    Option<"accumulators", "accumulators", "int64_t", "4", "vectors a step, and partial results of a reduction">,
    Option<"masked", "masked", "bool", "true", "run tails under a mask, not point by point">,
    Option<"streamBytes", "stream-bytes", "int64_t", "0", "what reaches so much memory stores past the caches; 0: nothing does">,
    Option<"roundsToBf16", "rounds-to-bf16", "bool", "false", "one instruction rounds f32 to bf16">,
    Option<"looksUpBytes", "looks-up-bytes", "bool", "false", "AVX512_VBMI: two registers are a table of bytes">,
    Option<"spreads", "spreads", "bool", "false",
           "one instruction spreads what is the same along a run over a vector">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768", "of a core's first cache">,
    Option<"lineBytes", "line-bytes", "int64_t", "64", "of a cache line">,
    Option<"streamFence", "stream-fence", "bool", "true", "x86: order such stores by a fence at the end of a phase">
  ];
}

#endif

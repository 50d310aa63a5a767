#ifndef NORMC_SCHEDULE_PASSES_TD
#define NORMC_SCHEDULE_PASSES_TD
include "mlir/Pass/PassBase.td"

def PlanPhases : Pass<"norm-plan-phases", "mlir::ModuleOp"> {
  let summary = "decide which phases, blocks and passes compute a kernel";
  let description = [{
    Value form to plan. Assumes that moments are decomposed; guarantees what `norm-verify-plan` checks. All decisions on
    fusion and on what lives where are taken here, and stand in the result:

    - a phase is built around one reduction: what it keeps outside of the reduced axes are the blocks, and all that can
      be computed in the same blocks joins it;
    - sums across the blocks over the same points join by chunks of rows, and a later phase adds the chunks;
    - what later phases need is kept in workspace; what reductions need not is left to phases that map;
    - what replicas gather is computed before an exchange, and what needs that after it.

    ```mlir
    norm.kernel @total axes(n, k) (%x: !f32_n_k ...) -> (!f32_n ...) {
      %s = norm.reduce sum %x over [k] : !f32_n_k
      norm.return %s : !f32_n
    }
    ```
    becomes
    ```mlir
    norm.kernel @total axes(n, k) (%x: !f32_n_k ..., %y: !f32_n {norm.out, ...}) {
      norm.phase [n] {
        %s = norm.pass [k] (sum) { %a = norm.load %x : !f32_n_k to f32  norm.yield %a : f32 }
        norm.store %s to %y : f32 to !f32_n
      }
      norm.return
    }
    ```
  }];
}

def CoalescePasses : Pass<"norm-coalesce-passes", "::norm::KernelOp"> {
  let summary = "make one loop of loops that need not be told apart";
  let description = [{
    A pass within a pass and nothing else becomes one; the last axes of a pass become their product where all memory
    that it reaches has them side by side or not at all. Stands after the plan, since axes that differ in one pass
    (gamma has its own value for each channel) may well be one in another (the mean of a group has not).

    ```mlir
    norm.pass [k, s] (sum) { ... norm.load %x : !f32_n_k_s to f32 ... }
    ```
    becomes, with `k_s = k * s` in the table
    ```mlir
    norm.pass [k_s] (sum) { ... norm.load %x : !f32_n_k_s to f32 ... }
    ```
  }];
}
def PairLanes : Pass<"norm-pair-lanes", "mlir::ModuleOp"> {
  let summary = "let lanes run over short runs in memory and the axis around them together";
  let description = [{
    Stands after axes are collapsed. Where the innermost axis of all large memory may be short, is reduced with axes
    further out or not at all, and the axis around it is kept (BatchNorm of 7x7 maps, channels first), a variant of the
    kernel for short ones (`norm.guards`) declares the product of both: the lanes run over that then, as over the
    channels of groups (see `norm-split-lanes`), and no vector ends with a run.

    ```mlir
    norm.kernel @f axes(n, c, s)
    ```
    becomes that, for more than 63 points of s, and
    ```mlir
    norm.kernel @f_paired axes(n, c, s, c_s = c * s)
    ```

    Where all reductions take both (GroupNorm), or there are none, the lanes run over the product too: what is the same
    along a run is spread over a vector as it is read, on targets that can. Such a kernel has `norm.lanes`.
  }];
  let options = [Option<"spreads", "spreads", "bool", "false",
                        "one instruction spreads what is the same along a run over a vector">];
}

def SplitReductions : Pass<"norm-split-reductions", "mlir::ModuleOp"> {
  let summary = "cut reductions that do not fit a worker's cache into chunks";
  let description = [{
    Stands after axes are collapsed and before moments are decomposed. Where what a block re-reads may be larger than a
    worker's fast memory, the kernel becomes two variants of a family, told apart by the extents of the reduced axes and
    those inside them (`norm.guards`): one as it is, and one whose reductions go by chunks of fixed length and then over
    the chunks. Where no axis outside the reduction is kept there is only the second, since chunks are the blocks then.
    Where what is kept stands between reduced axes, a third variant for short rows takes the inner ones first and then
    the outer ones, so that memory is read as it lies.

    ```mlir
    %s = norm.reduce sum %x over [k] : !f32_n_k
    ```
    becomes, with `k_chunk = k by 16384`
    ```mlir
    %p = norm.reduce sum %x over [k] into [k_chunk] : !f32_n_k
    %s = norm.reduce sum %p over [k_chunk] : !f32_n_k_chunk
    ```
  }];
  let options = [
    Option<"residentElements", "resident-elements", "int64_t", "131072", "what a block may re-read, in elements">,
    Option<"chunkElements", "chunk-elements", "int64_t", "16384", "elements a chunk aims at">
  ];
}

def HoistFactors : Pass<"norm-hoist-factors", "::norm::KernelOp"> {
  let summary = "multiply a sum, not what is summed, by what is constant along it";
  let description = [{
    Of sums of cotangents only, products under a select that lets them count where the cotangent is not 0: so is the
    product of the sum. Sums that are equal then become one.

    ```mlir
    %s = norm.pass [s] (sum) {
      %d = norm.load %dy : !f32_k_s to f32
      %n = arith.cmpf une, %d, %zero : f32
      %p = arith.mulf %d, %gamma : f32
      %q = arith.select %n, %p, %zero {norm.zero_cotangent} : f32
      norm.yield %q : f32
    }
    ```
    becomes the sum of `%d`, times `%gamma` where neither is 0.
  }];
}

def SinkColumnSums : Pass<"norm-sink-column-sums", "::mlir::ModuleOp"> {
  let summary = "sum over rows in the last sweep of each row, not in the first";
  let description = [{
    Of rows that are swept twice, where what is read of them has 16 bits or fewer, or where they are long: the lowering
    then has rows under the lanes in the last sweep, whose sums stay in registers, and the first is short. What was
    computed for such sums is computed in the last sweep. Rows of unknown length get a variant for the long ones.

    ```mlir
    norm.pass [n] {
      %s = norm.pass [k] (sum) {
        %d = norm.load %dy : !bf16_n_k to f32
        norm.store sum %d to %columns : f32 to !f32_r_k
        norm.yield %d : f32
      }
      norm.pass [k] {
        %d = norm.load %dy : !bf16_n_k to f32
        %e = arith.subf %d, %s : f32
        norm.store %e to %dx : f32 to !bf16_n_k
      }
    }
    ```
    becomes the same with the store to `%columns` at the end of the second sweep.
  }];
}

def FuseMaps : Pass<"norm-fuse-maps", "::norm::KernelOp"> {
  let summary = "maps over the same axes, one after the other in a block, become one";
  let description = [{
    Passes that reduce nothing, with nothing but arithmetic between them, where neither writes what the other reaches;
    maps inside of both, where they end them, become one too. Short runs of channels first spread four values of a
    channel, each by a loop of its own otherwise: less code, and quotients and roots that they share are there once.

    Stands before a pass that drops what is computed twice.

    ```mlir
    norm.pass [c] { ... norm.pass [s] { norm.store %a to %p : f32 to !f32_c_s } }
    norm.pass [c] { ... norm.pass [s] { norm.store %b to %q : f32 to !f32_c_s } }
    ```
    becomes
    ```mlir
    norm.pass [c] { ... ... norm.pass [s] { norm.store %a to %p ...  norm.store %b to %q ... } }
    ```
  }];
}

def MergeSweeps : Pass<"norm-merge-sweeps", "::norm::KernelOp"> {
  let summary = "take factors out of maxima of magnitudes, and sweep for these earlier";
  let description = [{
    A factor that is constant along a sweep leaves a maximum of magnitudes. If the sweep then needs nothing that is
    computed after the one before it over the same axes, the two become one: RMSNorm that is quantised takes the mean of
    squares and the largest magnitude of a row together. What is −inf, of no points, stays; by an infinite factor the
    largest of some zeros and others is infinite, no NaN.

    Stands after norm-hoist-factors, which needs sums as the gradients' rules write them, and before a pass that drops
    what is computed twice.

    ```mlir
    %m = norm.pass [f] (max) { ...  %p = arith.mulf %v, %rstd : f32  %a = math.absf %p : f32  norm.yield %a : f32 }
    ```
    becomes
    ```mlir
    %n = norm.pass [f] (max) { ...  %a = math.absf %v : f32  norm.yield %a : f32 }
    %size = math.absf %rstd : f32
    %p = arith.mulf %n, %size : f32
    %none = arith.cmpf olt, %n, %zero : f32
    %m = arith.select %none, %n, %p : f32
    ```
  }];
  let dependentDialects = ["mlir::math::MathDialect"];
}

def ContractMultiplyAdd : Pass<"norm-contract-multiply-add", "::norm::KernelOp"> {
  let summary = "make one operation of a product that is only added";
  let description = [{
    Works on the plan's scalar code, so that the body of a loop and its tail contract alike and equal inputs give equal
    bits. A product used once, by an addition or a subtraction, becomes `math.fma`. Before that, two factors that stay
    the same along a sweep become one; after it, the second part of a mean leaves the sweep.

    ```mlir
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %p, %c : f32
    ```
    becomes
    ```mlir
    %s = math.fma %a, %b, %c : f32
    ```
  }];
  let dependentDialects = ["mlir::math::MathDialect"];
}

def InvertDivisors : Pass<"norm-invert-divisors", "::norm::KernelOp"> {
  let summary = "divide outside of sweeps by what is constant along them";
  let description = [{
    A quotient whose divisor is constant along its sweep becomes a product with the inverse, within 1.5 ulp of it: a
    division takes ten times as long. Where the inverse might not be a normal number, a power of 2 goes first. If the
    dividend is a product with another constant, that is divided. Means stay as they are: what deviates from them may be
    small beside their rounding.

    Stands after norm-contract-multiply-add, which would make one factor of the two.

    ```mlir
    %q = arith.divf %v, %scale : f32
    ```
    becomes
    ```mlir
    %inverse = arith.divf %one, %scale : f32   // before the sweep
    %q = arith.mulf %v, %inverse : f32
    ```
  }];
  let dependentDialects = ["mlir::math::MathDialect"];
}

def VectorizeBlocks : Pass<"norm-vectorize-blocks", "::mlir::ModuleOp"> {
  let summary = "blocks with short slices run side by side";
  let description = [{
    Of a kernel with a phase whose passes all sweep one axis, in each block or in each row of its chunks, there are
    two variants then: up to 256 points of that axis such phases are `vectorized`. A slice this short is swept in a few
    vectors, and the ends of its reductions, the quotients and roots that follow, would cost more than the sweeps.

    ```mlir
    norm.phase [b] { ... }
    ```
    becomes, in the variant for short slices,
    ```mlir
    norm.phase [b] vectorized { ... }
    ```
  }];
  let dependentDialects = ["::norm::NormDialect"];
}

def KeepInCaches : Pass<"norm-keep-in-caches", "::mlir::ModuleOp"> {
  let summary = "a variant for calls on little memory, whose stores never bypass the caches";
  let description = [{
    Of each kernel there are two variants then, told apart by the points of its largest arguments. The lowering knows of
    the one for few points that they take at most so many bytes, and leaves out all that is for more. Stands at the end
    of a plan whose variants are compiled one by one, when a call needs them: together the two are more code.

    ```mlir
    norm.kernel @copy axes(n) (%x: !f32_n, %y: !f32_n) { ... }
    ```
    becomes, for 4 MiB,
    ```mlir
    norm.kernel @copy ... ... // n over 524288
    norm.kernel @copy_small ... ... // n at most 524288
    ```
  }];
  let options = [
    Option<"bytes", "bytes", "int64_t", "0", "what the largest arguments take together at most">
  ];
}

def VerifyPlan : Pass<"norm-verify-plan", "::norm::KernelOp"> {
  let summary = "check what every plan keeps to";
  let description = [{
    Stands between the plan and the lowering, which relies on it; a plan written by hand is held to the same rules.

    `plan_c1` no op of the value form is left; `plan_c2` values are scalars; `plan_c3` a pass sweeps over an axis;
    `plan_c4` each output is written by exactly one store; `plan_c5` workspace is written before it is read or combined
    into; `plan_c6` outputs are not read; `plan_c7` a state is not read after it is replaced; `plan_c8` a store among
    lanes ranges over them; `plan_c9` a product is swept whole or by chunks of its outer part; `plan_c10` an input is
    not read after an output in its place is written, but at the same point; `plan_c11` what an exchange writes nothing
    else does; `plan_c12` an axis is bound inside of its chunks, so that no two of them meet at a point; `plan_c13` an
    axis goes by one kind of chunks; `plan_c14` an output or a state is written once at each of its points, and so by
    passes over its own axes; `plan_c15` workspace that a pass rewrites is read only within that pass; `plan_c16` what a
    phase keeps for itself is within the budget, where extents are fixed; `plan_c17` blocks of a vectorized phase,
    or the rows of its chunks, are slices that are each reduced along one axis, of 256 points at the most.
  }];
  let options = [
    Option<"arrayBytes", "array-bytes", "int64_t", "0", "bytes that one array of a block's own may have; 0: any">
  ];
}

def SplitLanes : Pass<"norm-split-lanes", "::norm::KernelOp"> {
  let summary = "reduce within groups of channels after everything outside of them";
  let description = [{
    Stands between the decomposed kernel and its plan. Where the two factors of a split axis end a tensor (channels
    last) and a reduction takes the inner one and axes outside, the lanes run over both: a sum for each channel first,
    then the channels of a group. So the lanes are as many as channels, however few a group has.

    ```mlir
    %s = norm.reduce sum %x over [s, k] : !f32_n_s_g_k
    ```
    becomes
    ```mlir
    %p = norm.reduce sum %x over [s] : !f32_n_s_g_k
    %s = norm.reduce sum %p over [k] : !f32_n_g_k
    ```
  }];
}
#endif

#ifndef NORM_PLAN_OPS_TD
#define NORM_PLAN_OPS_TD
// The plan: what a kernel becomes once it is decided which values live where. Included by NormOps.td.

def WorkspaceOp : Norm_Op<"workspace", [HasParent<"KernelOp">, MemoryEffects<[MemAlloc]>]> {
  let summary = "memory that blocks and phases share: partial statistics, one element a point of its axes";
  let description = [{
    ```mlir
    %partial = norm.workspace : !f32_p_k
    ```
  }];
  let results = (outs Over:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def PhaseOp : Norm_Op<"phase", [SingleBlockImplicitTerminator<"YieldOp">, NoTerminator, HasParent<"KernelOp">,
                               RecursiveMemoryEffects]> {
  let summary = "blocks that may run at once; all of them end before the next phase begins";
  let description = [{
    One block for each point of the axes. Where an axis is a chunk axis (`p = n by 16`), a pass over n inside sweeps the
    chunk at hand. Blocks of a `vectorized` phase that lie side by side along the last axis run together, one for each
    lane of a vector: for slices that are short themselves.

    Constraints: `phase_c1` its axes are declared and distinct.
    ```mlir
    norm.phase [n, g] { ... }
    norm.phase [b] vectorized { ... }
    ```
  }];
  let arguments = (ins AxisNames:$axes, UnitAttr:$vectorized);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "custom<Names>($axes) (`vectorized` $vectorized^)? $body attr-dict";
  let hasVerifier = 1;
}

def ExchangeOp : Norm_Op<"exchange", [HasParent<"KernelOp">, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "between two phases: what each replica of a job has in its workspace becomes known to all";
  let description = [{
    Whoever runs the kernel copies the first workspace of every replica into the second of each, in the order of
    replicas.

    Constraints: `exchange_c1` both are workspace of one element type; `exchange_c2` the second ranges over an axis of
    replicas and then, in the same order, over the axes of the first.
    ```mlir
    norm.exchange %mine to %all : !f32_c to !f32_r_c
    ```
  }];
  let arguments = (ins Over:$mine, Over:$all);
  let assemblyFormat = "$mine `to` $all attr-dict `:` type($mine) `to` type($all)";
  let hasVerifier = 1;
}

def PassOp : Norm_Op<"pass", [SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "one sweep over axes; what is yielded is reduced over the sweep";
  let description = [{
    The body is scalar code at one point, or further passes. The last axis of a pass without passes inside runs along
    the lanes. Where a chunk axis of a swept axis is bound outside, the sweep covers that chunk. An axis may be a
    product (`c = g * k`): its loads and stores then have both parts side by side, or neither. With `sample`, the sweep
    along one of the axes ends as `norm.sampled` says.

    Constraints: `pass_c1` no axis is bound twice; `pass_c2` as many kinds as yielded values, of the yielded types;
    `pass_c3` any and all reduce i1, the others floats, a sum also i64; `pass_c4` the sample is of one of its axes.
    ```mlir
    %sum = norm.pass [k, s] (sum) {
      %a = norm.load %x : !f32_n_k_s
      norm.yield %a : f32
    }
    ```
  }];
  let arguments = (ins AxisNames:$axes, DenseI32ArrayAttr:$kinds, OptionalAttr<StrAttr>:$sample);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def YieldOp : Norm_Op<"yield", [Pure, Terminator, ParentOneOf<["PhaseOp", "PassOp"]>]> {
  let summary = "what a pass reduces";
  let arguments = (ins Variadic<AnyType>:$values);
  let builders = [OpBuilder<(ins), "">];
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def LoadOp : Norm_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "the element at the point at hand, in the compute type";
  let description = [{
    Converts as `norm.cast` does. `at` gives the position along axes that are not bound.

    Constraints: `load_c1` each axis is bound by a phase or a pass around it, or given by `at`.
    ```mlir
    %a = norm.load %x : !bf16_n_k to f32
    %b = norm.load %mu at [v = %zero] : !f32_v_c to f32
    ```
  }];
  let arguments = (ins Over:$from, Variadic<I64>:$positions, DefaultValuedAttr<AxisNames, "{}">:$at);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$from custom<Positions>($at, $positions) attr-dict `:` type($from) `to` type($result)";
  let hasVerifier = 1;
}

def StoreOp : Norm_Op<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "writes the element at the point at hand, or combines the value into it";
  let description = [{
    Converts as `norm.cast` does. With a kind (`store sum`), the memory is workspace that has been written before.

    Constraints: `store_c1` each axis is bound by a phase or a pass around it; `store_c2` the phase's axes are all axes
    of the memory: no two blocks write the same place; `store_c3` it combines into workspace only.
    ```mlir
    norm.store %o to %y : f32 to !bf16_n_k
    norm.store sum %d to %partial : f32 to !f32_p_k
    ```
  }];
  let arguments = (ins OptionalAttr<ReduceKind>:$kind, AnyType:$value, Over:$to);
  let assemblyFormat = "($kind^)? $value `to` $to attr-dict `:` type($value) `to` type($to)";
  let hasVerifier = 1;
}
#endif

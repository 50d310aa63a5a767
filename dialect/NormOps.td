#ifndef NORM_OPS_TD
#define NORM_OPS_TD
include "NormAttrs.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Norm_Op<string mnemonic, list<Trait> traits = []> : Op<NormDialect, mnemonic, traits>;

def AxisNames : TypedArrayAttrBase<StrAttr, "axis names">;
def Over : Type<CPred<"::norm::isMemory($_self)">, "tensor over named axes">;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def KernelOp : Norm_Op<"kernel", [IsolatedFromAbove, Symbol, FunctionOpInterface]> {
  let summary = "a kernel: its axes, its tensors in and out";
  let description = [{
    Arguments are memory in storage types, in memory order; a run-time scalar is a scalar. `norm.cast` converts what is
    read to the compute type (f32, f64, i64 or i1) and what is returned to the storage type.

    Argument attributes: `norm.name`; `norm.dims`, the dimensions as declared, in memory order (`["n", "1", "s..."]`:
    `"1"` is an unnamed axis of extent 1, `"s..."` a pack, which is one axis of the kernel); `norm.state` for an inout;
    `norm.default` (a number or bool) for an optional input. Result attributes: `norm.name`, `norm.dims`; a result with
    the name of a state argument is its update.

    In the plan the results have become arguments (attribute `norm.out`) and the body is phases; a state's update is
    stored to its own argument.

    `norm.lanes` names a product of the last two axes in memory that all sweeps take as one axis.
    `norm.guards` are those of a variant of a kernel: it runs where the product of some extents is at most, or over, a
    number. Variants share `norm.family`, the name of the kernel.

    Constraints: `kernel_c1` no axis is declared twice; `kernel_c2` parts of a product, and the whole of chunks, are
    declared before it; `kernel_c3` every value ranges over declared axes, over a product only where no value ranges
    over its parts; `kernel_c4` every argument and result has a name.

    ```mlir
    norm.kernel @scale axes(n, k) (%x: !f32_n_k {norm.name = "x"}) -> (!f32_n_k {norm.name = "y"}) {
      %two = arith.constant 2.0 : f32
      %twos = norm.broadcast %two : f32 to !f32_n_k
      %y = arith.mulf %x, %twos : !f32_n_k
      norm.return %y : !f32_n_k
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypedArrayAttrBase<AxisAttr, "axes">:$axes,
                       TypeAttrOf<FunctionType>:$function_type, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    /// The row of the table, null where there is none.
    AxisAttr getAxis(::mlir::StringAttr name);
    /// The axes a name stands for: itself, or the leaves of a product, outermost first.
    ::llvm::SmallVector<::mlir::StringAttr> leavesOf(::mlir::StringAttr name);
    /// A name and all that it is a product of, down to the leaves.
    ::llvm::SmallVector<::mlir::StringAttr> namesWithin(::mlir::StringAttr name);
    /// Adds a row, or replaces the one of that name.
    void setAxis(AxisAttr axis);
    /// A name that no row has: `base`, or `base` with underscores behind it.
    ::mlir::StringAttr unusedAxis(const ::llvm::Twine &base);
    /// The row that is the product of two axes, null where the table has none.
    ::mlir::StringAttr productOf(::mlir::StringAttr outer, ::mlir::StringAttr inner);
    /// The name of an argument or a result.
    ::llvm::StringRef argumentName(unsigned index);
    ::llvm::StringRef resultName(unsigned index);
  }];
}

def ReturnOp : Norm_Op<"return", [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "the kernel's results, in storage types";
  let description = [{
    Constraints: `return_c1` the values have the types of the kernel's results.
    ```mlir
    norm.return %y, %rstd : !bf16_n_k, !f32_n
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let hasVerifier = 1;
}

def FactorOp : Norm_Op<"factor", []> {
  let summary = "fixes one factor of a split: the extent of an axis is this integer";
  let description = [{
    `split c = g * k where g = groups` becomes the row `c = g * k` and `norm.factor g = %groups of c`. The other factor
    follows; a factor below 1, or one that does not divide the extent, is the caller's error, found before anything is
    written. Specialize folds a constant into the table.

    Constraints: `factor_c1` the axis is a part of the product.
    ```mlir
    norm.factor g = %groups of c
    ```
  }];
  let arguments = (ins StrAttr:$axis, I64:$size, StrAttr:$whole);
  let assemblyFormat = "custom<Name>($axis) `=` $size `of` custom<Name>($whole) attr-dict";
  let hasVerifier = 1;
}

def GradientOp : Norm_Op<"gradient", [Symbol]> {
  let summary = "a kernel that is to be derived: cotangents of `of`, gradients of `wrt`, outputs `given`";
  let description = [{
    Names are those of the kernel's arguments and results; the kernel may itself be a gradient that stands before.
    `norm-differentiate` puts the derived kernel in the place of both.
    ```mlir
    norm.gradient @layer_norm_backward of @layer_norm {of = ["y"], wrt = ["x", "gamma"], given = ["rstd"]}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$kernel, StrArrayAttr:$of, StrArrayAttr:$wrt,
                       StrArrayAttr:$given);
  let assemblyFormat = "$sym_name `of` $kernel attr-dict";
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

def BroadcastOp : Norm_Op<"broadcast", [Pure]> {
  let summary = "the same value over more axes, matched by name";
  let description = [{
    The only way to equal types: it adds axes and permutes. A value over a chunk axis `p = k by 64` also broadcasts to
    one over k: each point takes its chunk's.

    Constraints: `broadcast_c1` the element type stays; `broadcast_c2` no axis is dropped.
    ```mlir
    %b = norm.broadcast %mean : !f32_n to !f32_n_k
    ```
  }];
  let arguments = (ins AnyType:$input);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def ReduceOp : Norm_Op<"reduce", [Pure, InferTypeOpAdaptor]> {
  let summary = "a reduction over named axes";
  let description = [{
    Over no elements: sum 0, max −inf, min +inf, any false, all true. max and min propagate NaN. With `into`, the
    reduction stops at chunk axes: `over [k] into [p]` where `p = k by 64` gives a value for each chunk. With `sample`,
    only the first points along one of the axes are reduced: `norm.sampled` says how many.

    Constraints: `reduce_c1` the value ranges over each axis; `reduce_c2` any and all take i1, the others a float, a sum
    also i64; `reduce_c3` no axis twice; `reduce_c4` the sample is of a reduced axis.
    ```mlir
    %s = norm.reduce sum %x over [k] : !f32_n_k
    ```
  }];
  let arguments = (ins ReduceKind:$kind, AnyType:$input, AxisNames:$over, DefaultValuedAttr<AxisNames, "{}">:$into,
                       OptionalAttr<StrAttr>:$sample);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $kind $input `over` custom<Names>($over) (`into` custom<Names>($into)^)? (`sample` custom<Name>($sample)^)?
    attr-dict `:` type($input)
  }];
  let builders = [
    OpBuilder<(ins "::norm::ReduceKind":$kind, "::mlir::Value":$input, "::mlir::ArrayAttr":$over,
                   "::mlir::ArrayAttr":$into), [{
      build($_builder, $_state, kind, input, over, into, ::mlir::StringAttr());
    }]>
  ];
  let hasVerifier = 1;
}

def MomentsOp : Norm_Op<"moments", [Pure, InferTypeOpAdaptor]> {
  let summary = "mean and biased variance over named axes";
  let description = [{
    mean = Σw·x / Σw and variance = Σw·(x − mean)² / Σw, with w = 1 where there are no weights. Σw = 0 gives NaN.
    `across` marks statistics over all replicas of a job. `through` names chunk axes of reduced axes: each chunk is
    reduced while it is in cache, and the chunks are combined by Chan's formula; or reduced axes, each point of which is
    such a chunk. `sample` names the reduced axis, or the product of two, along which a sample is taken: deviations are
    then from the mean of that, which one sweep of all points corrects.

    Constraints: `moments_c1` the value ranges over each axis; `moments_c2` weights have the value's type;
    `moments_c3` no axis twice; `moments_c4` the value is a float; `moments_c5` `through` names reduced axes or chunks of
    them; `moments_c6` the sample is of a reduced axis.
    ```mlir
    %mean, %variance = norm.moments %x weights %w : !f32_n_k_s over [k, s] by two_pass : !f32_n_k_s
    ```
  }];
  let arguments = (ins AnyType:$input, Optional<AnyType>:$weights, AxisNames:$over,
                       DefaultValuedAttr<AxisNames, "{}">:$through, OptionalAttr<StrAttr>:$sample,
                       DefaultValuedAttr<Method, "::norm::Method::automatic">:$method, UnitAttr:$across);
  let results = (outs AnyType:$mean, AnyType:$variance);
  let assemblyFormat = [{
    $input (`weights` $weights^ `:` type($weights))? `over` custom<Names>($over) (`through` custom<Names>($through)^)?
    (`sample` custom<Name>($sample)^)? (`across` $across^)? (`by` $method^)? attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def AllReduceOp : Norm_Op<"all_reduce", [Pure, SameOperandsAndResultType]> {
  let summary = "combines a value of each replica of a job";
  let description = [{
    Every replica gets the same bits. All replicas have the same extents of the value's axes.

    Constraints: `all_reduce_c1` sum, max or min of floats, or a sum of i64.
    ```mlir
    %total = norm.all_reduce sum %count : i64
    ```
  }];
  let arguments = (ins ReduceKind:$kind, AnyType:$input);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$kind $input attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def AllGatherOp : Norm_Op<"all_gather", [Pure]> {
  let summary = "the value of each replica of a job, over an axis of replicas";
  let description = [{
    What is reduced across replicas is gathered, and then reduced over that axis like any other. The axis is a leaf of
    the table; its extent is the number of replicas, an argument of the compiled kernel.

    Constraints: `all_gather_c1` the axis is a leaf of the table; `all_gather_c2` the result ranges over it and then, in
    the same order, over the axes of the value.
    ```mlir
    %means = norm.all_gather %mean over r : !f32_c to !f32_r_c
    %sum = norm.reduce sum %means over [r] : !f32_r_c
    ```
  }];
  let arguments = (ins AnyType:$input, StrAttr:$axis);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$input `over` custom<Name>($axis) attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

def SizeOp : Norm_Op<"size", [Pure]> {
  let summary = "the number of points of some axes: the product of their extents, as i64";
  let description = [{
    Constraints: `size_c1` the axes are declared.
    ```mlir
    %count = norm.size [n, s]
    ```
  }];
  let arguments = (ins AxisNames:$axes);
  let results = (outs I64:$result);
  let assemblyFormat = "custom<Names>($axes) attr-dict";
  let hasVerifier = 1;
}

def PointsOp : Norm_Op<"points", [Pure]> {
  let summary = "the number of points in each chunk: over the chunk axes in the value form, at hand in the plan";
  let description = [{
    Constraints: `points_c1` the names are those of chunk axes.
    ```mlir
    %points = norm.points [p] : !i64_p
    ```
  }];
  let arguments = (ins AxisNames:$chunks);
  let results = (outs AnyType:$result);
  let assemblyFormat = "custom<Names>($chunks) attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def SampledOp : Norm_Op<"sampled", [Pure]> {
  let summary = "the number of points that a reduction with a sample takes, in each chunk where it stops at chunks";
  let description = [{
    All points of the other axes, and of that of the sample a sixteenth: in whole sixteens, rounded up, as far as there
    are points. A sum of squared deviations from the mean of so many is at most 17 times that from the mean of all: to
    take the difference off loses four bits at worst.

    Constraints: `sampled_c1` the axes are declared; `sampled_c2` `into` names chunks of them; `sampled_c3` the sample is
    of one of them.
    ```mlir
    %count = norm.sampled [n, s] sample s into [p] : !i64_p
    ```
  }];
  let arguments = (ins AxisNames:$over, StrAttr:$sample, DefaultValuedAttr<AxisNames, "{}">:$into);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    custom<Names>($over) `sample` custom<Name>($sample) (`into` custom<Names>($into)^)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;
}

def IndexOp : Norm_Op<"index", [Pure]> {
  let summary = "the position along an axis, as i64: over that axis in the value form, at the point at hand in the plan";
  let description = [{
    Along a product it is the position among all its points.

    Constraints: `index_c1` the axis is declared; `index_c2` the result is i64, over the axis (over all its leaves) in
    the value form, a scalar in the plan.
    ```mlir
    %t = norm.index t : !i64_t
    ```
  }];
  let arguments = (ins StrAttr:$axis);
  let results = (outs AnyType:$result);
  let assemblyFormat = "custom<Name>($axis) attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def AtOp : Norm_Op<"at", [Pure]> {
  let summary = "the value at one position of an axis, which is removed";
  let description = [{
    A position outside the axis is the caller's error, found before anything is written. For a split axis `c = g * k`
    the op removes g and k, outermost first in the type.

    Constraints: `at_c1` the value ranges over the axis (over all its leaves); `at_c2` the result ranges over the
    others.
    ```mlir
    %first = norm.at %mu, v = %zero : !f32_v_c to !f32_c
    ```
  }];
  let arguments = (ins AnyType:$input, StrAttr:$axis, I64:$position);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$input `,` custom<Name>($axis) `=` $position attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
}

def CastOp : Norm_Op<"cast", [Pure]> {
  let summary = "a store to, or a load from, a storage type";
  let description = [{
    To a storage type: floats round to nearest even; to an integer or an f8 type they also saturate; NaN becomes 0 in an
    integer; bool is 0 or 1. From a storage type it is exact, and anything but 0 is a true bool. A 0-d tensor converts
    to a scalar. Its derivative is 1 everywhere.

    Constraints: `cast_c1` the axes stay.
    ```mlir
    %f = norm.cast %x : !bf16_n_k to !f32_n_k
    ```
  }];
  let arguments = (ins AnyType:$input);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def StopGradientOp : Norm_Op<"stop_gradient", [Pure, SameOperandsAndResultType]> {
  let summary = "the value itself, constant under differentiation";
  let description = [{
    ```mlir
    %r = norm.stop_gradient %ratio : !f32_c
    ```
  }];
  let arguments = (ins AnyType:$input);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

include "PlanOps.td"
#endif

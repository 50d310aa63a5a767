#ifndef NORMC_TRANSFORMS_PASSES_TD
#define NORMC_TRANSFORMS_PASSES_TD
include "mlir/Pass/PassBase.td"

def Differentiate : Pass<"norm-differentiate", "::mlir::ModuleOp"> {
  let summary = "derive the kernels that norm.gradient asks for";
  let description = [{
    Stands before Specialize, so that a derived kernel is like any other from there on: what it does not need is dropped
    there. Reverse mode over the value form: a copy of the forward ops, then their adjoints, last op first. A
    broadcast's adjoint is the sum over the axes it added, and that of moments is in closed form: Σdy and Σdy·x̂ of a
    slice. A cotangent of exactly 0 contributes 0, whatever the derivative: a select marked `norm.zero_cotangent`, which
    a further derivation takes for the product in it.

    Inputs of the derived kernel: a cotangent for each output under `of`, the forward inputs, the outputs `given`; its
    outputs: a gradient for each input under `wrt`. An input that has a gradient is marked with its name:
    `norm.gradient = "dx"`.

    ```mlir
    norm.kernel @scale axes(n, k) (%x: !f32_n_k {norm.name = "x"}, %g: !f32_k {norm.name = "g"}) -> (!f32_n_k {norm.name = "y"}) {
      %g_ = norm.broadcast %g : !f32_k to !f32_n_k
      %y = arith.mulf %x, %g_ : !f32_n_k
      norm.return %y : !f32_n_k
    }
    norm.gradient @scale_backward of @scale {of = ["y"], wrt = ["g"], given = []}
    ```
    becomes
    ```mlir
    norm.kernel @scale_backward axes(n, k) (%dy: !f32_n_k {norm.name = "dy"}, %x: ..., %g: ...) -> (!f32_k {norm.name = "dg"}) {
      %p = arith.mulf %dy, %x : !f32_n_k
      %t = arith.select %dy_is_not_zero, %p, %zeros {norm.zero_cotangent} : !i1_n_k, !f32_n_k
      %dg = norm.reduce sum %t over [n] : !f32_n_k
      norm.return %dg : !f32_k
    }
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::math::MathDialect"];
}

def Specialize : Pass<"norm-specialize", "::norm::KernelOp"> {
  let summary = "bind extents and orders, leave out what is omitted";
  let description = [{
    Stands before all that follows from the selection, which may then forget that anything was optional. Assumes the
    value form.

    - An omitted input becomes its literal, and `x * 1`, `x + 0`, unit weights leave no code; an omitted output or
      update is dropped with all that only it needs; inputs that nothing reads are dropped.
    - Sizes, and factors of splits that are constant, are written into the table of axes; what follows from them too.
    - Orders permute the dimensions of arguments and results.
    - An output computed in place of an input is marked with `norm.inplace`.

    Guarantees: no `norm.default` is left; every argument is read, or tells an extent, or is state that is updated;
    every axis of the table is used; every `norm.factor` has a factor that only a call can tell.

    With `sizes=k=8 omit=gamma`:
    ```mlir
    norm.kernel @scale axes(n, k)
        (%x: !f32_n_k {norm.name = "x", norm.dims = ["n", "k"]},
         %gamma: !f32_k {norm.name = "gamma", norm.dims = ["k"], norm.default = 1}) -> (!f32_n_k {norm.name = "y", ...}) {
      %g = norm.broadcast %gamma : !f32_k to !f32_n_k
      %y = arith.mulf %x, %g : !f32_n_k
      norm.return %y : !f32_n_k
    }
    ```
    becomes
    ```mlir
    norm.kernel @scale axes(n, k = 8)
        (%x: !f32_n_k {norm.name = "x", norm.dims = ["n", "k"]}) -> (!f32_n_k {norm.name = "y", ...}) {
      norm.return %x : !f32_n_k
    }
    ```
  }];
  let options = [
    ListOption<"sizes", "sizes", "std::string", "extents: `c=256`">,
    ListOption<"omit", "omit", "std::string", "optional inputs, outputs and state updates that are left out">,
    ListOption<"passed", "passed", "std::string", "the inputs that are passed; all where none is named">,
    ListOption<"outputs", "outputs", "std::string", "the outputs and updates asked for; all where none is named">,
    ListOption<"orders", "orders", "std::string", "memory orders: `x=n/s.../c`">,
    ListOption<"inplace", "inplace", "std::string", "outputs computed in place of an input: `y=x`">,
    ListOption<"ranks", "ranks", "std::string", "dimensions of packs: `s=2`">
  ];
}

def DropUnitAxes : Pass<"norm-drop-unit-axes", "::norm::KernelOp"> {
  let summary = "drop axes of one point";
  let description = [{
    Stands before axes collapse: a pack of no axes, `s...` of `x: f32[n, c]` passed for `T[n, c, s...]`, has the extent
    1, and would be the innermost axis of x and so the lanes. An axis stays where it is the only one of a value or of a
    reduction, a part of a split, or where a position along it is asked for. The table keeps it: calls still tell it.

    ```mlir
    norm.kernel @f axes(n, c, s = 1) (%x: !f32_n_c_s ...) { %sum = norm.reduce sum %x over [n, s] : !f32_n_c_s ... }
    ```
    becomes
    ```mlir
    norm.kernel @f axes(n, c, s = 1) (%x: !f32_n_c ...) { %sum = norm.reduce sum %x over [n] : !f32_n_c ... }
    ```
  }];
}

def CollapseAxes : Pass<"norm-collapse-axes", "::norm::KernelOp"> {
  let summary = "make one axis of neighbours that are never told apart";
  let description = [{
    Stands before moments are decomposed, so that chunks are cut from the longest axes there are. Two axes collapse
    where every argument and result has both side by side or neither, every value and reduction ranges over both or
    neither, and no position along either is asked for. The table gains their product; only the product is used from
    then on.

    ```mlir
    norm.kernel @f axes(n, h, w) (%x: !f32_n_h_w ...) { %s = norm.reduce sum %x over [h, w] : !f32_n_h_w ... }
    ```
    becomes
    ```mlir
    norm.kernel @f axes(n, h, w, h_w = h * w) (%x: !f32_n_h_w ...) { %s = norm.reduce sum %x over [h_w] : !f32_n_h_w ... }
    ```
  }];
}

def DecomposeMoments : Pass<"norm-decompose-moments", "::norm::KernelOp"> {
  let summary = "moments become sums";
  let description = [{
    Stands before the plan, which knows sums, maxima and minima only. `two_pass`, `auto` and `welford` take the mean,
    of a sample where the op names one, then the deviations from it; the mean of those corrects mean and variance, and
    a difference `x − mean` takes both parts of the mean off. With `through`, each chunk is done so and the chunks are
    combined by Chan's formula.
    `one_pass` is the sum and the sum of squares. Moments across replicas are each replica's own, gathered and combined
    as chunks are.

    ```mlir
    %mean, %variance = norm.moments %x over [k] : !f32_n_k
    ```
    becomes
    ```mlir
    %sum = norm.reduce sum %x over [k] : !f32_n_k
    %mean0 = arith.divf %sum, %count : !f32_n
    %d = arith.subf %x, %mean0_ : !f32_n_k
    %rest = norm.reduce sum %d over [k] : !f32_n_k
    %square = norm.reduce sum %d2 over [k] : !f32_n_k
    ...
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect"];
}

def LowerReplicas : Pass<"norm-lower-replicas", "::norm::KernelOp"> {
  let summary = "reduce across replicas over an axis of replicas";
  let description = [{
    Stands after moments are decomposed. What is left to communicate is `norm.all_gather`; every replica reduces what it
    gets by the same code, so that all get the same bits, in an order that is theirs alone. The axis is a leaf that the
    table gains, the last one; `norm.replicas` names it.

    ```mlir
    %total = norm.all_reduce sum %mine : !f32_c
    ```
    becomes
    ```mlir
    %all = norm.all_gather %mine over replica : !f32_c to !f32_replica_c
    %total = norm.reduce sum %all over [replica] : !f32_replica_c
    ```
  }];
}

def LowerPositions : Pass<"norm-lower-positions", "::norm::KernelOp"> {
  let summary = "compute a value at one position there";
  let description = [{
    Stands after the signature is read, since a `norm.at` that is gone asks for no position any more, and before
    anything is planned: what is left are positions in arguments and in results of reductions.

    ```mlir
    %d = arith.subf %x, %mean_ : !f32_n_k
    %first = norm.at %d, k = %zero : !f32_n_k to !f32_n
    ```
    becomes
    ```mlir
    %x0 = norm.at %x, k = %zero : !f32_n_k to !f32_n
    %first = arith.subf %x0, %mean : !f32_n
    ```
  }];
  let dependentDialects = ["mlir::arith::ArithDialect"];
}
#endif

#ifndef NORMC_TRANSFORMS_PASSES_TD
#define NORMC_TRANSFORMS_PASSES_TD
include "mlir/Pass/PassBase.td"

def Specialize : Pass<"norm-specialize", "::norm::KernelOp"> {
  let summary = "bind extents and orders, leave out what is omitted";
  let description = [{
    Stands first, since all later stages may then forget that anything was optional. Assumes the value form.

    - An omitted input becomes its literal, and `x * 1`, `x + 0`, unit weights leave no code; an omitted output or update
      is dropped with all that only it needs; inputs that nothing reads are dropped.
    - Sizes, and factors of splits that are constant, are written into the table of axes; what follows from them too.
    - Orders permute the dimensions of arguments and results.
    - An output computed in place of an input is marked with `norm.inplace`.

    Guarantees: no `norm.default` is left; every argument is read, or tells an extent, or is state that is updated; every
    axis of the table is used; every `norm.factor` has a factor that only a call can tell.

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
#endif

#ifndef NORM_DIALECT_TD
#define NORM_DIALECT_TD
include "mlir/IR/OpBase.td"

def NormDialect : Dialect {
  let name = "norm";
  let cppNamespace = "::norm";
  let summary = "Normalizations over named axes";
  let description = [{
    A kernel of the `norm` dialect stands in one of two forms.

    - The **value form**: a DAG of elementwise ops (upstream `arith` and `math`), broadcasts by name and reductions over
      tensors whose encoding names their axes. Nothing is said about loops, order or memory.
    - The **plan**: the same kernel as phases of blocks and nested passes, whose bodies are scalar code at one point.

    Extents stand once, in the table of axes of `norm.kernel`; every dimension of a type is `?`. A value over no axes is
    a plain scalar.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasCanonicalizer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}
#endif

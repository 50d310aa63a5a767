#ifndef NORM_ATTRS_TD
#define NORM_ATTRS_TD
include "NormDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/TensorEncoding.td"

class Norm_Attr<string name, string mnemonic_, list<Trait> traits = []> : AttrDef<NormDialect, name, traits> {
  let mnemonic = mnemonic_;
}

def AxesAttr : Norm_Attr<"Axes", "axes", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the names of a tensor's axes, outermost first";
  let description = [{
    The encoding of a tensor type: `tensor<?x?xf32, #norm.axes<n, c>>`, printed as `!f32_n_c`. The order is that of
    memory for an argument; for any other value it carries no meaning.

    Constraints: `axes_c1` as many names as dimensions; `axes_c2` every dimension is `?`; `axes_c3` no name twice.
  }];
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$names);
  let assemblyFormat = "`<` custom<NameList>($names) `>`";
}

def AxisAttr : Norm_Attr<"Axis", "axis"> {
  let summary = "one row of a kernel's table of axes";
  let description = [{
    - `n`: an extent known when the kernel is called
    - `k = 1024`: a fixed extent
    - `c = g * k`: a product; index of c = index of g · size(k) + index of k
    - `p = k by 4096 per [s] most 128`: the chunks of axis k. A chunk has `max(1, 4096 / size(s))` points of k, and up
      to 16 times as many where that would make over 128 chunks: a sum over a chunk stays short enough to be accurate.
      `per` and `most` may be left out.
  }];
  let parameters = (ins "::mlir::StringAttr":$name,
                        "int64_t":$size,                                  // kDynamic if unknown
                        OptionalParameter<"::mlir::StringAttr">:$outer,   // of a product
                        OptionalParameter<"::mlir::StringAttr">:$inner,
                        OptionalParameter<"::mlir::StringAttr">:$whole,   // the axis a chunk axis divides
                        "int64_t":$points,                                // points a chunk aims at
                        OptionalArrayRefParameter<"::mlir::StringAttr">:$per,
                        "int64_t":$most);                                 // chunks aimed at, at the most; 0: any number
  let hasCustomAssemblyFormat = 1;
  let builders = [
    AttrBuilder<(ins "::mlir::StringAttr":$name, CArg<"int64_t", "::mlir::ShapedType::kDynamic">:$size), [{
      return $_get($_ctxt, name, size, ::mlir::StringAttr(), ::mlir::StringAttr(), ::mlir::StringAttr(), 0,
                   ::llvm::ArrayRef<::mlir::StringAttr>(), 0);
    }]>
  ];
  let extraClassDeclaration = [{
    static AxisAttr product(::mlir::StringAttr name, ::mlir::StringAttr outer, ::mlir::StringAttr inner);
    static AxisAttr chunks(::mlir::StringAttr name, ::mlir::StringAttr whole, int64_t points,
                           ::llvm::ArrayRef<::mlir::StringAttr> per = {}, int64_t most = 0);
    static AxisAttr parseBare(::mlir::AsmParser &parser);
    void printBare(::mlir::AsmPrinter &printer) const;
    bool isProduct() const { return bool(getOuter()); }
    bool isChunks() const { return bool(getWhole()); }
    /// Neither a product nor chunks: its extent is an argument of the compiled kernel, or fixed.
    bool isLeaf() const { return !isProduct() && !isChunks(); }
    bool isFixed() const { return isLeaf() && !::mlir::ShapedType::isDynamic(getSize()); }
  }];
}

class Norm_Enum<string name, string summary, list<I32EnumAttrCase> cases> : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::norm";
}
def ReduceKind : Norm_Enum<"ReduceKind", "what a reduction does", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"max", 1>, I32EnumAttrCase<"min", 2>,
    I32EnumAttrCase<"any", 3>, I32EnumAttrCase<"all", 4>]>;
def Method : Norm_Enum<"Method", "how moments are computed", [
    I32EnumAttrCase<"automatic", 0, "auto">, I32EnumAttrCase<"two_pass", 1>,
    I32EnumAttrCase<"one_pass", 2>, I32EnumAttrCase<"welford", 3>]>;
#endif

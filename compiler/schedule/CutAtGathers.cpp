// What replicas gather is computed before an exchange, and read after it.
#include "compiler/schedule/Phases.h"
using namespace mlir;
using namespace norm;

void normc::cutAtGathers(KernelOp kernel) {
  Builder builder(kernel.getContext());
  auto attributes = [&](const Twine &name, StringRef what, int64_t number) {
    return builder.getDictionaryAttr({builder.getNamedAttr("norm.name", builder.getStringAttr(name)),
                                      builder.getNamedAttr(what, builder.getI64IntegerAttr(number))});
  };
  Block &body = kernel.getBody().front();
  llvm::DenseMap<Value, unsigned> rounds; // those above 0
  for (Operation &op : llvm::make_early_inc_range(body)) {
    unsigned round = 0;
    for (Value operand : op.getOperands()) round = std::max(round, rounds.lookup(operand));
    auto gather = dyn_cast<AllGatherOp>(op);
    if (!gather) {
      if (round > 0)
        for (Value result : op.getResults()) rounds[result] = round;
      continue;
    }
    unsigned argument = kernel.getNumArguments(), result = kernel.getNumResults();
    // No name of the language's has a colon.
    std::string name = ("replica:" + Twine(argument)).str();
    (void)kernel.insertArgument(argument, op.getResult(0).getType(),
                                attributes(name + ":all", "norm.gathered", round + 1), op.getLoc());
    (void)kernel.insertResult(result, gather.getInput().getType(), attributes(name, "norm.exchanged", argument));
    body.getTerminator()->insertOperands(result, gather.getInput());
    rounds[kernel.getArgument(argument)] = round + 1;
    op.getResult(0).replaceAllUsesWith(kernel.getArgument(argument));
    op.erase();
  }
}

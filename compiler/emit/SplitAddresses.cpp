#include "compiler/emit/SplitAddresses.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/MemorySSA.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace normc {
namespace {

/// The terms of an index.
struct Terms {
  SmallVector<Value *> fixed, changing; // in the loop
  int64_t constant = 0;

  Terms(Value *index, const Loop &loop) { add(index, loop); }

  void add(Value *value, const Loop &loop) {
    Value *left, *right;
    if (auto *number = dyn_cast<ConstantInt>(value)) constant += number->getSExtValue();
    else if (loop.isLoopInvariant(value)) fixed.push_back(value);
    else if (match(value, m_AddLike(m_Value(left), m_Value(right)))) add(left, loop), add(right, loop);
    else changing.push_back(value);
  }
};

Value *sum(IRBuilderBase &builder, ArrayRef<Value *> terms) {
  Value *total = terms.front();
  for (Value *term : terms.drop_front()) total = builder.CreateAdd(total, term);
  return total;
}

bool split(GetElementPtrInst &address, const Loop &loop) {
  if (address.getNumIndices() != 1 || !loop.isLoopInvariant(address.getPointerOperand()) ||
      loop.isLoopInvariant(&address))
    return false;
  Terms terms(address.getOperand(1), loop);
  if (terms.changing.empty() || (terms.fixed.empty() && !terms.constant)) return false;
  Type *element = address.getSourceElementType();
  Value *pointer = address.getPointerOperand();
  if (!terms.fixed.empty()) {
    IRBuilder<> before(loop.getLoopPreheader()->getTerminator());
    pointer = before.CreateGEP(element, pointer, sum(before, terms.fixed));
  }
  IRBuilder<> builder(&address);
  pointer = builder.CreateGEP(element, pointer, sum(builder, terms.changing));
  if (terms.constant) pointer = builder.CreateGEP(element, pointer, builder.getInt64(terms.constant));
  address.replaceAllUsesWith(pointer);
  address.eraseFromParent();
  return true;
}

} // namespace

PreservedAnalyses SplitAddresses::run(Loop &loop, LoopAnalysisManager &, LoopStandardAnalysisResults &results,
                                      LPMUpdater &) {
  bool changed = false;
  for (BasicBlock *block : loop.blocks()) {
    if (results.LI.getLoopFor(block) != &loop) continue; // an inner loop's
    for (Instruction &instruction : make_early_inc_range(*block))
      if (auto *address = dyn_cast<GetElementPtrInst>(&instruction)) changed |= split(*address, loop);
  }
  if (!changed) return PreservedAnalyses::all();
  PreservedAnalyses preserved = getLoopPassPreservedAnalyses();
  preserved.preserve<MemorySSAAnalysis>(); // no load and no store is another
  return preserved;
}

} // namespace normc

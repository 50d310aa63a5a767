// Code generation by itself: a module of func.func over scf, vector, arith, math and llvm in, LLVM IR, assembly, an
// object or the result of a call out. For the tests of compiler/emit.
#include "compiler/emit/LowerToLLVM.h"
#include "compiler/emit/Object.h"
#include "compiler/emit/Shared.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/Jit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

static cl::opt<std::string> input(cl::Positional, cl::desc("FILE.mlir"), cl::init("-"));
static cl::opt<std::string> target("target", cl::desc("cpu, cpu:x86-64-v4, ..."), cl::init("cpu"));
static cl::opt<std::string> emit("emit", cl::desc("llvm, asm, object or shared, to standard output"));
static cl::opt<std::string> call("call", cl::desc("calls int64_t NAME(const int64_t *) and prints its result"));
static cl::list<int64_t> values("values", cl::CommaSeparated, cl::desc("what the pointer of --call points at"));

static std::optional<std::string> run(normc::Diagnostics &diagnostics) {
  std::vector<normc::Machine> machines = normc::parseTargets(target, diagnostics);
  if (machines.empty()) return std::nullopt;
  mlir::DialectRegistry registry;
  normc::registerCodeGeneration(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto failed = [&] {
    diagnostics.error({}, "the module is not valid", normc::Fault::spec);
    return std::nullopt;
  };
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(input, &context);
  if (!module) return failed();
  mlir::PassManager passes(&context);
  normc::buildLowerToLLVM(passes);
  if (mlir::failed(passes.run(*module))) return failed();

  auto code = normc::NativeCode::translate(*module, machines.front(), diagnostics);
  if (!code) return std::nullopt;
  if (emit == "llvm") return code->text();
  if (emit == "asm") return code->assembly(diagnostics);
  auto object = code->object(diagnostics);
  if (!object || call.empty()) return object && emit == "shared" ? normc::linkShared(*object, diagnostics) : object;
  auto loaded = normc::LoadedObject::load(*object, diagnostics);
  if (!loaded) return std::nullopt;
  auto *function = loaded->function<int64_t(const int64_t *)>(std::string(call));
  if (!function) return "no exported function " + call + "\n";
  return std::to_string(function(std::vector<int64_t>(values.begin(), values.end()).data())) + "\n";
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "code generation by itself\n");
  normc::Diagnostics diagnostics;
  if (auto text = run(diagnostics)) outs() << *text;
  errs() << diagnostics.format();
  return diagnostics.status();
}

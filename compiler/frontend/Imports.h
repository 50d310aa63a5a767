#ifndef NORMC_COMPILER_FRONTEND_IMPORTS_H
#define NORMC_COMPILER_FRONTEND_IMPORTS_H
#include "compiler/frontend/Ast.h"

namespace normc {

/// Parses a file and all it imports. An import is looked up beside the importing file, then along `importPaths` in
/// order; the caller appends the installed specs to them. Errors (of syntax, of imports, of names declared twice, of
/// fns that call themselves) go to `diagnostics`, which also gets the texts to quote. Never null.
std::unique_ptr<File> parseFile(std::string path, std::string text, const std::vector<std::string> &importPaths,
                                Diagnostics &diagnostics);

/// Reads a file of text: regular, and of at most 4 MiB. Says what is wrong otherwise.
bool readText(const std::string &path, std::string &text, std::string &problem);

/// The functions a parameter of kind fn may name in `unit`: what is visible there, then the installed activations.
const Function *findFunction(const File &file, const Unit &unit, std::string_view name);

} // namespace normc
#endif

#include "compiler/emit/Shared.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace normc {
namespace {

/// A file of our own in the folder for temporary files; removed with this object.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef suffix) { error = sys::fs::createTemporaryFile("normc", suffix, path); }
  ~TemporaryFile() {
    if (!error) sys::fs::remove(path);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  SmallString<128> path;
  std::error_code error;
};

std::optional<std::string> contents(const TemporaryFile &file) {
  auto buffer = MemoryBuffer::getFile(file.path);
  if (!buffer) return std::nullopt;
  return (*buffer)->getBuffer().str();
}

} // namespace

std::optional<std::string> linkShared(const std::string &object, Diagnostics &diagnostics) {
  auto fail = [&](const std::string &message) {
    diagnostics.error({}, "a shared library cannot be linked: " + message, Fault::system);
    return std::nullopt;
  };
  std::string linker;
  for (StringRef name : {"ld.lld-22", "ld.lld", "ld"})
    if (auto found = sys::findProgramByName(name)) {
      linker = *found;
      break;
    }
  if (linker.empty()) return fail("found none of ld.lld-22, ld.lld and ld on the PATH");

  TemporaryFile input("o"), output("so"), messages("txt");
  for (const TemporaryFile *file : {&input, &output, &messages})
    if (file->error) return fail("no temporary file: " + file->error.message());
  {
    std::error_code error;
    raw_fd_ostream stream(input.path, error);
    if (!error) stream << object;
    stream.close();
    if (error || stream.has_error()) {
      if (!error) error = stream.error();
      stream.clear_error();
      return fail(input.path.str().str() + ": " + error.message());
    }
  }
  SmallVector<StringRef> arguments = {linker,           "-shared", "-z",        "noexecstack",
                                      "--no-undefined", "-o",      output.path, input.path};
  std::string error;
  std::optional<StringRef> redirects[] = {StringRef(), messages.path.str(), messages.path.str()};
  int status = sys::ExecuteAndWait(linker, arguments, std::nullopt, redirects, /*SecondsToWait=*/60, 0, &error);
  if (status != 0) {
    if (error.empty()) error = contents(messages).value_or("");
    return fail(linker + ": " + (error.empty() ? "exit status " + std::to_string(status) : error));
  }
  auto library = contents(output);
  if (!library) return fail(output.path.str().str() + " is not readable");
  return library;
}

} // namespace normc

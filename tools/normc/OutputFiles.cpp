#include "tools/normc/OutputFiles.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/Path.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace normc::cli {
namespace {

/// 0, or the system's error.
int writeAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = ::write(descriptor, bytes.data(), std::min(bytes.size(), size_t(1) << 30));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

/// The folder that a file's temporary stands in.
std::string folderOf(const std::string &path) {
  std::string folder = llvm::sys::path::parent_path(path).str();
  return folder.empty() ? "." : folder;
}

enum class Kind { absent, file, folder, special };
Kind kindOf(const std::string &path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return Kind::absent;
  return S_ISREG(status.st_mode) ? Kind::file : S_ISDIR(status.st_mode) ? Kind::folder : Kind::special;
}

/// What a link points at: renaming would replace the link.
std::string resolve(const std::string &path) {
  llvm::SmallString<128> real;
  return llvm::sys::fs::real_path(path, real) ? path : std::string(real);
}

} // namespace

OutputFiles::~OutputFiles() {
  for (Pending &entry : pending)
    if (entry.file) llvm::consumeError(entry.file->discard());
}

bool OutputFiles::fail(const std::string &path, const std::string &message) {
  diagnostics.error({path}, fmt::format("cannot write the file: {}", message), Fault::system);
  return false;
}

bool OutputFiles::check(const std::string &path) {
  std::string target = resolve(path);
  switch (kindOf(target)) {
  case Kind::folder:
    return fail(path, "it is a directory");
  case Kind::special:
    return access(target.c_str(), W_OK) == 0 || fail(path, std::strerror(errno));
  case Kind::file:
    if (access(target.c_str(), W_OK) != 0) return fail(path, std::strerror(errno));
    break;
  case Kind::absent:
    if (path.ends_with('/')) return fail(path, "its name ends in a slash");
    break;
  }
  std::string folder = folderOf(target);
  if (kindOf(folder) != Kind::folder) return fail(path, fmt::format("there is no directory `{}`", folder));
  return access(folder.c_str(), W_OK | X_OK) == 0 || fail(path, std::strerror(errno));
}

bool OutputFiles::write(const std::string &path, const std::vector<std::string_view> &parts) {
  Pending entry;
  entry.path = path;
  entry.target = resolve(path);
  Kind kind = kindOf(entry.target);
  if (kind == Kind::folder) return fail(path, "it is a directory");
  if (kind == Kind::special) {
    for (std::string_view part : parts) entry.contents += part;
    pending.push_back(std::move(entry));
    return true;
  }
  llvm::Expected<llvm::sys::fs::TempFile> file = llvm::sys::fs::TempFile::create(entry.target + ".%%%%%%%%.tmp");
  if (!file) return fail(path, llvm::toString(file.takeError()));
  entry.file = std::move(*file);
  pending.push_back(std::move(entry));
  // Who may read a file that is there already is not ours to change.
  if (struct stat before{}; stat(pending.back().target.c_str(), &before) == 0)
    if (fchmod(pending.back().file->FD, before.st_mode & 07777) != 0) return fail(path, std::strerror(errno));
  for (std::string_view part : parts)
    if (int error = writeAll(pending.back().file->FD, part)) return fail(path, std::strerror(error));
  return true;
}

bool OutputFiles::commit() {
  for (Pending &entry : pending) {
    if (entry.file) {
      llvm::Error error = entry.file->keep(entry.target);
      entry.file.reset();
      if (error) return fail(entry.path, llvm::toString(std::move(error)));
      continue;
    }
    int descriptor = open(entry.target.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return fail(entry.path, std::strerror(errno));
    int error = writeAll(descriptor, entry.contents);
    close(descriptor);
    if (error) return fail(entry.path, std::strerror(error));
  }
  pending.clear();
  return true;
}

bool sameFile(const std::string &one, const std::string &other) {
  struct stat first{}, second{};
  return stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 && S_ISREG(first.st_mode) &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool writeStandardOutput(std::string_view text, Diagnostics &diagnostics) {
  int error = writeAll(STDOUT_FILENO, text);
  if (error) diagnostics.error({"standard output"}, std::strerror(error), Fault::system);
  return error == 0;
}

} // namespace normc::cli

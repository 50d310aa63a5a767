#include "tools/normc/Npz.h"
#include "tools/normc/NpyHeader.h"
#include <fmt/format.h>
#include <list>
#include <memory>
#include <zip.h>

namespace normc::cli {
namespace {

/// An archive opened from memory for reading; nothing is ever written to it.
struct Archive {
  zip_t *zip = nullptr;
  ~Archive() { zip_discard(zip); }
};

struct Entry {
  zip_file_t *file = nullptr;
  ~Entry() {
    if (file) zip_fclose(file);
  }
};

std::vector<std::string> arrayNames(zip_t *zip) {
  std::vector<std::string> names;
  zip_int64_t count = zip_get_num_entries(zip, 0);
  for (zip_int64_t i = 0; i < count; ++i)
    if (const char *name = zip_get_name(zip, static_cast<zip_uint64_t>(i), 0)) {
      std::string_view text = name;
      if (text.ends_with(".npy")) text.remove_suffix(4);
      names.emplace_back(text);
    }
  return names;
}

std::string unknownKey(zip_t *zip, const std::string &key) {
  std::vector<std::string> names = arrayNames(zip);
  std::string message = fmt::format("the archive has no array `{}`", key);
  if (std::string near = nearestName(key, names); !near.empty())
    return message + fmt::format(": did you mean `{}`", near);
  if (names.empty()) return message + ": it is empty";
  constexpr size_t shown = 8;
  bool more = names.size() > shown;
  if (more) names.resize(shown);
  return message + fmt::format(": it has {}{}", fmt::join(names, ", "), more ? ", ..." : "");
}

std::optional<Tensor> readEntry(const ArrayPlace &place, const FileContents &contents, Diagnostics &diagnostics) {
  auto fail = [&](const std::string &message) {
    diagnostics.error({place.format()}, message);
    return std::nullopt;
  };
  zip_error_t error;
  zip_error_init(&error);
  auto message = [&] {
    std::string text = zip_error_strerror(&error);
    zip_error_fini(&error);
    return text;
  };
  zip_source_t *source = zip_source_buffer_create(contents.storage.data(), contents.bytes, 0, &error);
  if (!source) return fail(fmt::format("damaged archive: {}", message()));
  Archive archive{zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error)};
  if (!archive.zip) {
    zip_source_free(source);
    return fail(fmt::format("damaged archive: {}", message()));
  }
  zip_error_fini(&error);
  zip_int64_t index = zip_name_locate(archive.zip, (place.key + ".npy").c_str(), 0);
  if (index < 0) index = zip_name_locate(archive.zip, place.key.c_str(), 0);
  if (index < 0) return fail(unknownKey(archive.zip, place.key));
  zip_stat_t status;
  constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
  if (zip_stat_index(archive.zip, static_cast<zip_uint64_t>(index), 0, &status) != 0 ||
      (status.valid & needed) != needed)
    return fail("damaged archive: the array has no size");
  if (status.comp_method != ZIP_CM_STORE && status.comp_method != ZIP_CM_DEFLATE)
    return fail(fmt::format("compressed by method {}: normc reads stored and deflated arrays", status.comp_method));
  // Deflate makes nothing more than 1032 times smaller: a size beyond that is a lie, and not worth its memory.
  if (status.size / 1032 > status.comp_size + 64)
    return fail(fmt::format("damaged archive: {} bytes cannot hold an array of {}", status.comp_size, status.size));
  std::optional<runtime::Buffer> storage = runtime::Buffer::allocate(status.size + 1);
  if (!storage) {
    diagnostics.error({place.format()}, fmt::format("no memory for its {} bytes", status.size), Fault::system);
    return std::nullopt;
  }
  Entry entry{zip_fopen_index(archive.zip, static_cast<zip_uint64_t>(index), 0)};
  if (!entry.file) return fail(fmt::format("damaged archive: {}", zip_strerror(archive.zip)));
  // The read beyond the last byte is the one that compares the checksum.
  size_t bytes = 0;
  while (bytes <= status.size) {
    zip_int64_t got = zip_fread(entry.file, storage->data() + bytes, status.size + 1 - bytes);
    if (got < 0) return fail(fmt::format("damaged archive: {}", zip_file_strerror(entry.file)));
    if (got == 0) break;
    bytes += static_cast<size_t>(got);
  }
  if (bytes != status.size)
    return fail(fmt::format("damaged archive: expected {} bytes, found {}", status.size, bytes));
  return parseNpy(FileContents{std::move(*storage), bytes}, place.format(), diagnostics);
}

} // namespace

ArrayPlace parseArrayPlace(const std::string &text, const std::string &name) {
  if (text.ends_with(".npz")) return {text, name};
  if (size_t at = text.rfind(".npz:"); at != std::string::npos && at + 5 < text.size())
    return {text.substr(0, at + 4), text.substr(at + 5)};
  return {text, ""};
}

std::optional<Tensor> readArray(const ArrayPlace &place, Diagnostics &diagnostics) {
  std::optional<FileContents> contents = readFile(place.path, diagnostics);
  if (!contents) return std::nullopt;
  if (place.key.empty()) return parseNpy(std::move(*contents), place.path, diagnostics);
  return readEntry(place, *contents, diagnostics);
}

std::optional<runtime::Buffer> formatNpz(const std::vector<NpzEntry> &entries, const std::string &path,
                                         Diagnostics &diagnostics) {
  zip_error_t error;
  zip_error_init(&error);
  auto fail = [&](const char *message) {
    diagnostics.error({path}, fmt::format("cannot make the archive: {}", message), Fault::system);
    zip_error_fini(&error);
    return std::nullopt;
  };
  zip_source_t *target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!target) return fail(zip_error_strerror(&error));
  zip_source_keep(target);
  std::unique_ptr<zip_source_t, decltype(&zip_source_free)> keep(target, zip_source_free);
  zip_t *zip = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (!zip) {
    zip_source_free(target);
    return fail(zip_error_strerror(&error));
  }
  std::list<std::string> headers; // read by zip_close
  for (const NpzEntry &entry : entries) {
    const std::string &header = headers.emplace_back(npyHeader(entry.type, *entry.shape));
    std::optional<int64_t> bytes = byteCount(*entry.shape, bytesOf(entry.type));
    zip_buffer_fragment_t fragments[2] = {
        {reinterpret_cast<zip_uint8_t *>(const_cast<char *>(header.data())), header.size()},
        {reinterpret_cast<zip_uint8_t *>(const_cast<std::byte *>(entry.data)), static_cast<zip_uint64_t>(*bytes)}};
    zip_source_t *source = zip_source_buffer_fragment(zip, fragments, *bytes ? 2 : 1, 0);
    zip_int64_t index = source ? zip_file_add(zip, (entry.key + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8) : -1;
    auto file = static_cast<zip_uint64_t>(index);
    // No time of its own, as NumPy writes it: equal arrays are equal bytes.
    constexpr zip_uint16_t begin = 0, firstDay = 1 << 5 | 1; // 1980-01-01
    if (index < 0 || zip_set_file_compression(zip, file, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(zip, file, begin, firstDay, 0) != 0) {
      std::string message = zip_strerror(zip);
      if (index < 0 && source) zip_source_free(source);
      zip_discard(zip);
      return fail(message.c_str());
    }
  }
  if (zip_close(zip) != 0) {
    std::string message = zip_strerror(zip);
    zip_discard(zip);
    return fail(message.c_str());
  }
  zip_stat_t status;
  if (zip_source_stat(target, &status) != 0 || !(status.valid & ZIP_STAT_SIZE) || zip_source_open(target) != 0)
    return fail(zip_error_strerror(zip_source_error(target)));
  std::optional<runtime::Buffer> result = runtime::Buffer::allocate(status.size);
  if (!result) return fail("no memory");
  size_t bytes = 0;
  while (bytes < status.size) {
    zip_int64_t got = zip_source_read(target, result->data() + bytes, status.size - bytes);
    if (got <= 0) return fail("its bytes cannot be read back");
    bytes += static_cast<size_t>(got);
  }
  zip_source_close(target);
  zip_error_fini(&error);
  return result;
}

} // namespace normc::cli

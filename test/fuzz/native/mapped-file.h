// Replaces the engine's mapped-file.h in the fuzzed program: the "file" is a block of the heap, whose ends the address sanitizer guards.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace {

constexpr int POPULATE = 0;

// The content of the next file.
std::vector<uint8_t> fileContent;

class MappedFile {
 public:
  MappedFile(const char*, int) {
    // The system maps no empty file.
    errno = EINVAL;
    if (fileContent.empty()) return;
    data = malloc(size = fileContent.size());
    memcpy(data, fileContent.data(), size);
  }
  MappedFile(MappedFile&& other) : data(std::exchange(other.data, nullptr)), size(other.size) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() { free(data); }

  void* data = nullptr;
  size_t size = 0;
};

}  // namespace

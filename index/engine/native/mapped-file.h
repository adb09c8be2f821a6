// A file mapped into memory.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace {

// MAP_POPULATE maps all pages in one call rather than on first use. Only Linux has it.
#if defined(MAP_POPULATE)
constexpr int POPULATE = MAP_POPULATE;
#else
constexpr int POPULATE = 0;
#endif

class MappedFile {
 public:
  MappedFile() = default;
  // On failure `data` is null, and errno has the reason.
  MappedFile(const char* path, int flags) {
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat status;
    if (fstat(file, &status) == 0) {
      void* mapped = mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE | flags, file, 0);
      if (mapped != MAP_FAILED) data = mapped, size = status.st_size;
    }
    const int reason = errno;
    close(file);
    errno = reason;
  }
  MappedFile(MappedFile&& other) : data(std::exchange(other.data, nullptr)), size(other.size) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile() {
    if (data) munmap(data, size);
  }

  void* data = nullptr;
  size_t size = 0;
};

}  // namespace

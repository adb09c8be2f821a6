// A BERT encoder with 8-bit weights, in place of a general engine: it maps `encoder.bin` (../FORMAT.md) into memory and computes with
// the processor's own products of bytes. Node-API only: any Node from 20 on loads it.
#include <fcntl.h>
#include <node_api.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "model.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#elif defined(__aarch64__)
#include <arm_neon.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif
#endif

#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
// GCC knows these from version 11 on.
#if defined(__clang__) || __GNUC__ >= 11
#define HAS_AMX
#define NAMESPACE amx
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8")))
#define VECTOR_BYTES 64
#define DOT_AMX
#include "forward.h"
#undef NAMESPACE
#undef TARGET
#undef VECTOR_BYTES
#undef DOT_AMX
#endif
#define NAMESPACE vnni
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define VECTOR_BYTES 64
#define DOT_VNNI
#include "forward.h"
#undef NAMESPACE
#undef TARGET
#undef VECTOR_BYTES
#undef DOT_VNNI
#define NAMESPACE avx2
#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR_BYTES 32
#define DOT_AVX2
#include "forward.h"
#undef NAMESPACE
#undef TARGET
#undef VECTOR_BYTES
#undef DOT_AVX2
#elif defined(__aarch64__)
#define NAMESPACE neon
// Graviton 2, the oldest arm64 processor of Lambda's, and all of Apple's have products of bytes; what has none runs `plain`.
#define TARGET __attribute__((target("arch=armv8.2-a+dotprod")))
#define VECTOR_BYTES 16
#define DOT_NEON
#include "forward.h"
#undef NAMESPACE
#undef TARGET
#undef VECTOR_BYTES
#undef DOT_NEON
#endif
#define NAMESPACE plain
#define TARGET
#define VECTOR_BYTES 16
#include "forward.h"

namespace {

struct Kernel {
  const char* name;
  void (*forward)(const Model&, Room&, int, float*);
};

#if defined(__x86_64__)
struct Features {
  bool avx2 = false, vnni = false;
};

// What the processor has (CPUID) and the system keeps the registers of (XCR0). Not by __builtin_cpu_supports, to which zig's runtime
// always says no.
Features featuresOf() {
  Features features;
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return features;
  const bool fma = c >> 12 & 1;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
  const auto all = [](unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; };
  features.avx2 = all(low, 0x6) && fma && (b >> 5 & 1);
  // AVX-512 F, DQ, BW and VL; VNNI.
  features.vnni = features.avx2 && all(low, 0xe6) && all(b, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31) && (c >> 11 & 1);
  return features;
}
#endif

#if defined(HAS_AMX)
// Whether the processor multiplies tiles of bytes (CPUID 7.0, EDX 24 and 25), and Linux lets this process use them.
bool mayUseTiles() {
#if defined(__linux__)
  unsigned a, b, c, d;
  constexpr int REQUEST_PERMISSION = 0x1023, TILE_DATA = 18;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 3) == 3 &&
         syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
  return false;
#endif
}
#endif

// What this processor can run, quickest first.
std::vector<Kernel> kernels() {
  std::vector<Kernel> found;
#if defined(__x86_64__)
  const Features features = featuresOf();
#if defined(HAS_AMX)
  if (features.vnni && mayUseTiles()) found.push_back({"amx", amx::forward});
#endif
  if (features.vnni) found.push_back({"vnni", vnni::forward});
  if (features.avx2) found.push_back({"avx2", avx2::forward});
#elif defined(__aarch64__) && defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) found.push_back({"neon", neon::forward});
#elif defined(__aarch64__)
  found.push_back({"neon", neon::forward});
#endif
  found.push_back({"plain", plain::forward});
  return found;
}

struct Encoder {
  Model model;
  Room room;
  Kernel kernel;
  void* mapped;
  size_t size;
  ~Encoder() { munmap(mapped, size); }
};

// What a run reads all of is mapped at one go rather than page by page, where the system can.
#if defined(MAP_POPULATE)
constexpr int WHOLE = MAP_POPULATE;
#else
constexpr int WHOLE = 0;
#endif

// A file as memory, or MAP_FAILED. What is written to it stays with this process.
void* mapFile(const std::string& path, int protection, int flags, size_t& size) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return MAP_FAILED;
  struct stat status;
  size = fstat(file, &status) == 0 ? status.st_size : 0;
  void* mapped = mmap(nullptr, size, protection, MAP_PRIVATE | flags, file, 0);
  close(file);
  return mapped;
}

napi_value fail(napi_env env, const std::string& sentence) {
  napi_throw_error(env, nullptr, sentence.c_str());
  return nullptr;
}

std::string text(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string found(length, '\0');
  napi_get_value_string_utf8(env, value, &found[0], length + 1, &length);
  return found;
}

// open(path, sections: Float64Array of start and length of each, kernel?) -> encoder
napi_value open(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const std::string path = text(env, args[0]), wanted = count > 2 ? text(env, args[2]) : "";
  double* sections;
  size_t numbers;
  if (napi_get_typedarray_info(env, args[1], nullptr, &numbers, reinterpret_cast<void**>(&sections), nullptr, nullptr) != napi_ok ||
      numbers != 8)
    return fail(env, "An encoder has four sections.");
  const std::vector<Kernel> all = kernels();
  Kernel kernel = all[0];
  bool known = wanted.empty();
  for (const Kernel& one : all)
    if (wanted == one.name) kernel = one, known = true;
  if (!known) return fail(env, "This processor cannot run the kernel " + wanted + ".");

  size_t size;
  void* mapped = mapFile(path, PROT_READ, WHOLE, size);
  if (mapped == MAP_FAILED) return fail(env, path + " cannot be mapped into memory: build it again, or give the process more memory.");
  const uint8_t* bytes = static_cast<uint8_t*>(mapped);
  Cursor cursors[4];
  for (int i = 0; i < 4; i++) {
    const double start = sections[2 * i], length = sections[2 * i + 1];
    if (!(start >= 0 && length >= 0 && start + length <= static_cast<double>(size))) {
      munmap(mapped, size);
      return fail(env, path + " has a section that lies outside of it: build it again.");
    }
    cursors[i] = {bytes + static_cast<size_t>(start), bytes + static_cast<size_t>(start + length)};
  }
  try {
    Encoder* encoder = new Encoder{read(cursors[0], cursors[1], cursors[2], cursors[3]), {}, kernel, mapped, size};
    napi_value result;
    napi_create_external(env, encoder, [](napi_env, void* data, void*) { delete static_cast<Encoder*>(data); }, nullptr, &result);
    return result;
  } catch (const std::string& reason) {
    munmap(mapped, size);
    return fail(env, path + " is damaged, as " + reason + ": build it again.");
  }
}

// run(encoder, rows: Float32Array of tokens * columns) -> Float32Array of columns
napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  Encoder* encoder = nullptr;
  float* rows = nullptr;
  size_t numbers = 0;
  napi_typedarray_type type;
  if (napi_get_value_external(env, args[0], reinterpret_cast<void**>(&encoder)) != napi_ok ||
      napi_get_typedarray_info(env, args[1], &type, &numbers, reinterpret_cast<void**>(&rows), nullptr, nullptr) != napi_ok ||
      type != napi_float32_array)
    return fail(env, "An encoder runs on a Float32Array.");
  const Model& model = encoder->model;
  const size_t tokens = numbers / model.columns;
  if (tokens == 0 || tokens > static_cast<size_t>(model.maxTokens) || numbers % model.columns)
    return fail(env, "A run takes the rows of 1 to " + std::to_string(model.maxTokens) + " tokens of " +
                         std::to_string(model.columns) + " numbers each, not " + std::to_string(numbers) + " numbers.");
  try {
    encoder->room.fit(model, static_cast<int>(tokens));
  } catch (const std::bad_alloc&) {
    return fail(env, "A run of " + std::to_string(tokens) + " tokens takes more memory than there is: give the process more.");
  }
  memcpy(encoder->room.x.data(), rows, numbers * sizeof(float));
  napi_value buffer, result;
  void* out;
  if (napi_create_arraybuffer(env, model.columns * sizeof(float), &out, &buffer) != napi_ok)
    return fail(env, "There is no memory for a vector: give the process more.");
  encoder->kernel.forward(model, encoder->room, static_cast<int>(tokens), static_cast<float*>(out));
  napi_create_typedarray(env, napi_float32_array, model.columns, buffer, 0, &result);
  return result;
}

struct Mapped {
  size_t size;
};

// map(path) -> Uint8Array of a file, of which only what is used is read
napi_value map(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value args[1], buffer, result;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const std::string path = text(env, args[0]);
  Mapped* kept = new Mapped;
  void* mapped = mapFile(path, PROT_READ | PROT_WRITE, 0, kept->size);
  const auto unmap = [](napi_env, void* data, void* hint) {
    munmap(data, static_cast<Mapped*>(hint)->size);
    delete static_cast<Mapped*>(hint);
  };
  if (mapped == MAP_FAILED) {
    delete kept;
    return fail(env, path + " cannot be mapped into memory: build it again, or give the process more memory.");
  }
  if (napi_create_external_arraybuffer(env, mapped, kept->size, unmap, kept, &buffer) != napi_ok) {
    unmap(env, mapped, kept);
    return fail(env, "This JavaScript engine takes no memory of others for " + path + ": run it with Node.");
  }
  napi_create_typedarray(env, napi_uint8_array, kept->size, buffer, 0, &result);
  return result;
}

// The names of the kernels that this processor can run, quickest first.
napi_value names(napi_env env) {
  const std::vector<Kernel> all = kernels();
  napi_value list;
  napi_create_array_with_length(env, all.size(), &list);
  for (size_t i = 0; i < all.size(); i++) {
    napi_value name;
    napi_create_string_utf8(env, all[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, i, name);
  }
  return list;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value value;
  napi_create_function(env, "open", NAPI_AUTO_LENGTH, open, nullptr, &value);
  napi_set_named_property(env, exports, "open", value);
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, nullptr, &value);
  napi_set_named_property(env, exports, "run", value);
  napi_create_function(env, "map", NAPI_AUTO_LENGTH, map, nullptr, &value);
  napi_set_named_property(env, exports, "map", value);
  napi_set_named_property(env, exports, "kernels", names(env));
  return exports;
}

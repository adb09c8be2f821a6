// The kernels: the encoder's arithmetic, compiled once for each instruction set, and the choice for this processor.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "crc32c.h"
#include "model.h"
#include "token-tables.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
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
// GCC has AMX intrinsics from version 11 on.
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
// Graviton 2, the oldest arm64 processor of Lambda, and all of Apple's have 8-bit dot products. Others run `plain`.
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
#undef NAMESPACE
#undef TARGET
#undef VECTOR_BYTES

namespace {

struct Kernel {
  const char* name;
  void (*forward)(const Model&, Workspace&, int, float*, int, float*);
  void (*matchTokens)(const TokenTables&, const uint8_t*, int, float*);
  // All processors with one of the fast kernels have the instruction for CRC-32C.
  size_t (*differenceOf)(const uint8_t*, size_t, const uint32_t*);
};

// A fixed array: loading the library allocates no memory, and so cannot fail.
struct Kernels {
  Kernel list[4];
  uint32_t count = 0;
  void add(Kernel kernel) { list[count++] = kernel; }
  const Kernel* begin() const { return list; }
  const Kernel* end() const { return list + count; }
};

#if defined(__x86_64__)
struct Features {
  bool avx2 = false, vnni = false;
};

// Features that the processor (CPUID) and the operating system (XCR0) support. Does not use
// __builtin_cpu_supports, which always returns false in zig's runtime.
inline Features detectFeatures() {
  Features features;
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return features;
  const bool fma = c >> 12 & 1;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
  const auto hasAll = [](unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; };
  features.avx2 = hasAll(low, 0x6) && fma && (b >> 5 & 1);
  // AVX-512 F, DQ, BW and VL; VNNI.
  features.vnni =
      features.avx2 && hasAll(low, 0xe6) && hasAll(b, 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31) && (c >> 11 & 1);
  return features;
}
#endif

#if defined(HAS_AMX)
// Whether the processor has 8-bit tile products (CPUID 7.0, EDX 24 and 25) and Linux permits them in this process.
inline bool requestTiles() {
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

// The kernels that this processor supports, fastest first.
inline Kernels supportedKernels() {
  Kernels kernels;
#if defined(__x86_64__)
  const Features features = detectFeatures();
#if defined(HAS_AMX)
  if (features.vnni && requestTiles()) kernels.add({"amx", amx::forward, amx::matchTokens, fastDifference});
#endif
  if (features.vnni) kernels.add({"vnni", vnni::forward, vnni::matchTokens, fastDifference});
  if (features.avx2) kernels.add({"avx2", avx2::forward, avx2::matchTokens, fastDifference});
#elif defined(__aarch64__) && defined(__linux__)
  if (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) kernels.add({"neon", neon::forward, neon::matchTokens, fastDifference});
#elif defined(__aarch64__)
  kernels.add({"neon", neon::forward, neon::matchTokens, fastDifference});
#endif
  kernels.add({"plain", plain::forward, plain::matchTokens, plainDifference});
  return kernels;
}

}  // namespace

// Arithmetic on 16 floats at a time, with the same bits on every processor. Part of forward.h.

// LANES floats in as many of the processor's registers as needed (the vector extension of GCC and Clang).
typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));
typedef float UnalignedFloats __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t UnalignedInts __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(VECTOR_BYTES / 4)));
constexpr int VECTOR_SIZE = VECTOR_BYTES / 4, VECTORS = LANES / VECTOR_SIZE;
struct Lanes {
  Floats parts[VECTORS];
};

#define UNROLL _Pragma("GCC unroll 4")
#define EACH UNROLL for (int i = 0; i < VECTORS; i++)
#define OPERATOR(OP)                                         \
  INLINE TARGET Lanes operator OP(Lanes a, const Lanes& b) { \
    EACH a.parts[i] = a.parts[i] OP b.parts[i];              \
    return a;                                                \
  }                                                          \
  INLINE TARGET Lanes operator OP(Lanes a, float b) {        \
    EACH a.parts[i] = a.parts[i] OP b;                       \
    return a;                                                \
  }
OPERATOR(+)
OPERATOR(-)
OPERATOR(*)
OPERATOR(/)
#undef OPERATOR

// a * b + c, rounded once.
INLINE TARGET Lanes multiplyAdd(const Lanes& a, float b, Lanes c) {
#if defined(DOT_AMX) || defined(DOT_VNNI)
  c.parts[0] = _mm512_fmadd_ps(a.parts[0], _mm512_set1_ps(b), c.parts[0]);
#elif defined(DOT_AVX2)
  EACH c.parts[i] = _mm256_fmadd_ps(a.parts[i], _mm256_set1_ps(b), c.parts[i]);
#elif defined(DOT_NEON)
  EACH c.parts[i] = vfmaq_n_f32(c.parts[i], a.parts[i], b);
#else
  EACH for (int j = 0; j < VECTOR_SIZE; j++) c.parts[i][j] = fmaf(a.parts[i][j], b, c.parts[i][j]);
#endif
  return c;
}

// The minimum of each lane, or b if either is NaN. (GCC 12 warns about AVX-512's intrinsics without a mask.)
INLINE TARGET Lanes min(Lanes a, const Lanes& b) {
#if defined(DOT_AMX) || defined(DOT_VNNI)
  a.parts[0] = _mm512_maskz_min_ps(0xffff, a.parts[0], b.parts[0]);
#elif defined(DOT_AVX2)
  EACH a.parts[i] = _mm256_min_ps(a.parts[i], b.parts[i]);
#else
  EACH a.parts[i] = a.parts[i] < b.parts[i] ? a.parts[i] : b.parts[i];
#endif
  return a;
}

// The maximum of each lane, or b if either is NaN.
INLINE TARGET Lanes max(Lanes a, const Lanes& b) {
#if defined(DOT_AMX) || defined(DOT_VNNI)
  a.parts[0] = _mm512_maskz_max_ps(0xffff, a.parts[0], b.parts[0]);
#elif defined(DOT_AVX2)
  EACH a.parts[i] = _mm256_max_ps(a.parts[i], b.parts[i]);
#else
  EACH a.parts[i] = a.parts[i] > b.parts[i] ? a.parts[i] : b.parts[i];
#endif
  return a;
}

INLINE TARGET Lanes load(const float* from) {
  Lanes lanes;
  EACH lanes.parts[i] = *reinterpret_cast<const UnalignedFloats*>(from + i * VECTOR_SIZE);
  return lanes;
}

INLINE TARGET void store(float* to, const Lanes& lanes) {
  EACH { *reinterpret_cast<UnalignedFloats*>(to + i * VECTOR_SIZE) = lanes.parts[i]; }
}

INLINE TARGET Lanes broadcast(float value) { return Lanes{} + value; }

INLINE TARGET float horizontalSum(const Lanes& lanes) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += lanes.parts[i / VECTOR_SIZE][i % VECTOR_SIZE];
  return sum;
}

INLINE TARGET float horizontalMax(const Lanes& lanes) {
  float largest = lanes.parts[0][0];
  for (int i = 1; i < LANES; i++) {
    const float value = lanes.parts[i / VECTOR_SIZE][i % VECTOR_SIZE];
    largest = value > largest ? value : largest;
  }
  return largest;
}

// Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, and halves to the even one.
INLINE TARGET Lanes roundToEven(const Lanes& x) { return (x + 12582912.0f) - 12582912.0f; }

// What stored bytes lack of their value: NEON's product has signed operands.
#if defined(DOT_NEON)
constexpr int BYTE_OFFSET = 128;
#else
constexpr int BYTE_OFFSET = 0;
#endif

// Stores integers as bytes, limited to 0 .. 255. NaN becomes 0.
INLINE TARGET void storeBytes(uint8_t* to, const Lanes& lanes) {
#if defined(DOT_AMX) || defined(DOT_VNNI)
  const __m512i integers = _mm512_maskz_cvttps_epu32(0xffff, max(lanes, Lanes{}).parts[0]);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_maskz_cvtusepi32_epi8(0xffff, integers));
#elif defined(DOT_AVX2)
  // Both packs limit, and work within halves of a register: they leave 4 bytes of each part in each half.
  const Lanes below = min(broadcast(255.0f), lanes);
  const __m256i words = _mm256_packs_epi32(_mm256_cvttps_epi32(below.parts[0]), _mm256_cvttps_epi32(below.parts[1]));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
  const __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(words, words), order);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(bytes));
#elif defined(DOT_NEON)
  uint16x8_t words[2];
  for (int i = 0; i < 2; i++)
    words[i] = vcombine_u16(vqmovun_s32(vcvtq_s32_f32(lanes.parts[2 * i])),
                            vqmovun_s32(vcvtq_s32_f32(lanes.parts[2 * i + 1])));
  vst1q_u8(to, veorq_u8(vcombine_u8(vqmovn_u16(words[0]), vqmovn_u16(words[1])), vdupq_n_u8(BYTE_OFFSET)));
#else
  const Lanes limited = min(max(lanes, Lanes{}), broadcast(255.0f));
  EACH {
    const Bytes bytes = __builtin_convertvector(__builtin_convertvector(limited.parts[i], Ints), Bytes);
    memcpy(to + i * VECTOR_SIZE, &bytes, sizeof bytes);
  }
#endif
}

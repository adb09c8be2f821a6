// Arithmetic on 16 floats at a time, the same on every processor. Part of forward.h.

// LANES floats in as many of the processor's vectors as that takes (GCC's and Clang's vector extension).
typedef float Vector __attribute__((vector_size(VECTOR_BYTES)));
typedef float Unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(4), may_alias));
typedef int32_t Whole __attribute__((vector_size(VECTOR_BYTES)));
typedef uint8_t Bytes __attribute__((vector_size(VECTOR_BYTES / 4)));
constexpr int VECTOR = VECTOR_BYTES / 4, VECTORS = LANES / VECTOR;
struct Lanes {
  Vector parts[VECTORS];
};

#define UNROLL _Pragma("GCC unroll 4")
#define EACH UNROLL for (int i = 0; i < VECTORS; i++)
#define OPERATOR(OP)                                                   \
INLINE TARGET Lanes operator OP(Lanes a, const Lanes& b) {    \
    EACH a.parts[i] = a.parts[i] OP b.parts[i];                        \
    return a;                                                          \
  }                                                                    \
INLINE TARGET Lanes operator OP(Lanes a, float b) {           \
    EACH a.parts[i] = a.parts[i] OP b;                                 \
    return a;                                                          \
  }
OPERATOR(+) OPERATOR(-) OPERATOR(*) OPERATOR(/)
#undef OPERATOR

// a * b + c, rounded once.
INLINE TARGET Lanes fused(const Lanes& a, float b, Lanes c) {
#if defined(DOT_AMX) || defined(DOT_VNNI)
  c.parts[0] = _mm512_fmadd_ps(a.parts[0], _mm512_set1_ps(b), c.parts[0]);
#elif defined(DOT_AVX2)
  EACH c.parts[i] = _mm256_fmadd_ps(a.parts[i], _mm256_set1_ps(b), c.parts[i]);
#elif defined(DOT_NEON)
  EACH c.parts[i] = vfmaq_n_f32(c.parts[i], a.parts[i], b);
#else
  EACH for (int j = 0; j < VECTOR; j++) c.parts[i][j] = fmaf(a.parts[i][j], b, c.parts[i][j]);
#endif
  return c;
}

INLINE TARGET Lanes lower(Lanes a, const Lanes& b) {
  EACH a.parts[i] = a.parts[i] < b.parts[i] ? a.parts[i] : b.parts[i];
  return a;
}

INLINE TARGET Lanes higher(Lanes a, const Lanes& b) {
  EACH a.parts[i] = a.parts[i] > b.parts[i] ? a.parts[i] : b.parts[i];
  return a;
}

INLINE TARGET Lanes load(const float* from) {
  Lanes lanes;
  EACH lanes.parts[i] = *reinterpret_cast<const Unaligned*>(from + i * VECTOR);
  return lanes;
}

INLINE TARGET void store(float* to, const Lanes& lanes) {
  EACH *reinterpret_cast<Unaligned*>(to + i * VECTOR) = lanes.parts[i];
}

INLINE TARGET Lanes all(float value) { return Lanes{} + value; }

INLINE TARGET float total(const Lanes& lanes) {
  float sum = 0;
  for (int i = 0; i < LANES; i++) sum += lanes.parts[i / VECTOR][i % VECTOR];
  return sum;
}

INLINE TARGET float highest(const Lanes& lanes) {
  float most = lanes.parts[0][0];
  for (int i = 1; i < LANES; i++) {
    const float value = lanes.parts[i / VECTOR][i % VECTOR];
    most = value > most ? value : most;
  }
  return most;
}

// Adding and taking off 1.5 * 2^23 rounds to the nearest whole number, halves to even.
INLINE TARGET Lanes rounded(const Lanes& x) { return (x + 12582912.0f) - 12582912.0f; }

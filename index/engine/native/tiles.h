// Tiles of sums of VNNI, NEON and plain C++. Part of matmul.h.

#if defined(DOT_VNNI)

constexpr int TILE_ROWS = 8, TILE_BLOCKS = 2;

template <int ROWS>
static TARGET void computeTile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  __m512i sums[ROWS][2];
  for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_si512();
  const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
  const size_t tile = 2 * static_cast<size_t>(BLOCK) * depth;
  for (int k = 0; k < depth; k += 4) {
    const __m512i w0 = _mm512_loadu_si512(w + 16 * k), w1 = _mm512_loadu_si512(next + 16 * k);
    // The next tile's weights. By itself, the processor stops at the borders of tiles and pages.
    _mm_prefetch(w + 16 * k + tile, _MM_HINT_T0);
    _mm_prefetch(next + 16 * k + tile, _MM_HINT_T0);
    for (int r = 0; r < ROWS; r++) {
      int32_t four;
      memcpy(&four, a + static_cast<size_t>(r) * depth + k, 4);
      const __m512i x = _mm512_set1_epi32(four);
      sums[r][0] = _mm512_dpbusd_epi32(sums[r][0], x, w0);
      sums[r][1] = _mm512_dpbusd_epi32(sums[r][1], x, w1);
    }
  }
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 2; b++) _mm512_storeu_si512(out + (r * 2 + b) * BLOCK, sums[r][b]);
}

#elif defined(DOT_NEON)

constexpr int TILE_ROWS = 5, TILE_BLOCKS = 1;

template <int ROWS>
static TARGET void computeTile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  int32x4_t sums[ROWS][4];
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 4; b++) sums[r][b] = vdupq_n_s32(0);
  for (int k = 0; k < depth; k += 16) {
    int8x16_t x[ROWS];
    for (int r = 0; r < ROWS; r++) x[r] = vreinterpretq_s8_u8(vld1q_u8(a + static_cast<size_t>(r) * depth + k));
// One step's weights at a time: the compiler would load those of all steps, and lack registers for the sums.
#define STEP(LANE)                                                                                \
  {                                                                                               \
    asm volatile("" : : : "memory");                                                              \
    const int8x16x4_t v = vld1q_s8_x4(w + 16 * (k + 4 * LANE));                                   \
    for (int r = 0; r < ROWS; r++)                                                                \
      for (int b = 0; b < 4; b++) sums[r][b] = vdotq_laneq_s32(sums[r][b], v.val[b], x[r], LANE); \
  }
    STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
  }
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 4; b++) vst1q_s32(out + r * BLOCK + 4 * b, sums[r][b]);
}

#else

constexpr int TILE_ROWS = 1, TILE_BLOCKS = 1;

template <int ROWS>
static TARGET void computeTile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  for (int c = 0; c < BLOCK; c++) out[c] = 0;
  for (int k = 0; k < depth; k += 4)
    for (int c = 0; c < BLOCK; c++)
      for (int i = 0; i < 4; i++) out[c] += a[k + i] * w[16 * k + 4 * c + i];
}

#endif

class Tiles {
 public:
  static constexpr int ROWS = TILE_ROWS, BLOCKS = TILE_BLOCKS;
  static constexpr bool ALL_BLOCKS_FIRST = false;
  const uint32_t zeroPoint;

  TARGET Tiles(const Quantized& a, int, int inputs) : zeroPoint(a.zeroPoint - BYTE_OFFSET), depth(inputs) {}

  TARGET void multiply(int rows, const uint8_t* a, const int8_t* w, int32_t* out) const {
    compute<ROWS>(rows, a, w, out);
  }

 private:
  const int depth;

  template <int MOST>
  TARGET void compute(int rows, const uint8_t* a, const int8_t* w, int32_t* out) const {
    if constexpr (MOST > 1) {
      if (rows < MOST) return compute<MOST - 1>(rows, a, w, out);
    }
    computeTile<MOST>(a, w, depth, out);
  }
};

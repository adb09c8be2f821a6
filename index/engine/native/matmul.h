// Matrix products of 8-bit activations and weights, with the widest instructions of the processor. Part of forward.h.

// Outputs that packed weights interleave, four bytes of each.
constexpr int BLOCK = 16;

// A tile's sums stay in registers: up to TILE_ROWS tokens by TILE_BLOCKS blocks of outputs. `a` has `depth` bytes for
// each token, `w` has 16 * depth bytes for each block. Sums fit an int32: 255 * 128 * 32768, the largest depth, is
// below 2^31.
#if defined(DOT_AMX)

constexpr int TILE_ROWS = 32, TILE_BLOCKS = 2;

#elif defined(DOT_VNNI)

constexpr int TILE_ROWS = 8, TILE_BLOCKS = 2;

template <int ROWS>
static TARGET void computeTile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  __m512i sums[ROWS][2];
  for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_si512();
  const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
  // The processor does not prefetch weights across the borders of tiles and pages.
  const size_t tile = 2 * static_cast<size_t>(BLOCK) * depth;
  for (int k = 0; k < depth; k += 4) {
    const __m512i w0 = _mm512_loadu_si512(w + 16 * k), w1 = _mm512_loadu_si512(next + 16 * k);
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

#elif defined(DOT_AVX2)

constexpr int TILE_ROWS = 32, TILE_BLOCKS = 2;

#elif defined(DOT_NEON)

constexpr int TILE_ROWS = 4, TILE_BLOCKS = 1;

// Both operands of NEON's product are signed. Subtracts 128 from each activation; `dense` corrects the zero point.
template <int ROWS>
static TARGET void computeTile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  const uint8x16_t offset = vdupq_n_u8(128);
  int32x4_t sums[ROWS][4];
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 4; b++) sums[r][b] = vdupq_n_s32(0);
  for (int k = 0; k < depth; k += 16) {
    int8x16_t x[ROWS];
    for (int r = 0; r < ROWS; r++)
      x[r] = vreinterpretq_s8_u8(vsubq_u8(vld1q_u8(a + static_cast<size_t>(r) * depth + k), offset));
#define STEP(LANE)                                                                          \
  for (int b = 0; b < 4; b++) {                                                             \
    const int8x16_t v = vld1q_s8(w + 16 * (k + 4 * LANE) + 16 * b);                         \
    for (int r = 0; r < ROWS; r++) sums[r][b] = vdotq_laneq_s32(sums[r][b], v, x[r], LANE); \
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

#if defined(DOT_AMX)

// Up to 32 tokens by 32 outputs in four tile registers. A tile of activations has 16 rows of 64 bytes. A tile of
// weights has 16 rows of 4 bytes for each of 16 outputs, the order of packed weights (Intel Architecture Instruction
// Set Extensions, TDPBUSD).
static TARGET void multiplyTile(int rows, const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
  const uint8_t* below = a + static_cast<size_t>(16) * depth;
  const int stride = 2 * BLOCK * sizeof(int32_t);
  _tile_zero(0);
  _tile_zero(1);
  if (rows > 16) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int k = 0; k < depth; k += 64) {
    _tile_loadd(4, a + k, depth);
    _tile_loadd(6, w + 16 * k, 64);
    _tile_loadd(7, next + 16 * k, 64);
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
    if (rows > 16) {
      _tile_loadd(5, below + k, depth);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
  }
  _tile_stored(0, out, stride);
  _tile_stored(1, out + BLOCK, stride);
  if (rows > 16) {
    _tile_stored(2, out + 32 * BLOCK, stride);
    _tile_stored(3, out + 33 * BLOCK, stride);
  }
}

// Sets the number of rows of each tile register.
static TARGET void configureTiles(int rows) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shape = {};
  shape.palette = 1;
  const int first = rows < 16 ? rows : 16, second = rows - first;
  const int rowsOf[8] = {first, first, second, second, first, second, 16, 16};
  for (int i = 0; i < 8; i++) {
    shape.bytes[i] = rowsOf[i] > 0 ? 64 : 0;
    shape.rows[i] = rowsOf[i];
  }
  // GCC 12's intrinsic declares only 8 of these bytes as read. Without this, the optimizer drops the other stores.
  asm volatile("" : : "r"(&shape) : "memory");
  _tile_loadconfig(&shape);
}

#elif defined(DOT_AVX2)

// Inputs that are summed in 16 bits before the sum is widened.
constexpr int GROUP = 32;

// The products of four inputs with eight outputs, in pairs: maddubs adds two in 16 bits. Weights from -64 to 64 keep
// these within 255 * 64 * 2.
template <bool WIDE>
INLINE TARGET __m256i addProducts(__m256i sum, __m256i x, const int8_t* w) {
  const __m256i pairs = _mm256_maddubs_epi16(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)));
  sum = WIDE ? _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))) : _mm256_add_epi16(sum, pairs);
  asm("" : "+x"(sum));
  return sum;
}

// Adds (a - zeroPoint) * w of a group of inputs to the sums of a tile.
template <bool WIDE>
static TARGET void multiplyGroup(int rows, const uint8_t* a, const int8_t* w, int depth, int zeroPoint, int32_t* out) {
  const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
  __m256i offsets[4] = {};
  const __m256i zero = _mm256_set1_epi8(zeroPoint);
  for (int k = 0; k < GROUP; k += 4) {
    // Of the next tile.
    _mm_prefetch(w + 16 * k + 32 * static_cast<size_t>(depth), _MM_HINT_T0);
    _mm_prefetch(next + 16 * k + 32 * static_cast<size_t>(depth), _MM_HINT_T0);
    for (int v = 0; v < 4; v++)
      offsets[v] = addProducts<WIDE>(offsets[v], zero, (v < 2 ? w : next) + 16 * k + 32 * (v % 2));
  }
  for (int r = 0; r < rows; r++) {
    __m256i sums[4] = {};
    asm("" : "+r"(w), "+r"(next));
    _Pragma("GCC unroll 8") for (int k = 0; k < GROUP; k += 4) {
      int32_t four;
      memcpy(&four, a + static_cast<size_t>(r) * depth + k, 4);
      const __m256i x = _mm256_set1_epi32(four);
      for (int v = 0; v < 4; v++) sums[v] = addProducts<WIDE>(sums[v], x, (v < 2 ? w : next) + 16 * k + 32 * (v % 2));
    }
    for (int v = 0; v < 4; v++) {
      __m256i* sum = reinterpret_cast<__m256i*>(out + r * 2 * BLOCK + 8 * v);
      const __m256i added = WIDE ? _mm256_sub_epi32(sums[v], offsets[v])
                                 : _mm256_madd_epi16(_mm256_sub_epi16(sums[v], offsets[v]), _mm256_set1_epi16(1));
      _mm256_storeu_si256(sum, _mm256_add_epi32(_mm256_loadu_si256(sum), added));
    }
  }
}

// Whether the sums of a group's (a - zeroPoint) * w fit in 16 bits, for all tokens and any weights from -64 to 64. A
// sum has the products of every second pair of inputs.
static TARGET bool isNarrow(const uint8_t* a, int tokens, int depth, int zeroPoint) {
  const __m256i first = _mm256_set1_epi32(0xffff), zero = _mm256_set1_epi8(zeroPoint);
  __m256i largest = _mm256_setzero_si256();
  for (int t = 0; t < tokens; t++) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + static_cast<size_t>(t) * depth));
    const __m256i low = _mm256_sad_epu8(_mm256_and_si256(x, first), _mm256_and_si256(zero, first));
    const __m256i high = _mm256_sad_epu8(_mm256_andnot_si256(first, x), _mm256_andnot_si256(first, zero));
    __m256i sums = _mm256_or_si256(low, _mm256_slli_epi64(high, 32));
    sums = _mm256_add_epi32(sums, _mm256_permute4x64_epi64(sums, 0x4e));
    sums = _mm256_add_epi32(sums, _mm256_shuffle_epi32(sums, 0x4e));
    largest = _mm256_max_epi32(largest, sums);
  }
  return _mm256_extract_epi32(largest, 0) * 64 <= INT16_MAX && _mm256_extract_epi32(largest, 1) * 64 <= INT16_MAX;
}

static TARGET void multiplyTile(int rows, const uint8_t* a, const int8_t* w, int depth, int zeroPoint,
                                const bool* narrow, int32_t* out) {
  memset(out, 0, rows * 2 * BLOCK * sizeof(int32_t));
  for (int k = 0; k < depth; k += GROUP)
    if (narrow[k / GROUP])
      multiplyGroup<false>(rows, a + k, w + 16 * k, depth, zeroPoint, out);
    else
      multiplyGroup<true>(rows, a + k, w + 16 * k, depth, zeroPoint, out);
}

#else

template <int ROWS>
static TARGET void multiplyTile(int rows, const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  if constexpr (ROWS > 1) {
    if (rows < ROWS) return multiplyTile<ROWS - 1>(rows, a, w, depth, out);
  }
  computeTile<ROWS>(a, w, depth, out);
}

#endif

// sums - zeroPoint * weights. Unsigned, because sums from a damaged file may overflow. Sums from a valid file never do.
INLINE TARGET Lanes toFloats(const int32_t* sums, const int32_t* weights, uint32_t zeroPoint) {
  Lanes lanes;
  EACH {
    const UnalignedInts sum = *reinterpret_cast<const UnalignedInts*>(sums + i * VECTOR_SIZE) -
                              *reinterpret_cast<const UnalignedInts*>(weights + i * VECTOR_SIZE) * zeroPoint;
    lanes.parts[i] = __builtin_convertvector(reinterpret_cast<const Ints&>(sum), Floats);
  }
  return lanes;
}

// out[t][n] = sum over k of (a[t][k] - zeroPoint) * scale * w[k][n] * scales[n] + bias[n]
static TARGET void dense(const Quantized& a, int tokens, const Dense& layer, float* out) {
  const int width = TILE_BLOCKS * BLOCK;
#if defined(DOT_NEON)
  const uint32_t zeroPoint = a.zeroPoint - 128;
#elif defined(DOT_AVX2)
  // Subtracted already.
  const uint32_t zeroPoint = 0;
  // Of the largest depth, see above.
  bool narrow[32768 / GROUP];
  for (int k = 0; k < layer.inputs; k += GROUP)
    narrow[k / GROUP] = isNarrow(a.bytes + k, tokens, layer.inputs, a.zeroPoint);
#else
  const uint32_t zeroPoint = a.zeroPoint;
#endif
#if defined(DOT_AMX)
  // Restored below: ONNX Runtime, if it runs in this process, configures its tiles only once.
  uint8_t shape[64];
  _tile_storeconfig(shape);
  asm volatile("" : : "r"(shape) : "memory");
#endif
  alignas(64) int32_t sums[TILE_ROWS * TILE_BLOCKS * BLOCK];
  // Passes have about the same number of rows, so that no short pass remains.
  const int passes = (tokens + TILE_ROWS - 1) / TILE_ROWS, blocks = layer.outputs / width;
  for (int step = 0; step < passes * blocks; step++) {
#if defined(DOT_AMX)
    const int pass = step / blocks, n = step % blocks * width;
#else
    // All passes use a block's weights while they are in the L1 cache.
    const int pass = step % passes, n = step / passes * width;
#endif
    const int first = tokens * pass / passes, rows = tokens * (pass + 1) / passes - first;
    const uint8_t* activations = a.bytes + static_cast<size_t>(first) * layer.inputs;
    const int8_t* w = layer.weights + static_cast<size_t>(n) * layer.inputs;
#if defined(DOT_AMX)
    if (n == 0) configureTiles(rows);
    multiplyTile(rows, activations, w, layer.inputs, sums);
#elif defined(DOT_AVX2)
    multiplyTile(rows, activations, w, layer.inputs, a.zeroPoint, narrow, sums);
#else
    multiplyTile<TILE_ROWS>(rows, activations, w, layer.inputs, sums);
#endif
    for (int c = 0; c < width; c += LANES) {
      const Lanes scale = load(layer.scales + n + c) * a.scale, bias = load(layer.bias + n + c);
      for (int r = 0; r < rows; r++)
        store(out + static_cast<size_t>(first + r) * layer.outputs + n + c,
              toFloats(sums + r * width + c, layer.sums + n + c, zeroPoint) * scale + bias);
    }
  }
#if defined(DOT_AMX)
  asm volatile("" : : "r"(shape) : "memory");
  _tile_loadconfig(shape);
#endif
}

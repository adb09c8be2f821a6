// The encoder's arithmetic, included once for each kind of processor: NAMESPACE and TARGET are set by encoder.cc, and one of DOT_AMX, DOT_VNNI,
// DOT_AVX2, DOT_NEON or DOT_PLAIN says what multiplies bytes. All floating-point sums have one fixed order and nothing is contracted, so that every
// kind gives the same bits.

namespace NAMESPACE {

// Columns that lie together in packed weights, in groups of four bytes of a column.
constexpr int BLOCK = 16;

// TILE_BLOCKS blocks of columns for up to TILE_ROWS tokens stay in registers. `a` holds tokens of `depth` bytes, `w` blocks of 16 * depth bytes.
#if defined(DOT_AMX)

constexpr int TILE_ROWS = 32, TILE_BLOCKS = 2;

#elif defined(DOT_VNNI)

constexpr int TILE_ROWS = 8, TILE_BLOCKS = 2;

template <int ROWS>
static TARGET void tile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  __m512i sums[ROWS][2];
  for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_si512();
  const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
  for (int k = 0; k < depth; k += 4) {
    const __m512i w0 = _mm512_loadu_si512(w + 16 * k), w1 = _mm512_loadu_si512(next + 16 * k);
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

constexpr int TILE_ROWS = 4, TILE_BLOCKS = 1;

// Weights have 7 bits, so that the pairs that maddubs adds, at most 255 * 64 * 2, fit into 16.
template <int ROWS>
static TARGET void tile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums[ROWS][2];
  for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm256_setzero_si256();
  for (int k = 0; k < depth; k += 4) {
    const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 16 * k));
    const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + 16 * k + 32));
    for (int r = 0; r < ROWS; r++) {
      int32_t four;
      memcpy(&four, a + static_cast<size_t>(r) * depth + k, 4);
      const __m256i x = _mm256_set1_epi32(four);
      sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(_mm256_maddubs_epi16(x, w0), ones));
      sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(_mm256_maddubs_epi16(x, w1), ones));
    }
  }
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 2; b++)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r * BLOCK + 8 * b), sums[r][b]);
}

#elif defined(DOT_NEON)

constexpr int TILE_ROWS = 4, TILE_BLOCKS = 1;

// Both sides of NEON's product are signed: tokens' bytes are 128 less here, which `dense` adds again.
template <int ROWS>
static TARGET void tile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  const uint8x16_t middle = vdupq_n_u8(128);
  int32x4_t sums[ROWS][4];
  for (int r = 0; r < ROWS; r++)
    for (int b = 0; b < 4; b++) sums[r][b] = vdupq_n_s32(0);
  for (int k = 0; k < depth; k += 16) {
    int8x16_t x[ROWS];
    for (int r = 0; r < ROWS; r++)
      x[r] = vreinterpretq_s8_u8(vsubq_u8(vld1q_u8(a + static_cast<size_t>(r) * depth + k), middle));
#define STEP(LANE)                                                                    \
  for (int b = 0; b < 4; b++) {                                                       \
    const int8x16_t v = vld1q_s8(w + 16 * (k + 4 * LANE) + 16 * b);                   \
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
static TARGET void tile(const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  for (int c = 0; c < BLOCK; c++) out[c] = 0;
  for (int k = 0; k < depth; k += 4)
    for (int c = 0; c < BLOCK; c++)
      for (int i = 0; i < 4; i++) out[c] += a[k + i] * w[16 * k + 4 * c + i];
}

#endif

#if defined(DOT_AMX)

// Up to 32 tokens by 32 outputs in four of the processor's tiles. A tile of tokens has 16 rows of 64 bytes, one of weights 16 groups of
// four bytes of 16 outputs, which is how packed weights lie (Intel Architecture Instruction Set Extensions, TDPBUSD).
static TARGET void tileOf(int rows, const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
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

// Tells the processor how many rows the tiles have.
static TARGET void configure(int rows) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shape = {};
  shape.palette = 1;
  const int upper = rows < 16 ? rows : 16, lower = rows - upper;
  const int of[8] = {upper, upper, lower, lower, upper, lower, 16, 16};
  for (int i = 0; i < 8; i++) {
    shape.bytes[i] = of[i] > 0 ? 64 : 0;
    shape.rows[i] = of[i];
  }
  _tile_loadconfig(&shape);
}

#else

template <int ROWS>
static TARGET void tileOf(int rows, const uint8_t* a, const int8_t* w, int depth, int32_t* out) {
  if constexpr (ROWS > 1) {
    if (rows < ROWS) return tileOf<ROWS - 1>(rows, a, w, depth, out);
  }
  tile<ROWS>(a, w, depth, out);
}

#endif

// out[t][n] = sum over k of (a[t][k] - zero) * scale * w[k][n] * scales[n] + bias[n]
static TARGET void dense(const Quantized& a, int tokens, const Dense& layer, float* out) {
  const int width = TILE_BLOCKS * BLOCK;
#if defined(DOT_NEON)
  const int32_t zero = a.zero - 128;
#else
  const int32_t zero = a.zero;
#endif
#if defined(DOT_AMX)
  // ONNX Runtime, where it runs in the same process, relies on the shape that it gave the tiles once.
  uint8_t shape[64];
  _tile_storeconfig(shape);
#endif
  alignas(64) int32_t sums[TILE_ROWS * TILE_BLOCKS * BLOCK];
  // Passes of about equal height, rather than full ones and a low one.
  const int passes = (tokens + TILE_ROWS - 1) / TILE_ROWS, blocks = layer.outputs / width;
  for (int step = 0; step < passes * blocks; step++) {
#if defined(DOT_AMX)
    const int pass = step / blocks, n = step % blocks * width;
#else
    // Weights stay in the nearest cache for all passes.
    const int pass = step % passes, n = step / passes * width;
#endif
    const int first = tokens * pass / passes, rows = tokens * (pass + 1) / passes - first;
    const uint8_t* from = a.bytes + static_cast<size_t>(first) * layer.inputs;
    const int8_t* w = layer.weights + static_cast<size_t>(n) * layer.inputs;
#if defined(DOT_AMX)
    if (n == 0) configure(rows);
    tileOf(rows, from, w, layer.inputs, sums);
#else
    tileOf<TILE_ROWS>(rows, from, w, layer.inputs, sums);
#endif
    for (int r = 0; r < rows; r++) {
      float* row = out + static_cast<size_t>(first + r) * layer.outputs + n;
      for (int c = 0; c < width; c++) {
        const int32_t sum = sums[r * width + c] - zero * layer.sums[n + c];
        row[c] = static_cast<float>(sum) * (a.scale * layer.scales[n + c]) + layer.bias[n + c];
      }
    }
  }
#if defined(DOT_AMX)
  _tile_loadconfig(shape);
#endif
}

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

// ONNX's DynamicQuantizeLinear of x * smooth: 8 bits for the whole tensor, whose range holds 0.
static TARGET void quantize(const float* x, const float* smooth, int tokens, int columns, Quantized& out) {
  Lanes low = {}, high = {};
  for (int t = 0; t < tokens; t++)
    for (int i = 0; i < columns; i += LANES) {
      const Lanes value = load(x + static_cast<size_t>(t) * columns + i) * load(smooth + i);
      low = lower(low, value);
      high = higher(high, value);
    }
  const float least = -highest(Lanes{} - low), most = highest(high);
  out.scale = most == least ? 1.0f : (most - least) / 255.0f;
  const float inverse = 1.0f / out.scale;
  const Lanes zero = rounded(all(0.0f - least * inverse));
  out.zero = static_cast<int32_t>(zero.parts[0][0]);
  for (int t = 0; t < tokens; t++)
    for (int i = 0; i < columns; i += LANES) {
      const size_t at = static_cast<size_t>(t) * columns + i;
      const Lanes value = rounded(load(x + at) * load(smooth + i) * inverse) + zero;
      const Lanes byte = lower(higher(value, Lanes{}), all(255.0f));
      for (int v = 0; v < VECTORS; v++) {
        const Bytes bytes = __builtin_convertvector(__builtin_convertvector(byte.parts[v], Whole), Bytes);
        memcpy(out.bytes + at + v * VECTOR, &bytes, sizeof bytes);
      }
    }
}

// x = (x + added - mean) / deviation * weight + bias, for each token.
static TARGET void normalize(float* x, const float* added, const Norm& norm, int tokens, int columns) {
  for (int t = 0; t < tokens; t++) {
    float* row = x + static_cast<size_t>(t) * columns;
    Lanes sums = {}, squares = {};
    for (int i = 0; i < columns; i += LANES) {
      if (added) store(row + i, load(row + i) + load(added + static_cast<size_t>(t) * columns + i));
      sums = sums + load(row + i);
    }
    const float mean = total(sums) / columns;
    for (int i = 0; i < columns; i += LANES) squares = squares + (load(row + i) - mean) * (load(row + i) - mean);
    const float scale = 1.0f / sqrtf(total(squares) / columns + norm.epsilon);
    for (int i = 0; i < columns; i += LANES)
      store(row + i, (load(row + i) - mean) * scale * load(norm.weight + i) + load(norm.bias + i));
  }
}

// e^x for x <= 0, to 2e-7 of itself: 2^n times a polynomial in what is left (Cephes, expf).
INLINE TARGET Lanes exponential(Lanes x) {
  x = higher(x, all(-87.0f));
  const Lanes n = rounded(x * 1.44269504088896341f);
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  Lanes power;
  for (int i = 0; i < VECTORS; i++) {
    const Whole bits = (__builtin_convertvector(n.parts[i], Whole) + 127) << 23;
    memcpy(&power.parts[i], &bits, sizeof bits);
  }
  return y * power;
}

// x / 2 * (1 + erf(x / sqrt 2)); erf to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
static TARGET void gelu(float* x, size_t count) {
  for (size_t i = 0; i < count; i += LANES) {
    const Lanes value = load(x + i), z = value * 0.70710678118654752f, size = higher(z, Lanes{} - z);
    const Lanes t = all(1.0f) / (size * 0.3275911f + 1.0f);
    Lanes sum = t * 1.061405429f - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    const Lanes tail = sum * t * exponential(Lanes{} - size * size);
    Lanes erf;
    for (int v = 0; v < VECTORS; v++)
      erf.parts[v] = z.parts[v] < 0.0f ? tail.parts[v] - 1.0f : 1.0f - tail.parts[v];
    store(x + i, value * 0.5f * (erf + 1.0f));
  }
}

// Attention of all tokens to all, head by head and four tokens at a time. `qkv` has 3 * columns numbers a token; `keys`, `values`
// and `scores` are room for head size * padded, as many, and 4 * padded numbers, padded being the tokens' number rounded up to 2 * LANES.
static TARGET void attend(const float* qkv, int tokens, int columns, int heads, float* keys, float* values, float* scores,
                          float* out) {
  constexpr int ROWS = 4;
  const int size = columns / heads, padded = (tokens + 2 * LANES - 1) / (2 * LANES) * (2 * LANES);
  const float scale = 1.0f / sqrtf(static_cast<float>(size));
  const size_t stride = 3 * static_cast<size_t>(columns);
  for (int h = 0; h < heads; h++) {
    const float* q = qkv + h * size;
    const float* k = q + columns;
    const float* v = k + columns;
    for (int d = 0; d < size; d++) {
      for (int j = 0; j < tokens; j++) keys[d * padded + j] = k[j * stride + d];
      for (int j = tokens; j < padded; j++) keys[d * padded + j] = 0;
    }
    // Apart, as rows of a stride near a page's size push each other out of the cache.
    for (int j = 0; j < tokens; j++) memcpy(values + j * size, v + j * stride, size * sizeof(float));
    for (int first = 0; first < tokens; first += ROWS) {
      // The last rows are done again where there are fewer than four.
      int rows[ROWS];
      for (int r = 0; r < ROWS; r++) rows[r] = first + r < tokens ? first + r : tokens - 1;
      for (int j = 0; j < padded; j += 2 * LANES) {
        Lanes sums[ROWS][2] = {};
        for (int d = 0; d < size; d++) {
          const Lanes here = load(keys + d * padded + j), next = load(keys + d * padded + j + LANES);
          UNROLL for (int r = 0; r < ROWS; r++) {
            const float number = q[rows[r] * stride + d];
            sums[r][0] = fused(here, number, sums[r][0]);
            sums[r][1] = fused(next, number, sums[r][1]);
          }
        }
        for (int r = 0; r < ROWS; r++)
          for (int b = 0; b < 2; b++) store(scores + r * padded + j + b * LANES, sums[r][b] * scale);
      }
      float shares[ROWS];
      for (int r = 0; r < ROWS; r++) {
        float* row = scores + r * padded;
        for (int j = tokens; j < padded; j++) row[j] = row[0];
        Lanes high = load(row), sums = {};
        for (int j = LANES; j < padded; j += LANES) high = higher(high, load(row + j));
        const float most = highest(high);
        for (int j = 0; j < padded; j += LANES) store(row + j, exponential(load(row + j) - most));
        for (int j = tokens; j < padded; j++) row[j] = 0;
        for (int j = 0; j < padded; j += LANES) sums = sums + load(row + j);
        shares[r] = 1.0f / total(sums);
      }
      for (int d = 0; d < size; d += 2 * LANES) {
        Lanes sums[ROWS][2] = {};
        for (int j = 0; j < tokens; j++) {
          const Lanes here = load(values + j * size + d), next = load(values + j * size + d + LANES);
          UNROLL for (int r = 0; r < ROWS; r++) {
            const float weight = scores[r * padded + j];
            sums[r][0] = fused(here, weight, sums[r][0]);
            sums[r][1] = fused(next, weight, sums[r][1]);
          }
        }
        for (int r = 0; r < ROWS; r++)
          for (int b = 0; b < 2; b++)
            store(out + static_cast<size_t>(rows[r]) * columns + h * size + d + b * LANES, sums[r][b] * shares[r]);
      }
    }
  }
}

// The mean over the tokens, less its parts along the axes, of length 1.
static TARGET void pool(const float* x, int tokens, const Model& model, float* mean, float* out) {
  const int columns = model.columns;
  for (int i = 0; i < columns; i += LANES) {
    Lanes sum = {};
    for (int t = 0; t < tokens; t++) sum = sum + load(x + static_cast<size_t>(t) * columns + i);
    store(mean + i, sum / static_cast<float>(tokens));
    store(out + i, load(mean + i));
  }
  for (int a = 0; a < model.axes; a++) {
    const float* axis = model.axisRows + static_cast<size_t>(a) * columns;
    Lanes sums = {};
    for (int i = 0; i < columns; i += LANES) sums = sums + load(mean + i) * load(axis + i);
    const float along = total(sums);
    for (int i = 0; i < columns; i += LANES) store(out + i, load(out + i) - load(axis + i) * along);
  }
  Lanes squares = {};
  for (int i = 0; i < columns; i += LANES) squares = squares + load(out + i) * load(out + i);
  const float length = sqrtf(total(squares));
  for (int i = 0; i < columns; i += LANES) store(out + i, load(out + i) / length);
}

static TARGET void forward(const Model& model, Room& room, int tokens, float* out) {
  const int columns = model.columns;
  float *x = room.x.data(), *wide = room.wide.data(), *narrow = room.narrow.data();
  normalize(x, nullptr, model.first, tokens, columns);
  for (const Layer& layer : model.layers) {
    quantize(x, layer.qkvSmooth, tokens, columns, room.quantized);
    dense(room.quantized, tokens, layer.qkv, wide);
    attend(wide, tokens, columns, model.heads, room.keys.data(), room.values.data(), room.scores.data(), narrow);
    quantize(narrow, layer.attendedSmooth, tokens, columns, room.quantized);
    dense(room.quantized, tokens, layer.attended, narrow);
    normalize(x, narrow, layer.attendedNorm, tokens, columns);
    quantize(x, layer.innerSmooth, tokens, columns, room.quantized);
    dense(room.quantized, tokens, layer.inner, wide);
    gelu(wide, static_cast<size_t>(tokens) * layer.inner.outputs);
    quantize(wide, layer.outerSmooth, tokens, layer.inner.outputs, room.quantized);
    dense(room.quantized, tokens, layer.outer, narrow);
    normalize(x, narrow, layer.outerNorm, tokens, columns);
  }
  pool(x, tokens, model, narrow, out);
}

#undef EACH
#undef UNROLL

}  // namespace NAMESPACE

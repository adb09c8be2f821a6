// Tiles of sums of AVX2, which adds products in 16 bits where they fit. Part of matmul.h.

// Inputs that are summed in 16 bits before the sum is widened.
constexpr int GROUP = 32;

// The products of four inputs with eight outputs, in pairs: maddubs adds two in 16 bits. Weights from -64 to 64 keep
// these within 255 * 64 * 2.
template <bool WIDE>
INLINE TARGET __m256i addProducts(__m256i sum, __m256i x, const int8_t* w) {
  const __m256i pairs = _mm256_maddubs_epi16(x, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w)));
  sum = WIDE ? _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))) : _mm256_add_epi16(sum, pairs);
  // Keeps the compiler from adding in another order, for which it lacks registers.
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
    // Hides that the last row used the same weights: the compiler would copy all of them to the stack.
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

// Whether the sums of a group's (a - zeroPoint) * w fit in 16 bits, for all tokens and any weights from -64 to 64. If
// so, they are right although the sums of a * w and of zeroPoint * w wrap around. A sum has the products of every
// second pair of inputs.
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

class Tiles {
 public:
  static constexpr int ROWS = 32, BLOCKS = 2;
  static constexpr bool ALL_BLOCKS_FIRST = false;
  // Subtracted already.
  static constexpr uint32_t zeroPoint = 0;

  TARGET Tiles(const Quantized& a, int tokens, int inputs) : zero(a.zeroPoint), depth(inputs) {
    for (int k = 0; k < depth; k += GROUP) narrow[k / GROUP] = isNarrow(a.bytes + k, tokens, depth, zero);
  }

  TARGET void multiply(int rows, const uint8_t* a, const int8_t* w, int32_t* out) const {
    memset(out, 0, rows * BLOCKS * BLOCK * sizeof(int32_t));
    for (int k = 0; k < depth; k += GROUP)
      if (narrow[k / GROUP])
        multiplyGroup<false>(rows, a + k, w + 16 * k, depth, zero, out);
      else
        multiplyGroup<true>(rows, a + k, w + 16 * k, depth, zero, out);
  }

 private:
  const int zero, depth;
  bool narrow[MAX_SIZE / GROUP];
};

// Similarities of a question's tokens to a passage's (token-tables.h). Part of forward.h. Sums are integers, so all
// kernels return the same bits.

// The sums of a block's tokens: for each token, the entries of its codes. `parts` is a multiple of 4, at most 256, so
// a sum is at most 255 * 256.
static TARGET void sumBlock(const uint8_t* tables, const uint8_t* codes, int parts, uint16_t* sums) {
  const uint8_t* odd = tables + CODES * (parts / 2);
#if defined(DOT_AMX) || defined(DOT_VNNI) || defined(DOT_AVX2)
  // Each half of a register has two parts of all tokens. Bytes are added in words: even tokens, and odd tokens.
  const __m256i nibble = _mm256_set1_epi8(15), byte = _mm256_set1_epi16(255);
  __m256i evenTokens = _mm256_setzero_si256(), oddTokens = _mm256_setzero_si256();
  for (int at = 0; at < BLOCK_TOKENS * (parts / 2); at += 2 * BLOCK_TOKENS) {
    const __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes + at));
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tables + at));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(odd + at));
    const __m256i low = _mm256_shuffle_epi8(first, _mm256_and_si256(both, nibble));
    const __m256i high = _mm256_shuffle_epi8(second, _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble));
    evenTokens = _mm256_add_epi16(evenTokens, _mm256_and_si256(low, byte));
    evenTokens = _mm256_add_epi16(evenTokens, _mm256_and_si256(high, byte));
    oddTokens = _mm256_add_epi16(oddTokens, _mm256_srli_epi16(low, 8));
    oddTokens = _mm256_add_epi16(oddTokens, _mm256_srli_epi16(high, 8));
  }
  const __m128i evenSums = _mm_add_epi16(_mm256_castsi256_si128(evenTokens), _mm256_extracti128_si256(evenTokens, 1));
  const __m128i oddSums = _mm_add_epi16(_mm256_castsi256_si128(oddTokens), _mm256_extracti128_si256(oddTokens, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(sums), _mm_unpacklo_epi16(evenSums, oddSums));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(sums + 8), _mm_unpackhi_epi16(evenSums, oddSums));
#elif defined(DOT_NEON)
  uint16x8_t low = vdupq_n_u16(0), high = vdupq_n_u16(0);
  for (int at = 0; at < BLOCK_TOKENS * (parts / 2); at += BLOCK_TOKENS) {
    const uint8x16_t both = vld1q_u8(codes + at);
    const uint8x16_t first = vqtbl1q_u8(vld1q_u8(tables + at), vandq_u8(both, vdupq_n_u8(15)));
    const uint8x16_t second = vqtbl1q_u8(vld1q_u8(odd + at), vshrq_n_u8(both, 4));
    low = vaddw_u8(vaddw_u8(low, vget_low_u8(first)), vget_low_u8(second));
    high = vaddw_u8(vaddw_u8(high, vget_high_u8(first)), vget_high_u8(second));
  }
  vst1q_u16(sums, low);
  vst1q_u16(sums + 8, high);
#else
  for (int t = 0; t < BLOCK_TOKENS; t++) sums[t] = 0;
  for (int at = 0; at < BLOCK_TOKENS * (parts / 2); at += BLOCK_TOKENS)
    for (int t = 0; t < BLOCK_TOKENS; t++) {
      const uint8_t both = codes[at + t];
      sums[t] += tables[at + (both & 15)] + odd[at + (both >> 4)];
    }
#endif
}

// For each token of the question, the most similar of `count` passage tokens: its similarity, then its number.
static TARGET void matchTokens(const TokenTables& question, const uint8_t* codes, int count, float* out) {
  const int parts = question.parts;
  for (int q = 0; q < question.tokens; q++) {
    const uint8_t* tables = question.bytes + static_cast<size_t>(CODES) * parts * q;
    int best = 0, largest = -1;
    for (int first = 0; first < count; first += BLOCK_TOKENS) {
      uint16_t sums[BLOCK_TOKENS];
      sumBlock(tables, codes + static_cast<size_t>(parts / 2) * first, parts, sums);
      for (int t = 0; t < BLOCK_TOKENS && first + t < count; t++)
        if (sums[t] > largest) {
          largest = sums[t];
          best = first + t;
        }
    }
    out[2 * q] = count == 0 ? 0.0f : static_cast<float>(largest) * question.scales[2 * q] + question.scales[2 * q + 1];
    out[2 * q + 1] = static_cast<float>(best);
  }
}

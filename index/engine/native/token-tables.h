// Product quantization of token states (Jegou, Douze and Schmid 2011): a state has parts of PART numbers, and each
// part's code is the number of its nearest codeword (index/format/FORMAT.md, tokens.bin).
#pragma once

#include <cstddef>
#include <cstdint>

namespace {

constexpr int PART = 4, CODES = 16;
// The codes of this many tokens are interleaved: for each two parts, a byte of each token.
constexpr int BLOCK_TOKENS = 16;
// With this many parts, a sum of bytes fits 16 bits.
constexpr int MAX_PARTS = 256;

// The products of a question's token states with all codewords, rounded to bytes. The similarity of a question token to
// a passage token is scale * (the sum of the bytes at the passage token's codes) + least.
struct TokenTables {
  int tokens, parts;
  // For each token its scale and its least.
  float* scales;
  // For each token the tables of the even parts, then those of the odd parts.
  uint8_t* bytes;

  // Bytes of a token's tables.
  static size_t size(size_t parts) { return 2 * sizeof(float) + parts * CODES; }
  TokenTables(void* data, size_t tokens, size_t parts)
      : tokens(static_cast<int>(tokens)),
        parts(static_cast<int>(parts)),
        scales(static_cast<float*>(data)),
        bytes(static_cast<uint8_t*>(data) + tokens * 2 * sizeof(float)) {}
};

// Fills the tables. `states` has parts * PART numbers for each token, `codewords` has CODES * PART for each part.
inline void tabulate(const float* states, const float* codewords, const TokenTables& tables) {
  const int parts = tables.parts;
  float products[MAX_PARTS][CODES], lowest[MAX_PARTS];
  for (int t = 0; t < tables.tokens; t++) {
    float widest = 0, least = 0;
    for (int part = 0; part < parts; part++) {
      const float* state = states + (static_cast<size_t>(t) * parts + part) * PART;
      float low = 0, high = 0;
      for (int code = 0; code < CODES; code++) {
        const float* word = codewords + (static_cast<size_t>(part) * CODES + code) * PART;
        float product = 0;
        for (int i = 0; i < PART; i++) product += state[i] * word[i];
        products[part][code] = product;
        low = code == 0 || product < low ? product : low;
        high = code == 0 || product > high ? product : high;
      }
      lowest[part] = low;
      least += low;
      widest = high - low > widest ? high - low : widest;
    }
    const float scale = widest > 0 ? widest / 255.0f : 1.0f;
    tables.scales[2 * t] = scale;
    tables.scales[2 * t + 1] = least;
    uint8_t* bytes = tables.bytes + static_cast<size_t>(t) * parts * CODES;
    for (int part = 0; part < parts; part++)
      for (int code = 0; code < CODES; code++) {
        const float steps = (products[part][code] - lowest[part]) / scale + 0.5f;
        // NaN becomes 0, so that every input has a defined result.
        const float byte = steps >= 0 ? (steps < 255.0f ? steps : 255.0f) : 0.0f;
        bytes[(part % 2 * (parts / 2) + part / 2) * CODES + code] = static_cast<uint8_t>(byte);
      }
  }
}

}  // namespace

// Matrix products of 8-bit activations and weights, with the widest instructions of the processor. Part of forward.h.

// Outputs that packed weights interleave, four bytes of each.
constexpr int BLOCK = 16;

// `Tiles` computes tiles of sums of products: up to ROWS tokens by BLOCKS blocks of outputs. `a` has the inputs' bytes
// of each token, `w` has 16 bytes for each input of a block. Sums fit an int32: 255 * 128 * MAX_SIZE is below 2^31.
#if defined(DOT_AMX)
#include "tiles-amx.h"
#elif defined(DOT_AVX2)
#include "tiles-avx2.h"
#else
#include "tiles.h"
#endif

// sums - zeroPoint * weights. Unsigned, because sums from a damaged file may overflow. Sums from a valid file never do.
INLINE TARGET Lanes toFloats(const int32_t* sums, const int32_t* weights, uint32_t zeroPoint) {
  Lanes lanes;
  EACH {
    const UnalignedInts sum = *reinterpret_cast<const UnalignedInts*>(sums + i * VECTOR_SIZE) -
                              *reinterpret_cast<const UnalignedInts*>(weights + i * VECTOR_SIZE) * zeroPoint;
    Ints bits;
    memcpy(&bits, &sum, sizeof sum);
    lanes.parts[i] = __builtin_convertvector(bits, Floats);
  }
  return lanes;
}

// out[t][n] = sum over k of (a[t][k] - zeroPoint) * scale * w[k][n] * scales[n] + bias[n]
static TARGET void dense(const Quantized& a, int tokens, const Dense& layer, float* out) {
  constexpr int ROWS = Tiles::ROWS, WIDTH = Tiles::BLOCKS * BLOCK;
  Tiles tiles(a, tokens, layer.inputs);
  alignas(64) int32_t sums[ROWS * WIDTH];
  // Passes have about the same number of rows, so that no short pass remains.
  const int passes = (tokens + ROWS - 1) / ROWS, blocks = layer.outputs / WIDTH;
  for (int step = 0; step < passes * blocks; step++) {
    // By default, all passes use a block's weights while they are in the L1 cache.
    const int pass = Tiles::ALL_BLOCKS_FIRST ? step / blocks : step % passes;
    const int n = (Tiles::ALL_BLOCKS_FIRST ? step % blocks : step / passes) * WIDTH;
    const int first = tokens * pass / passes, rows = tokens * (pass + 1) / passes - first;
    tiles.multiply(rows, a.bytes + static_cast<size_t>(first) * layer.inputs,
                   layer.weights + static_cast<size_t>(n) * layer.inputs, sums);
    for (int c = 0; c < WIDTH; c += LANES) {
      const Lanes scale = load(layer.scales + n + c) * a.scale, bias = load(layer.bias + n + c);
      for (int r = 0; r < rows; r++)
        store(out + static_cast<size_t>(first + r) * layer.outputs + n + c,
              toFloats(sums + r * WIDTH + c, layer.sums + n + c, tiles.zeroPoint) * scale + bias);
    }
  }
}

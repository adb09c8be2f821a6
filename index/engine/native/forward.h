// The encoder's arithmetic. kernels.h includes this file once for each kernel. It defines NAMESPACE, TARGET,
// VECTOR_BYTES and, except for `plain`, DOT_AMX, DOT_VNNI, DOT_AVX2 or DOT_NEON, the instructions for 8-bit products.
// All kernels return the same bits: floating-point sums have a fixed order, and the compiler contracts nothing.

namespace NAMESPACE {

#include "lanes.h"

#include "match-tokens.h"
#include "matmul.h"

// ONNX's DynamicQuantizeLinear of x * smooth: one scale and zero point for all tokens, in a range that includes 0.
// NaN becomes 0, so that every input has a defined result.
static TARGET void quantize(const float* x, const float* smooth, int tokens, int columns, Quantized& out) {
  Lanes low = {}, high = {};
  for (int t = 0; t < tokens; t++)
    for (int i = 0; i < columns; i += LANES) {
      const Lanes value = load(x + static_cast<size_t>(t) * columns + i) * load(smooth + i);
      low = min(low, value);
      high = max(high, value);
    }
  const float smallest = -horizontalMax(Lanes{} - low), largest = horizontalMax(high);
  out.scale = largest == smallest ? 1.0f : (largest - smallest) / 255.0f;
  const float inverse = 1.0f / out.scale;
  const Lanes zeroPoint = min(max(roundToEven(broadcast(0.0f - smallest * inverse)), Lanes{}), broadcast(255.0f));
  out.zeroPoint = static_cast<int32_t>(zeroPoint.parts[0][0]);
  for (int t = 0; t < tokens; t++)
    for (int i = 0; i < columns; i += LANES) {
      const size_t at = static_cast<size_t>(t) * columns + i;
      storeBytes(out.bytes + at, roundToEven(load(x + at) * load(smooth + i) * inverse) + zeroPoint);
    }
}

// x = (x + residual - mean) / deviation * weight + bias, for each token.
static TARGET void normalize(float* x, const float* residual, const Norm& norm, int tokens, int columns) {
  for (int t = 0; t < tokens; t++) {
    float* row = x + static_cast<size_t>(t) * columns;
    Lanes sums = {}, squares = {};
    for (int i = 0; i < columns; i += LANES) {
      if (residual) store(row + i, load(row + i) + load(residual + static_cast<size_t>(t) * columns + i));
      sums = sums + load(row + i);
    }
    const float mean = horizontalSum(sums) / columns;
    for (int i = 0; i < columns; i += LANES) squares = squares + (load(row + i) - mean) * (load(row + i) - mean);
    const float scale = 1.0f / sqrtf(horizontalSum(squares) / columns + norm.epsilon);
    for (int i = 0; i < columns; i += LANES)
      store(row + i, (load(row + i) - mean) * scale * load(norm.weight + i) + load(norm.bias + i));
  }
}

// e^x for x <= 0, with a relative error of 2e-7: 2^n times a polynomial of the remainder (Cephes, expf). Clamps x to
// -87 .. 0.
INLINE TARGET Lanes exponential(Lanes x) {
  x = min(max(x, broadcast(-87.0f)), Lanes{});
  const Lanes n = roundToEven(x * 1.44269504088896341f);
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  Lanes power;
  for (int i = 0; i < VECTORS; i++) {
    const Ints bits = (__builtin_convertvector(n.parts[i], Ints) + 127) << 23;
    memcpy(&power.parts[i], &bits, sizeof bits);
  }
  return y * power;
}

// x / 2 * (1 + erf(x / sqrt 2)), with an absolute error of erf of 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
static TARGET void gelu(float* x, size_t count) {
  for (size_t i = 0; i < count; i += LANES) {
    const Lanes value = load(x + i), z = value * 0.70710678118654752f, size = max(z, Lanes{} - z);
    const Lanes t = broadcast(1.0f) / (size * 0.3275911f + 1.0f);
    Lanes sum = t * 1.061405429f - 1.453152027f;
    sum = sum * t + 1.421413741f;
    sum = sum * t - 0.284496736f;
    sum = sum * t + 0.254829592f;
    const Lanes tail = sum * t * exponential(Lanes{} - size * size);
    Lanes erf;
    for (int v = 0; v < VECTORS; v++) erf.parts[v] = z.parts[v] < 0.0f ? tail.parts[v] - 1.0f : 1.0f - tail.parts[v];
    store(x + i, value * 0.5f * (erf + 1.0f));
  }
}

// Attention of all tokens to all tokens, head by head and four tokens at a time. `qkv` has 3 * columns numbers for each
// token. With padded = the number of tokens rounded up to LANES, `keys` and `values` have space for columns / heads
// * padded numbers, and `scores` for 4 * padded.
static TARGET void attend(const float* qkv, int tokens, int columns, int heads, float* keys, float* values,
                          float* scores, float* out) {
  constexpr int ROWS = 4;
  const int size = columns / heads, padded = (tokens + LANES - 1) / LANES * LANES;
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
    // Copied, as rows with a stride near the page size evict each other from the cache.
    for (int j = 0; j < tokens; j++) memcpy(values + j * size, v + j * stride, size * sizeof(float));
    for (int first = 0; first < tokens; first += ROWS) {
      // The last group repeats the last token to have four rows.
      int rows[ROWS];
      for (int r = 0; r < ROWS; r++) rows[r] = first + r < tokens ? first + r : tokens - 1;
      for (int j = 0; j < padded; j += LANES) {
        Lanes sums[ROWS] = {};
        for (int d = 0; d < size; d++) {
          const Lanes key = load(keys + d * padded + j);
          UNROLL for (int r = 0; r < ROWS; r++) sums[r] = multiplyAdd(key, q[rows[r] * stride + d], sums[r]);
        }
        for (int r = 0; r < ROWS; r++) store(scores + r * padded + j, sums[r] * scale);
      }
      float inverseSums[ROWS];
      for (int r = 0; r < ROWS; r++) {
        float* row = scores + r * padded;
        for (int j = tokens; j < padded; j++) row[j] = row[0];
        Lanes maxima = load(row), sums = {};
        for (int j = LANES; j < padded; j += LANES) maxima = max(maxima, load(row + j));
        const float largest = horizontalMax(maxima);
        for (int j = 0; j < padded; j += LANES) store(row + j, exponential(load(row + j) - largest));
        for (int j = tokens; j < padded; j++) row[j] = 0;
        for (int j = 0; j < padded; j += LANES) sums = sums + load(row + j);
        inverseSums[r] = 1.0f / horizontalSum(sums);
      }
      for (int d = 0; d < size; d += LANES) {
        Lanes sums[ROWS] = {};
        for (int j = 0; j < tokens; j++) {
          const Lanes value = load(values + j * size + d);
          UNROLL for (int r = 0; r < ROWS; r++) sums[r] = multiplyAdd(value, scores[r * padded + j], sums[r]);
        }
        for (int r = 0; r < ROWS; r++)
          store(out + static_cast<size_t>(rows[r]) * columns + h * size + d, sums[r] * inverseSums[r]);
      }
    }
  }
}

// The mean over the tokens, minus its components along the axes, scaled to length 1.
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
    const float along = horizontalSum(sums);
    for (int i = 0; i < columns; i += LANES) store(out + i, load(out + i) - load(axis + i) * along);
  }
  Lanes squares = {};
  for (int i = 0; i < columns; i += LANES) squares = squares + load(out + i) * load(out + i);
  const float length = sqrtf(horizontalSum(squares));
  for (int i = 0; i < columns; i += LANES) store(out + i, load(out + i) / length);
}

// Turns the rows in workspace.x, `tokens` * columns numbers, into a vector of `columns` numbers. Copies the output of
// layer `stateLayer` (from 1, or 0 for none) to `states`.
static TARGET void forward(const Model& model, Workspace& workspace, int tokens, float* out, int stateLayer,
                           float* states) {
  const int columns = model.columns;
  float *x = workspace.x.data(), *wide = workspace.wide.data(), *narrow = workspace.narrow.data();
  Quantized& quantized = workspace.quantized;
  normalize(x, nullptr, model.embeddingNorm, tokens, columns);
  for (const Layer& layer : model.layers) {
    quantize(x, layer.qkvSmooth, tokens, columns, quantized);
    dense(quantized, tokens, layer.qkv, wide);
    attend(wide, tokens, columns, model.heads, workspace.keys.data(), workspace.values.data(), workspace.scores.data(),
           narrow);
    quantize(narrow, layer.attentionSmooth, tokens, columns, quantized);
    dense(quantized, tokens, layer.attention, narrow);
    normalize(x, narrow, layer.attentionNorm, tokens, columns);
    quantize(x, layer.intermediateSmooth, tokens, columns, quantized);
    dense(quantized, tokens, layer.intermediate, wide);
    gelu(wide, static_cast<size_t>(tokens) * layer.intermediate.outputs);
    quantize(wide, layer.outputSmooth, tokens, layer.intermediate.outputs, quantized);
    dense(quantized, tokens, layer.output, narrow);
    normalize(x, narrow, layer.outputNorm, tokens, columns);
    if (&layer - model.layers.data() + 1 == stateLayer)
      memcpy(states, x, static_cast<size_t>(tokens) * columns * sizeof(float));
  }
  pool(x, tokens, model, narrow, out);
}

#undef EACH
#undef UNROLL

}  // namespace NAMESPACE

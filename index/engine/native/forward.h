// The encoder's arithmetic, included once for each kind of processor: encoder.cc sets NAMESPACE, TARGET and VECTOR_BYTES, and one of DOT_AMX, DOT_VNNI,
// DOT_AVX2 and DOT_NEON, or none, what multiplies bytes. All floating-point sums have one fixed order and nothing is contracted, so that every
// kind gives the same bits.

namespace NAMESPACE {

#include "products.h"

#include "lanes.h"

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

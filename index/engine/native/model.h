// A model as `encoder.bin` contains it (index/format/FORMAT.md). All arrays stay in its bytes.
#pragma once

#include <cstdint>
#include <vector>

namespace {

// Sums of floats have this many partial sums, for every size of the processor's registers.
constexpr int LANES = 16;

// The largest of a model's sizes. The product of any two fits an int.
constexpr uint32_t MAX_SIZE = 32768;

// 8-bit activations of all tokens: value = (byte - zeroPoint) * scale, 0 <= zeroPoint <= 255.
struct Quantized {
  uint8_t* bytes;
  float scale;
  int32_t zeroPoint;
};

struct Norm {
  const float *weight, *bias;
  float epsilon;
};

// `weights` is packed: for each 16 outputs, for each 4 inputs, 4 bytes of each output. `sums` has each output's sum of
// weights.
struct Dense {
  int inputs, outputs;
  const int8_t* weights;
  const int32_t* sums;
  const float *scales, *bias;
};

// A smooth vector multiplies a product's input before quantization.
struct Layer {
  const float *qkvSmooth, *attentionSmooth, *intermediateSmooth, *outputSmooth;
  Dense qkv, attention, intermediate, output;
  Norm attentionNorm, outputNorm;
};

struct Model {
  int columns, heads, axes, maxTokens;
  Norm embeddingNorm;
  std::vector<Layer> layers;
  const float* axisRows;
};

// The memory of a run. It grows with the longest text.
class Workspace {
 public:
  std::vector<float> x, wide, narrow, keys, values, scores;
  Quantized quantized = {};

  // Throws std::bad_alloc. The next run then uses the old size or grows again.
  void reserve(const Model& model, int wanted) {
    if (wanted <= tokens) return;
    int intermediate = 0;
    for (const Layer& layer : model.layers)
      if (layer.intermediate.outputs > intermediate) intermediate = layer.intermediate.outputs;
    const size_t columns = model.columns, count = wanted, padded = count + LANES;
    const size_t widest = intermediate > 3 * model.columns ? intermediate : 3 * columns;
    x.resize(count * columns);
    wide.resize(count * widest);
    narrow.resize(count * columns);
    keys.resize(columns / model.heads * padded);
    values.resize(columns / model.heads * padded);
    scores.resize(4 * padded);
    bytes.resize(count * widest);
    quantized.bytes = bytes.data();
    // Last, so that after a failed allocation `tokens` never exceeds the size of the vectors.
    tokens = wanted;
  }

 private:
  int tokens = 0;
  std::vector<uint8_t> bytes;
};

// The reason why a model is invalid. Not a std::string, because its allocation could fail.
struct InvalidModel {
  const char* reason;
};

// Reads a section, array by array.
struct SectionReader {
  const uint8_t *next, *end;
  template <class T>
  const T* read(size_t count) {
    const uint8_t* start = next;
    if (count * sizeof(T) > static_cast<size_t>(end - next))
      throw InvalidModel{"its sections are shorter than its settings require"};
    next += count * sizeof(T);
    return reinterpret_cast<const T*>(start);
  }
};

// Reads the sections of encoder.bin in the order of FORMAT.md. They start at multiples of 8. Throws InvalidModel and
// std::bad_alloc.
inline Model readModel(SectionReader settings, SectionReader floats, SectionReader sums, SectionReader weights) {
  const uint32_t* numbers = settings.read<uint32_t>(6);
  const float epsilon = *settings.read<float>(1);
  for (int i = 0; i < 6; i++)
    if (numbers[i] > MAX_SIZE) throw InvalidModel{"its settings exceed 32768"};
  Model model;
  const int columns = model.columns = numbers[0], layers = numbers[1], intermediate = numbers[3];
  model.heads = numbers[2];
  model.axes = numbers[4];
  model.maxTokens = numbers[5];
  if (columns == 0 || columns % 64 || intermediate == 0 || intermediate % 64 || model.heads == 0 ||
      model.heads > columns || columns % (2 * LANES * model.heads) || model.maxTokens == 0)
    throw InvalidModel{"its sizes are not multiples of the engine's block sizes"};
  const auto norm = [&]() {
    const float* weight = floats.read<float>(columns);
    return Norm{weight, floats.read<float>(columns), epsilon};
  };
  const auto dense = [&](int inputs, int outputs) {
    const float* scales = floats.read<float>(outputs);
    const float* bias = floats.read<float>(outputs);
    const int8_t* packed = weights.read<int8_t>(static_cast<size_t>(inputs) * outputs);
    return Dense{inputs, outputs, packed, sums.read<int32_t>(outputs), scales, bias};
  };
  model.embeddingNorm = norm();
  for (int i = 0; i < layers; i++) {
    Layer layer;
    layer.qkvSmooth = floats.read<float>(columns);
    layer.qkv = dense(columns, 3 * columns);
    layer.attentionSmooth = floats.read<float>(columns);
    layer.attention = dense(columns, columns);
    layer.attentionNorm = norm();
    layer.intermediateSmooth = floats.read<float>(columns);
    layer.intermediate = dense(columns, intermediate);
    layer.outputSmooth = floats.read<float>(intermediate);
    layer.output = dense(intermediate, columns);
    layer.outputNorm = norm();
    model.layers.push_back(layer);
  }
  model.axisRows = floats.read<float>(static_cast<size_t>(model.axes) * columns);
  return model;
}

}  // namespace

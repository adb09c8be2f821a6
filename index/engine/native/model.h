// What an `encoder.bin` (../FORMAT.md) holds, as the engine uses it: all numbers stay where the file is mapped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace {

// Sums of floats are kept in this many parts, whatever the processor's vectors hold.
constexpr int LANES = 16;

// Tokens' numbers in 8 bits: value = (byte - zero) * scale.
struct Quantized {
  uint8_t* bytes;
  float scale;
  int32_t zero;
};

struct Norm {
  const float *weight, *bias;
  float epsilon;
};

// `weights` is packed: for each 16 outputs, for each 4 inputs, for each of the outputs its 4 bytes. `sums` are those over the inputs.
struct Dense {
  int inputs, outputs;
  const int8_t* weights;
  const int32_t* sums;
  const float *scales, *bias;
};

struct Layer {
  const float *qkvSmooth, *attendedSmooth, *innerSmooth, *outerSmooth;
  Dense qkv, attended, inner, outer;
  Norm attendedNorm, outerNorm;
};

struct Model {
  int columns, heads, axes, maxTokens;
  Norm first;
  std::vector<Layer> layers;
  const float* axisRows;
};

// What a run of up to `tokens` computes in; grows with the longest text.
struct Room {
  int tokens = 0;
  std::vector<float> x, wide, narrow, keys, values, scores;
  std::vector<uint8_t> bytes;
  Quantized quantized;

  void fit(const Model& model, int wanted) {
    if (wanted <= tokens) return;
    tokens = wanted;
    int inner = 0;
    for (const Layer& layer : model.layers) inner = layer.inner.outputs > inner ? layer.inner.outputs : inner;
    const size_t columns = model.columns, count = tokens, padded = count + 2 * LANES;
    const size_t widest = inner > 3 * model.columns ? inner : 3 * columns;
    x.resize(count * columns);
    wide.resize(count * widest);
    narrow.resize(count * columns);
    keys.resize(columns / model.heads * padded);
    values.resize(columns / model.heads * padded);
    scores.resize(4 * padded);
    bytes.resize(count * widest);
    quantized.bytes = bytes.data();
  }
};

// Takes what a section holds, piece by piece.
struct Cursor {
  const uint8_t *at, *end;
  template <class T>
  const T* take(size_t count) {
    const uint8_t* start = at;
    if (count * sizeof(T) > static_cast<size_t>(end - at)) throw std::string("it is shorter than its settings say");
    at += count * sizeof(T);
    return reinterpret_cast<const T*>(start);
  }
};

// The sections of encoder.bin as a model; ../FORMAT.md has their order.
Model read(Cursor settings, Cursor floats, Cursor sums, Cursor weights) {
  const uint32_t* numbers = settings.take<uint32_t>(6);
  const float epsilon = *settings.take<float>(1);
  Model model;
  const int columns = model.columns = numbers[0], layers = numbers[1], inner = numbers[3];
  model.heads = numbers[2];
  model.axes = numbers[4];
  model.maxTokens = numbers[5];
  // Larger than any model's: what is computed of them stays within an int.
  constexpr uint32_t MOST = 65536;
  for (int i = 0; i < 6; i++)
    if (numbers[i] > MOST) throw std::string("its settings are larger than any model's");
  if (columns == 0 || columns % 64 || inner == 0 || inner % 64 || model.heads == 0 || model.heads > columns ||
      columns % (2 * LANES * model.heads) || model.maxTokens == 0)
    throw std::string("its sizes are not multiples of what it computes with");
  const auto norm = [&]() {
    const float* weight = floats.take<float>(columns);
    return Norm{weight, floats.take<float>(columns), epsilon};
  };
  const auto dense = [&](int inputs, int outputs) {
    const float* scales = floats.take<float>(outputs);
    const float* bias = floats.take<float>(outputs);
    return Dense{inputs, outputs, weights.take<int8_t>(static_cast<size_t>(inputs) * outputs), sums.take<int32_t>(outputs), scales, bias};
  };
  model.first = norm();
  for (int i = 0; i < layers; i++) {
    Layer layer;
    layer.qkvSmooth = floats.take<float>(columns);
    layer.qkv = dense(columns, 3 * columns);
    layer.attendedSmooth = floats.take<float>(columns);
    layer.attended = dense(columns, columns);
    layer.attendedNorm = norm();
    layer.innerSmooth = floats.take<float>(columns);
    layer.inner = dense(columns, inner);
    layer.outerSmooth = floats.take<float>(inner);
    layer.outer = dense(inner, columns);
    layer.outerNorm = norm();
    model.layers.push_back(layer);
  }
  model.axisRows = floats.take<float>(static_cast<size_t>(model.axes) * columns);
  return model;
}

}  // namespace

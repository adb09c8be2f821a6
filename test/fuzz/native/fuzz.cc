// Fuzzes the native engine through the functions that it exports (LLVMFuzzerTestOneInput of libFuzzer). FUZZ_TARGET names one of TARGETS.
#include "node-api.h"
// The engine's source, with the file that the harness provides.
#include "engine.cc"

#include <algorithm>
#include <string>

namespace {

// Takes values from an input. At its end, all are 0.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : next(data), end(data + size) {}
  size_t left() const { return end - next; }
  template <class T>
  T take() {
    T value = {};
    const size_t size = left() < sizeof(T) ? left() : sizeof(T);
    memcpy(&value, next, size);
    next += size;
    return value;
  }
  uint32_t below(uint32_t limit) { return take<uint8_t>() % limit; }
  // Mostly below `usual`, because larger numbers take longer, and rarely up to `most`.
  uint32_t size(uint32_t usual, uint32_t most) {
    const uint32_t byte = take<uint8_t>();
    return byte < 0xf0 ? byte % usual : take<uint8_t>() % (most + 1);
  }
  std::vector<uint8_t> rest() { return std::vector<uint8_t>(next, end); }

 private:
  const uint8_t *next, *end;
};

// `size` bytes that repeat those of the input, from a place of it: short inputs fill whole models.
std::vector<uint8_t> repeated(const std::vector<uint8_t>& bytes, size_t from, size_t size) {
  std::vector<uint8_t> filled(size);
  for (size_t at = 0; at < size && !bytes.empty();) {
    const size_t first = (from + at) % bytes.size(), count = std::min(size - at, bytes.size() - first);
    memcpy(filled.data() + at, bytes.data() + first, count);
    at += count;
  }
  return filled;
}

napi_value repeatedArray(napi_typedarray_type type, const std::vector<uint8_t>& bytes, size_t from, size_t length) {
  return api::array(type, repeated(bytes, from, length * api::sizeOf(type)).data(), length);
}

[[noreturn]] void fail(const char* problem) {
  fprintf(stderr, "%s Error: %s\n", problem, api::error.c_str());
  abort();
}

// Every error is one sentence, or two.
void expectResult(napi_value result) {
  if (result ? !api::error.empty() : api::error.empty() || api::error.back() != '.') fail("Neither a result nor an error.");
}

// All kernels must return the same bits. Any NaN equals any other.
void expectSame(napi_value a, napi_value b, const char* kernel) {
  const auto* x = static_cast<const float*>(a->data);
  const auto* y = static_cast<const float*>(b->data);
  if (a->length != b->length) fail("Kernels return different lengths.");
  for (size_t i = 0; i < a->length; i++)
    if (memcmp(x + i, y + i, 4) != 0 && !(std::isnan(x[i]) && std::isnan(y[i]))) {
      fprintf(stderr, "Number %zu of %zu is %a, but %a with the kernel %s.\n", i, a->length, x[i], y[i], kernel);
      fail("Kernels return different numbers.");
    }
}

// Runs an encoder with some kernels, a bit for each. For a valid file, all must return the same.
void runAll(napi_value sections, napi_value rows, uint32_t columns, uint32_t layer, bool isValid, uint32_t chosen) {
  napi_value first = nullptr, firstStates = nullptr;
  bool isFirst = true;
  for (const Kernel& kernel : kernelsHere()) {
    if (!(chosen >> (&kernel - kernelsHere().begin()) & 1)) continue;
    napi_value bytes = api::array(napi_uint8_array, fileContent.data(), fileContent.size());
    napi_value encoder = api::call("open", {api::string("encoder.bin"), bytes, sections, api::string(kernel.name)});
    expectResult(encoder);
    if (!encoder) return;
    napi_value states = api::array(napi_float32_array, std::string(4 * rows->length, 0).data(), rows->length);
    napi_value result = layer == 0 ? api::call("run", {encoder, rows})
                                   : api::call("run", {encoder, rows, api::number(layer), states});
    expectResult(result);
    // A longer text and then a shorter one use the same memory.
    if (chosen & 16 && rows->length > columns)
      expectResult(api::call("run", {encoder, api::array(napi_float32_array, rows->data, columns)}));
    if (!isValid) continue;
    if (isFirst) first = result, firstStates = states;
    if ((first == nullptr) != (result == nullptr)) fail("Not all kernels return a result.");
    if (result) expectSame(first, result, kernel.name);
    expectSame(firstStates, states, kernel.name);
    isFirst = false;
  }
}

// Makes the weights of a product valid, which are from -64 to 64, and their sums. They are packed as model.h describes.
void makeValid(int8_t*& weights, int32_t*& sums, uint32_t inputs, uint32_t outputs) {
  std::fill(sums, sums + outputs, 0);
  for (uint32_t i = 0; i < inputs * outputs; i++) {
    weights[i] = static_cast<int8_t>(weights[i] / 2);
    sums[i / (16 * inputs) * 16 + i / 4 % 16] += weights[i];
  }
  weights += inputs * outputs;
  sums += outputs;
}

// Arbitrary sections, or those of a small model with arbitrary contents.
void fuzzEncoder(Bytes input) {
  if (input.below(8) == 0) {
    double places[8];
    for (double& place : places) place = input.take<double>();
    fileContent = input.rest();
    const size_t columns = fileContent.size() >= 4 ? 64 * (1 + fileContent[0] % 2) : 64;
    napi_value rows = repeatedArray(napi_float32_array, fileContent, 5, 3 * columns);
    runAll(api::array(napi_float64_array, places, 8), rows, columns, 1, false, fileContent.size());
    return;
  }
  const uint32_t columns = 64 * (1 + input.size(1, 2)), layers = input.size(2, 2), inner = 64 * (1 + input.size(1, 2));
  const uint32_t heads = 1 + input.below(6), axes = input.below(3), tokens = 1 + input.size(3, 35);
  const uint32_t maxTokens = input.below(10) == 0 ? input.take<uint32_t>() : tokens, layer = input.below(3);
  const uint32_t epsilon = input.take<uint32_t>(), kernels = input.take<uint8_t>();
  const size_t outputs = 5 * columns + inner;
  size_t sizes[4] = {28, 4 * (2 * columns + layers * (2 * outputs + 3 * columns + inner + 4 * columns) + axes * columns),
                     4 * layers * outputs, layers * (4ul * columns * columns + 2ul * columns * inner)};
  // Now and then, the sections are too short, or their numbers contradict each other.
  const bool isShort = input.below(10) == 9, isValid = !isShort && input.below(4) != 3;
  if (isShort) {
    size_t& size = sizes[input.below(4)];
    size -= std::min<size_t>(size, input.below(256));
  }
  const std::vector<uint8_t> bytes = input.rest();
  fileContent.clear();
  double places[8];
  for (int i = 0; i < 4; i++) {
    places[2 * i] = static_cast<double>(fileContent.size());
    places[2 * i + 1] = static_cast<double>(sizes[i]);
    const std::vector<uint8_t> content = repeated(bytes, 7 * i, sizes[i]);
    fileContent.insert(fileContent.end(), content.begin(), content.end());
    // The last section ends the file, so that the sanitizer sees reads beyond it.
    if (i < 3) fileContent.resize((fileContent.size() + 7) / 8 * 8);
  }
  const uint32_t settings[7] = {columns, layers, heads, inner, axes, maxTokens, epsilon};
  memcpy(fileContent.data(), settings, std::min(sizes[0], sizeof settings));
  if (isValid) {
    auto* sums = reinterpret_cast<int32_t*>(fileContent.data() + static_cast<size_t>(places[4]));
    auto* weights = reinterpret_cast<int8_t*>(fileContent.data() + static_cast<size_t>(places[6]));
    for (uint32_t i = 0; i < layers; i++) {
      makeValid(weights, sums, columns, 3 * columns);
      makeValid(weights, sums, columns, columns);
      makeValid(weights, sums, columns, inner);
      makeValid(weights, sums, inner, columns);
    }
  }
  const size_t odd = bytes.size() % 11 == 0 ? 1 : 0;
  napi_value rows = repeatedArray(napi_float32_array, bytes, 3, tokens * columns - odd);
  runAll(api::array(napi_float64_array, places, 8), rows, columns, layer, isValid, kernels);
}

void fuzzTokens(Bytes input) {
  const uint32_t parts = 4 * (1 + input.size(3, 64)), tokens = input.size(4, 20), passages = input.size(4, 6);
  const uint32_t off = input.below(10);
  std::vector<uint32_t> counts;
  size_t codes = 0;
  for (uint32_t i = 0; i < passages; i++) {
    counts.push_back(input.below(100) == 99 ? input.take<uint32_t>() % 70000 : input.size(20, 100));
    codes += (counts.back() + 15) / 16 * 16 * (static_cast<size_t>(parts) / 2);
  }
  const std::vector<uint8_t> bytes = input.rest();
  napi_value states = repeatedArray(napi_float32_array, bytes, 0, tokens * parts * 4 + (off == 1));
  napi_value codewords = repeatedArray(napi_float32_array, bytes, 5, parts * 64 + (off == 2));
  napi_value tables = api::call("tabulate", {states, codewords});
  expectResult(tables);
  // Tables of arbitrary bytes, also of wrong sizes.
  if (!tables || off > 5) tables = repeatedArray(napi_uint8_array, bytes, 2, tokens * (8 + 16 * parts) - (off == 6 && tokens));
  napi_value first = nullptr;
  for (const Kernel& kernel : kernelsHere()) {
    napi_value result = api::call("matchTokens", {tables, api::number(tokens + (off == 7)),
                                                  repeatedArray(napi_uint8_array, bytes, 9, codes - (off == 8 && codes)),
                                                  api::array(napi_uint32_array, counts.data(), counts.size()),
                                                  api::string(kernel.name)});
    expectResult(result);
    if (first && result) expectSame(first, result, kernel.name);
    first = result;
  }
}

// Any arguments of any function.
void fuzzArguments(Bytes input) {
  static const char* const NAMES[] = {"open", "run", "map", "tabulate", "matchTokens", "compareBlocks"};
  static const napi_typedarray_type TYPES[] = {napi_float32_array, napi_float64_array, napi_uint8_array, napi_uint32_array};
  const char* name = NAMES[input.below(6)];
  std::vector<napi_value> arguments;
  fileContent = std::vector<uint8_t>(input.below(3) * 40, 1);
  for (uint32_t count = input.below(7); count > 0; count--) switch (input.below(7)) {
      case 0: arguments.push_back(api::make()); break;
      case 1: arguments.push_back(api::number(input.take<double>())); break;
      case 2: arguments.push_back(api::number(input.take<int8_t>())); break;
      case 3: {
        std::string text(input.take<uint16_t>() % 5000, 'a');
        if (!text.empty() && input.below(4) == 0) text[0] = static_cast<char>(input.take<uint8_t>());
        arguments.push_back(api::string(input.below(2) ? text : "plain"));
        break;
      }
      // An external value of another library.
      case 4: arguments.push_back(api::make(napi_external)); break;
      default: {
        const napi_typedarray_type type = TYPES[input.below(4)];
        const size_t length = input.below(4) == 0 ? input.take<uint16_t>() : input.below(20);
        const std::vector<uint8_t> bytes = input.rest();
        arguments.push_back(repeatedArray(type, bytes, 0, length));
      }
    }
  expectResult(api::call(name, arguments));
}

void (*chosen)(Bytes);

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  napi_register_module_v1(nullptr, api::make());
  const std::string target = getenv("FUZZ_TARGET");
  chosen = target == "native-encoder" ? fuzzEncoder : target == "native-tokens" ? fuzzTokens : fuzzArguments;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen(Bytes(data, size));
  api::values.clear();
  return 0;
}

// A BERT encoder with 8-bit weights, those of an `encoder.bin` (index/format/FORMAT.md). It computes with the
// processor's 8-bit products. Uses Node-API only, so that every Node from 20 on loads it.
#include <node_api.h>

#include <climits>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "kernels.h"
#include "mapped-file.h"
#include "model.h"

namespace {

struct Encoder {
  // Keeps the bytes of the file, which the model points at.
  napi_ref bytes;
  Model model;
  Kernel kernel;
  Workspace workspace;
};

// Marks this library's encoders, because other libraries create external values too.
constexpr napi_type_tag ENCODER_TAG = {0x9c1f3a5e7b2d4860, 0xa4d8e6f01b3c5729};

// Throws a JavaScript error. Allocates no memory, because it also reports failed allocations.
__attribute__((format(printf, 2, 3))) napi_value fail(napi_env env, const char* format, ...) {
  char sentence[PATH_MAX + 512];
  va_list values;
  va_start(values, format);
  vsnprintf(sentence, sizeof sentence, format, values);
  va_end(values);
  napi_throw_error(env, nullptr, sentence);
  return nullptr;
}

// The arguments of a call. Missing ones are undefined.
template <size_t COUNT>
struct Arguments {
  napi_value values[COUNT];
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = COUNT;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }
};

// Copies a string without NUL. Returns false for any other value, and for a string that does not fit.
template <size_t SIZE>
bool readString(napi_env env, napi_value value, char (&text)[SIZE]) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok || length >= SIZE) return false;
  return napi_get_value_string_utf8(env, value, text, SIZE, &length) == napi_ok && strlen(text) == length;
}

// Points `data` at a typed array's numbers. Returns false for any value but a typed array of this type.
template <class T>
bool readTypedArray(napi_env env, napi_value value, napi_typedarray_type expected, T*& data, size_t& count) {
  bool isTypedArray = false;
  napi_typedarray_type type;
  void* start = nullptr;
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray) return false;
  if (napi_get_typedarray_info(env, value, &type, &count, &start, nullptr, nullptr) != napi_ok) return false;
  data = static_cast<T*>(start);
  return type == expected;
}

// Splits a file into four sections. Throws InvalidModel unless they start at multiples of 8, in order, without overlap,
// in the file.
void splitSections(const uint8_t* bytes, size_t fileSize, const double* places, SectionReader (&sections)[4]) {
  double end = 0;
  for (int i = 0; i < 4; i++) {
    const double start = places[2 * i], length = places[2 * i + 1];
    // Also false for NaN. The comparison with the file's size precedes all conversions to integers.
    if (!(start >= end && length >= 0 && start + length <= static_cast<double>(fileSize)))
      throw InvalidModel{"its sections overlap or exceed the file"};
    const size_t offset = static_cast<size_t>(start), size = static_cast<size_t>(length);
    if (offset % 8 != 0 || static_cast<double>(offset) != start || static_cast<double>(size) != length)
      throw InvalidModel{"its sections are not aligned to 8 bytes"};
    sections[i] = {bytes + offset, bytes + offset + size};
    end = start + length;
  }
}

// The processor is asked once, because a hypervisor may answer slowly.
const Kernels& kernelsHere() {
  static const Kernels kernels = supportedKernels();
  return kernels;
}

// Finds a kernel by its name, or the fastest for undefined. Throws a JavaScript error and returns null for any other
// value.
const Kernel* readKernel(napi_env env, napi_value value) {
  char name[16];
  napi_valuetype type;
  napi_typeof(env, value, &type);
  if (type == napi_undefined) return kernelsHere().begin();
  if (!readString(env, value, name)) {
    fail(env, "The kernel must be one of `kernels`.");
    return nullptr;
  }
  for (const Kernel& kernel : kernelsHere())
    if (strcmp(kernel.name, name) == 0) return &kernel;
  fail(env, "This processor does not support the kernel %s. Use one of `kernels`.", name);
  return nullptr;
}

// open(path, bytes: Uint8Array, sections: Float64Array of each section's start and length, kernel?) -> encoder
napi_value open(napi_env env, napi_callback_info info) {
  const Arguments<4> arguments(env, info);
  char path[PATH_MAX];
  if (!readString(env, arguments.values[0], path))
    return fail(env, "open: the path must be a string of up to %d bytes.", PATH_MAX - 1);
  const uint8_t* bytes;
  const double* places;
  size_t size, numbers;
  if (!readTypedArray(env, arguments.values[1], napi_uint8_array, bytes, size) ||
      reinterpret_cast<uintptr_t>(bytes) % 8)
    return fail(env, "%s: its bytes must be a Uint8Array that starts at a multiple of 8.", path);
  if (!readTypedArray(env, arguments.values[2], napi_float64_array, places, numbers) || numbers != 8)
    return fail(env, "%s: the sections must be a Float64Array of 8 numbers.", path);
  const Kernel* kernel = readKernel(env, arguments.values[3]);
  if (!kernel) return nullptr;
  try {
    SectionReader sections[4];
    splitSections(bytes, size, places, sections);
    Model model = readModel(sections[0], sections[1], sections[2], sections[3]);
    std::unique_ptr<Encoder> encoder(new Encoder{nullptr, std::move(model), *kernel, {}});
    const auto destroy = [](napi_env env, void* data, void*) {
      Encoder* encoder = static_cast<Encoder*>(data);
      if (encoder->bytes) napi_delete_reference(env, encoder->bytes);
      delete encoder;
    };
    napi_value result;
    if (napi_create_external(env, encoder.get(), destroy, nullptr, &result) != napi_ok) throw std::bad_alloc();
    Encoder* opened = encoder.release();
    if (napi_create_reference(env, arguments.values[1], 1, &opened->bytes) != napi_ok) throw std::bad_alloc();
    if (napi_type_tag_object(env, result, &ENCODER_TAG) != napi_ok)
      return fail(env, "%s: this Node is too old. Use Node 20.19 or later.", path);
    return result;
  } catch (const InvalidModel& invalid) {
    return fail(env, "%s is damaged: %s. Run npx polyseek index again.", path, invalid.reason);
  } catch (...) {
    return fail(env, "%s: not enough memory to open it. Give the process more memory.", path);
  }
}

// run(encoder, rows: Float32Array of tokens * columns, layer?, states?: Float32Array to fill with that layer's output)
// -> Float32Array of columns
napi_value run(napi_env env, napi_callback_info info) {
  const Arguments<4> arguments(env, info);
  Encoder* encoder = nullptr;
  bool isEncoder = false;
  napi_valuetype type;
  napi_typeof(env, arguments.values[0], &type);
  if (type != napi_external ||
      napi_check_object_type_tag(env, arguments.values[0], &ENCODER_TAG, &isEncoder) != napi_ok || !isEncoder ||
      napi_get_value_external(env, arguments.values[0], reinterpret_cast<void**>(&encoder)) != napi_ok)
    return fail(env, "run: the first argument must be an encoder that `open` returned.");
  const float* rows;
  size_t numbers;
  if (!readTypedArray(env, arguments.values[1], napi_float32_array, rows, numbers))
    return fail(env, "run: the rows must be a Float32Array.");
  const Model& model = encoder->model;
  const size_t tokens = numbers / model.columns;
  if (tokens == 0 || tokens > static_cast<size_t>(model.maxTokens) || numbers % model.columns)
    return fail(env, "run: the rows have %zu numbers. They must have %d for each of 1 to %d tokens.", numbers,
                model.columns, model.maxTokens);
  int32_t layer = 0;
  float* states = nullptr;
  napi_typeof(env, arguments.values[2], &type);
  if (type != napi_undefined) {
    size_t places = 0;
    if (napi_get_value_int32(env, arguments.values[2], &layer) != napi_ok || layer < 1 ||
        static_cast<size_t>(layer) > model.layers.size())
      return fail(env, "run: the layer must be a number from 1 to %zu.", model.layers.size());
    if (!readTypedArray(env, arguments.values[3], napi_float32_array, states, places) || places != numbers)
      return fail(env, "run: the states must be a Float32Array of the same size as the rows.");
  }
  try {
    encoder->workspace.reserve(model, static_cast<int>(tokens));
  } catch (...) {
    return fail(env, "Not enough memory to embed %zu tokens. Give the process more memory.", tokens);
  }
  napi_value buffer, result;
  void* data;
  if (napi_create_arraybuffer(env, model.columns * sizeof(float), &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float32_array, model.columns, buffer, 0, &result) != napi_ok)
    return fail(env, "Not enough memory for an embedding. Give the process more memory.");
  memcpy(encoder->workspace.x.data(), rows, numbers * sizeof(float));
  float* embedding = static_cast<float*>(data);
  encoder->kernel.forward(model, encoder->workspace, static_cast<int>(tokens), embedding, layer, states);
  for (int i = 0; i < model.columns; i++)
    if (!std::isfinite(embedding[i]))
      return fail(env, "The embedding contains NaN: rows.bin or encoder.bin is damaged. Run npx polyseek index again.");
  return result;
}

// tabulate(states: Float32Array of tokens * columns, codewords: Float32Array of 16 * columns) -> Uint8Array, the tables
// for matchTokens
napi_value tabulate(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const float *states, *codewords;
  size_t numbers, words;
  if (!readTypedArray(env, arguments.values[0], napi_float32_array, states, numbers) ||
      !readTypedArray(env, arguments.values[1], napi_float32_array, codewords, words))
    return fail(env, "tabulate: the states and the codewords must be Float32Arrays.");
  const size_t columns = words / CODES, parts = columns / PART;
  if (words % (4 * PART * CODES) || parts == 0 || parts > MAX_PARTS)
    return fail(env, "tabulate: the codewords have %zu numbers. They must have %d for each of up to %d parts.", words,
                CODES * PART, MAX_PARTS);
  if (numbers % columns || numbers / columns > INT16_MAX)
    return fail(env, "tabulate: the states have %zu numbers. They must have %zu for each of up to %d tokens.", numbers,
                columns, INT16_MAX);
  const size_t tokens = numbers / columns, size = tokens * TokenTables::size(parts);
  napi_value buffer, result;
  void* data;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &result) != napi_ok)
    return fail(env, "Not enough memory for %zu tokens. Give the process more memory.", tokens);
  tabulate(states, codewords, TokenTables(data, tokens, parts));
  return result;
}

// matchTokens(tables, tokens, codes: Uint8Array, counts: Uint32Array of each passage's tokens, kernel?) ->
// Float32Array: for each passage, for each token of the question, the similarity and the number of the most similar
// token
napi_value matchTokens(napi_env env, napi_callback_info info) {
  const Arguments<5> arguments(env, info);
  uint8_t *bytes, *codes;
  uint32_t tokens;
  const uint32_t* counts;
  size_t size, length, passages;
  if (!readTypedArray(env, arguments.values[0], napi_uint8_array, bytes, size) ||
      napi_get_value_uint32(env, arguments.values[1], &tokens) != napi_ok ||
      !readTypedArray(env, arguments.values[2], napi_uint8_array, codes, length) ||
      !readTypedArray(env, arguments.values[3], napi_uint32_array, counts, passages))
    return fail(env, "matchTokens: needs tables (Uint8Array), tokens, codes (Uint8Array) and counts (Uint32Array).");
  const Kernel* kernel = readKernel(env, arguments.values[4]);
  if (!kernel) return nullptr;
  const size_t parts = tokens == 0 || size % tokens ? 0 : (size / tokens - 2 * sizeof(float)) / CODES;
  const bool fits = parts > 0 && parts % 4 == 0 && parts <= MAX_PARTS && size == tokens * TokenTables::size(parts);
  if (tokens == 0 ? size != 0 : !fits)
    return fail(env, "matchTokens: the tables have %zu bytes, which is no size for %u tokens.", size, tokens);
  if (reinterpret_cast<uintptr_t>(bytes) % alignof(float))
    return fail(env, "matchTokens: the tables must start at a multiple of 4 bytes, as those of `tabulate` do.");
  size_t needed = 0;
  for (size_t i = 0; i < passages; i++) {
    if (counts[i] > UINT16_MAX)
      return fail(env, "matchTokens: a passage has %u tokens, but %d is the most.", counts[i], UINT16_MAX);
    needed += (static_cast<size_t>(counts[i]) + BLOCK_TOKENS - 1) / BLOCK_TOKENS * BLOCK_TOKENS * (parts / 2);
  }
  // Without tokens, the question has no tables that show the size of a code, and no code is read.
  if (tokens > 0 && needed != length)
    return fail(env, "matchTokens: the codes have %zu bytes, but their tokens need %zu.", length, needed);
  const size_t numbers = 2 * passages * tokens;
  napi_value buffer, result;
  void* data;
  if (napi_create_arraybuffer(env, numbers * sizeof(float), &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float32_array, numbers, buffer, 0, &result) != napi_ok)
    return fail(env, "Not enough memory to compare %zu passages. Give the process more memory.", passages);
  const TokenTables tables(bytes, tokens, parts);
  float* out = static_cast<float*>(data);
  for (size_t i = 0; i < passages; i++, out += 2 * tokens) {
    kernel->matchTokens(tables, codes, static_cast<int>(counts[i]), out);
    codes += (static_cast<size_t>(counts[i]) + BLOCK_TOKENS - 1) / BLOCK_TOKENS * BLOCK_TOKENS * (parts / 2);
  }
  return result;
}

// map(path, whole?: boolean) -> Uint8Array of a file, which nobody must write to. The system reads only the pages that
// are used, unless the whole file is wanted.
napi_value map(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  char path[PATH_MAX];
  if (!readString(env, arguments.values[0], path))
    return fail(env, "map: the path must be a string of up to %d bytes.", PATH_MAX - 1);
  bool whole = false;
  napi_get_value_bool(env, arguments.values[1], &whole);
  MappedFile mapped(path, whole ? POPULATE : 0);
  if (!mapped.data) {
    const int reason = errno;
    return fail(
        env, "%s: cannot be mapped into memory (%s). %s", path, strerror(reason),
        reason == ENOMEM ? "Give the process more memory." : "Check the file, or run npx polyseek index again.");
  }
  std::unique_ptr<MappedFile> file(new (std::nothrow) MappedFile(std::move(mapped)));
  if (!file) return fail(env, "%s: not enough memory to map it. Give the process more memory.", path);
  const auto unmap = [](napi_env, void*, void* hint) { delete static_cast<MappedFile*>(hint); };
  napi_value buffer, result;
  if (napi_create_external_arraybuffer(env, file->data, file->size, unmap, file.get(), &buffer) != napi_ok)
    return fail(env, "%s: this JavaScript engine does not accept mapped memory. Use Node.", path);
  const size_t size = file.release()->size;
  if (napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &result) != napi_ok)
    return fail(env, "%s: its %zu bytes exceed the size of a Uint8Array.", path, size);
  return result;
}

// compareBlocks(bytes: Uint8Array, checksums: Uint32Array of each block's, kernel?) -> the number of the first block
// that has another, or -1
napi_value compareBlocks(napi_env env, napi_callback_info info) {
  const Arguments<3> arguments(env, info);
  const uint8_t* bytes;
  const uint32_t* checksums;
  size_t size, blocks;
  if (!readTypedArray(env, arguments.values[0], napi_uint8_array, bytes, size) ||
      !readTypedArray(env, arguments.values[1], napi_uint32_array, checksums, blocks) || blocks != blocksOf(size))
    return fail(env, "compareBlocks: needs a Uint8Array, and a Uint32Array with a number for each %zu bytes.",
                CHECKED_BLOCK);
  const Kernel* kernel = readKernel(env, arguments.values[2]);
  if (!kernel) return nullptr;
  const size_t difference = kernel->differenceOf(bytes, size, checksums);
  napi_value result;
  napi_create_int64(env, difference == blocks ? -1 : static_cast<int64_t>(difference), &result);
  return result;
}

napi_value kernelNames(napi_env env) {
  const Kernels& kernels = kernelsHere();
  napi_value names;
  napi_create_array_with_length(env, kernels.count, &names);
  for (uint32_t i = 0; i < kernels.count; i++) {
    napi_value name;
    napi_create_string_utf8(env, kernels.list[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, i, name);
  }
  return names;
}

void exportFunction(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  exportFunction(env, exports, "open", open);
  exportFunction(env, exports, "run", run);
  exportFunction(env, exports, "map", map);
  exportFunction(env, exports, "compareBlocks", compareBlocks);
  exportFunction(env, exports, "tabulate", tabulate);
  exportFunction(env, exports, "matchTokens", matchTokens);
  napi_set_named_property(env, exports, "kernels", kernelNames(env));
  return exports;
}

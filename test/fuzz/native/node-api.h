// The part of Node-API that the engine uses, without Node: values, and the functions that a module exports.
#pragma once

#include <node_api.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

// A value of any type. Arrays have blocks of the heap of exactly their size, so that the address sanitizer finds reads beyond.
struct napi_value__ {
  napi_valuetype type = napi_undefined;
  double number = 0;
  std::string text;
  // Of an external value, or the bytes of a buffer.
  void* data = nullptr;
  napi_finalize finalize = nullptr;
  void* hint = nullptr;
  bool hasTag = false;
  napi_type_tag tag = {};
  bool isTypedArray = false;
  napi_typedarray_type elements = napi_uint8_array;
  size_t length = 0;
  napi_callback call = nullptr;
  ~napi_value__() {
    if (finalize) finalize(nullptr, data, hint);
    else if (type == napi_object) free(data);
  }
};

struct napi_callback_info__ {
  std::vector<napi_value> arguments;
};

namespace api {

// All values of an input.
inline std::vector<std::unique_ptr<napi_value__>> values;
inline std::map<std::string, napi_value__> functions;
inline std::string error;
constexpr size_t MOST_BYTES = 1 << 28;

inline napi_value make(napi_valuetype type = napi_undefined) {
  values.emplace_back(new napi_value__);
  values.back()->type = type;
  return values.back().get();
}
inline napi_value number(double value) {
  napi_value made = make(napi_number);
  made->number = value;
  return made;
}
inline napi_value string(const std::string& text) {
  napi_value made = make(napi_string);
  made->text = text;
  return made;
}
inline size_t sizeOf(napi_typedarray_type type) {
  return type == napi_float64_array ? 8 : type == napi_uint8_array ? 1 : 4;
}
// An array with a copy of some bytes.
inline napi_value array(napi_typedarray_type type, const void* bytes, size_t length) {
  napi_value made = make(napi_object);
  made->isTypedArray = true;
  made->elements = type;
  made->length = length;
  made->data = malloc(length * sizeOf(type));
  if (length > 0) memcpy(made->data, bytes, length * sizeOf(type));
  return made;
}
// Calls an exported function. Returns null if it throws.
inline napi_value call(const char* name, std::vector<napi_value> arguments) {
  error.clear();
  napi_callback_info__ info{std::move(arguments)};
  return functions.at(name).call(nullptr, &info);
}

}  // namespace api

extern "C" {
inline napi_status napi_throw_error(napi_env, const char*, const char* message) {
  api::error = message;
  return napi_ok;
}
inline napi_status napi_get_cb_info(napi_env, napi_callback_info info, size_t* count, napi_value* out, napi_value*, void**) {
  for (size_t i = 0; i < *count; i++) out[i] = i < info->arguments.size() ? info->arguments[i] : api::make();
  return napi_ok;
}
inline napi_status napi_typeof(napi_env, napi_value value, napi_valuetype* type) {
  *type = value->type;
  return napi_ok;
}
inline napi_status napi_get_value_string_utf8(napi_env, napi_value value, char* out, size_t size, size_t* length) {
  if (value->type != napi_string) return napi_string_expected;
  *length = value->text.size();
  if (!out) return napi_ok;
  if (*length >= size) *length = size - 1;
  memcpy(out, value->text.data(), *length);
  out[*length] = 0;
  return napi_ok;
}
inline napi_status napi_is_typedarray(napi_env, napi_value value, bool* result) {
  *result = value->isTypedArray;
  return napi_ok;
}
inline napi_status napi_get_typedarray_info(napi_env, napi_value value, napi_typedarray_type* type, size_t* length, void** data, napi_value*, size_t*) {
  *type = value->elements;
  *length = value->length;
  *data = value->data;
  return napi_ok;
}
inline napi_status napi_create_external(napi_env, void* data, napi_finalize finalize, void*, napi_value* result) {
  *result = api::make(napi_external);
  (*result)->data = data;
  (*result)->finalize = finalize;
  return napi_ok;
}
// All values stay until the input ends.
inline napi_status napi_create_reference(napi_env, napi_value, uint32_t, napi_ref* result) {
  *result = reinterpret_cast<napi_ref>(1);
  return napi_ok;
}
inline napi_status napi_delete_reference(napi_env, napi_ref) { return napi_ok; }
inline napi_status napi_type_tag_object(napi_env, napi_value value, const napi_type_tag* tag) {
  value->hasTag = true;
  value->tag = *tag;
  return napi_ok;
}
inline napi_status napi_check_object_type_tag(napi_env, napi_value value, const napi_type_tag* tag, bool* result) {
  *result = value->hasTag && value->tag.lower == tag->lower && value->tag.upper == tag->upper;
  return napi_ok;
}
inline napi_status napi_get_value_external(napi_env, napi_value value, void** result) {
  *result = value->data;
  return value->type == napi_external ? napi_ok : napi_invalid_arg;
}
// As in ECMAScript's ToInt32: modulo 2^32, and 0 for NaN and infinity.
inline napi_status napi_get_value_uint32(napi_env, napi_value value, uint32_t* result) {
  const double whole = std::isfinite(value->number) ? fmod(trunc(value->number), 4294967296.0) : 0;
  *result = static_cast<uint32_t>(static_cast<int64_t>(whole));
  return value->type == napi_number ? napi_ok : napi_number_expected;
}
inline napi_status napi_get_value_int32(napi_env env, napi_value value, int32_t* result) {
  return napi_get_value_uint32(env, value, reinterpret_cast<uint32_t*>(result));
}
inline napi_status napi_get_value_bool(napi_env, napi_value value, bool* result) {
  *result = value->number != 0;
  return value->type == napi_boolean ? napi_ok : napi_boolean_expected;
}
inline napi_status napi_create_int64(napi_env, int64_t value, napi_value* result) {
  *result = api::number(static_cast<double>(value));
  return napi_ok;
}
inline napi_status napi_create_arraybuffer(napi_env, size_t size, void** data, napi_value* result) {
  if (size > api::MOST_BYTES) return napi_generic_failure;
  *result = api::array(napi_uint8_array, std::string(size, 0).data(), size);
  *data = (*result)->data;
  return napi_ok;
}
inline napi_status napi_create_external_arraybuffer(napi_env, void* data, size_t, napi_finalize finalize, void* hint, napi_value* result) {
  *result = api::make(napi_object);
  (*result)->data = data;
  (*result)->finalize = finalize;
  (*result)->hint = hint;
  return napi_ok;
}
// The array is the buffer itself.
inline napi_status napi_create_typedarray(napi_env, napi_typedarray_type type, size_t length, napi_value buffer, size_t, napi_value* result) {
  buffer->isTypedArray = true;
  buffer->elements = type;
  buffer->length = length;
  *result = buffer;
  return napi_ok;
}
inline napi_status napi_create_array_with_length(napi_env, size_t, napi_value* result) {
  *result = api::make(napi_external);
  return napi_ok;
}
inline napi_status napi_create_string_utf8(napi_env, const char* text, size_t, napi_value* result) {
  *result = api::string(text);
  return napi_ok;
}
inline napi_status napi_set_element(napi_env, napi_value, uint32_t, napi_value) { return napi_ok; }
inline napi_status napi_create_function(napi_env, const char*, size_t, napi_callback call, void*, napi_value* result) {
  *result = api::make(napi_function);
  (*result)->call = call;
  return napi_ok;
}
inline napi_status napi_set_named_property(napi_env, napi_value, const char* name, napi_value value) {
  if (value->type == napi_function) api::functions[name].call = value->call;
  return napi_ok;
}
}

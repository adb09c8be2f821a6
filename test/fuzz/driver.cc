// libFuzzer (https://llvm.org/docs/LibFuzzer.html) for JavaScript: mutates inputs, sends each to JavaScript, and keeps those that reach new code.
#include <node_api.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

extern "C" int LLVMFuzzerRunDriver(int* argc, char*** argv, int (*run)(const uint8_t* data, size_t size));

namespace {

// JavaScript counts what it runs here. libFuzzer finds the array by its section, reads it after each input, and clears it.
constexpr size_t COUNTERS = 1 << 17;
__attribute__((section("__libfuzzer_extra_counters"), used)) uint8_t counters[COUNTERS];

struct Input {
  const uint8_t* data;
  size_t size;
};

napi_threadsafe_function run;
std::promise<bool> finished;
int secondsPerInput;

// Of the processor. Other programs may leave little of it.
double usedSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

// An input that does not end but uses no processor is given up after this many times the limit.
constexpr int IDLE_FACTOR = 20;

// On libFuzzer's thread: sends an input to JavaScript's thread, and waits until it is done. Aborting makes libFuzzer save the input.
int runInput(const uint8_t* data, size_t size) {
  finished = std::promise<bool>();
  std::future<bool> result = finished.get_future();
  Input input{data, size};
  napi_call_threadsafe_function(run, &input, napi_tsfn_blocking);
  const double before = usedSeconds();
  for (int waited = 1; result.wait_for(std::chrono::seconds(1)) == std::future_status::timeout; waited++) {
    if (usedSeconds() - before < secondsPerInput && waited < IDLE_FACTOR * secondsPerInput) continue;
    fprintf(stderr, "The input takes longer than %d s.\n", secondsPerInput);
    abort();
  }
  if (!result.get()) abort();
  return 0;
}

// On JavaScript's thread. The bytes are copied, because a target may keep them.
void callTarget(napi_env env, napi_value target, void*, void* data) {
  const Input& input = *static_cast<Input*>(data);
  void* bytes;
  napi_value buffer, undefined;
  napi_create_buffer_copy(env, input.size, input.data, &bytes, &buffer);
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, target, 1, &buffer, nullptr);
}

// start(arguments of libFuzzer, seconds an input may take, target)
napi_value start(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value values[3], name;
  napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  uint32_t length;
  napi_get_array_length(env, values[0], &length);
  static std::vector<std::string> texts(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value value;
    size_t size;
    napi_get_element(env, values[0], i, &value);
    napi_get_value_string_utf8(env, value, nullptr, 0, &size);
    texts[i].resize(size);
    napi_get_value_string_utf8(env, value, &texts[i][0], size + 1, &size);
  }
  napi_get_value_int32(env, values[1], &secondsPerInput);
  napi_create_string_utf8(env, "libFuzzer", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, values[2], nullptr, name, 0, 1, nullptr, nullptr, nullptr, callTarget, &run);
  // libFuzzer ends with `exit` on its own thread, while Node still runs.
  on_exit([](int status, void*) { _exit(status); }, nullptr);
  std::thread([] {
    static std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(&text[0]);
    pointers.push_back(nullptr);
    int argc = static_cast<int>(texts.size());
    char** argv = pointers.data();
    LLVMFuzzerRunDriver(&argc, &argv, runInput);
    _exit(0);
  }).detach();
  return nullptr;
}

// finish(whether the input was handled as it should)
napi_value finish(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  bool isFine = false;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  napi_get_value_bool(env, value, &isFine);
  finished.set_value(isFine);
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value buffer, array, function;
  napi_create_external_arraybuffer(env, counters, COUNTERS, nullptr, nullptr, &buffer);
  napi_create_typedarray(env, napi_uint8_array, COUNTERS, buffer, 0, &array);
  napi_set_named_property(env, exports, "counters", array);
  napi_create_function(env, "start", NAPI_AUTO_LENGTH, start, nullptr, &function);
  napi_set_named_property(env, exports, "start", function);
  napi_create_function(env, "finish", NAPI_AUTO_LENGTH, finish, nullptr, &function);
  napi_set_named_property(env, exports, "finish", function);
  return exports;
}

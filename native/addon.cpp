// The only file that knows Node-API. Its face is src/runtime/native/addon.ts.
#include <node_api.h>

#include <new>
#include <string>

#include "failure.h"
#include "interpreter.h"
#include "registry.h"

namespace {

using namespace fathom;

constexpr napi_type_tag kProgramTag = {0x8f2b6a1c4d3e5f60, 0x91a7c3d5e7f90b1d};
constexpr napi_type_tag kSessionTag = {0x3c5d7e9fa1b2c4d6, 0x5e6f8091a2b3c4d5};

void need(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  fail("NATIVE", info && info->error_message ? info->error_message : "a Node-API call failed");
}

napi_value text(napi_env env, const std::string& value) {
  napi_value result;
  need(env, napi_create_string_utf8(env, value.data(), value.size(), &result));
  return result;
}

napi_value toError(napi_env env, const Failure& failure) {
  napi_value result = nullptr;
  napi_create_error(env, text(env, failure.code), text(env, failure.message), &result);
  return result;
}

// Calls `body`; what it throws becomes a pending JavaScript exception.
template <class Body> napi_value guarded(napi_env env, Body&& body) {
  try {
    return body();
  } catch (const Failure& failure) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) napi_throw(env, toError(env, failure));
  } catch (const std::bad_alloc&) {
    napi_throw(env, toError(env, {"MEMORY", "the system has no memory left"}));
  } catch (const std::exception& error) {
    napi_throw(env, toError(env, {"NATIVE", error.what()}));
  }
  return nullptr;
}

template <size_t N> struct Arguments {
  napi_value values[N] = {};
  Arguments(napi_env env, napi_callback_info info) {
    size_t count = N;
    need(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
    if (count < N) fail("NATIVE", "too few arguments");
  }
  napi_value operator[](size_t i) const { return values[i]; }
};

Buffer bufferOf(napi_env env, napi_value value) {
  static constexpr size_t kBytes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      static_cast<size_t>(type) >= std::size(kBytes))
    fail("NATIVE", "expected a typed array");
  return {data, length * kBytes[type]};
}

template <class T> std::span<T> spanOf(napi_env env, napi_value value, napi_typedarray_type expected) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != expected)
    fail("NATIVE", "expected a typed array of another type");
  return {static_cast<T*>(data), length};
}

std::vector<Buffer> buffersOf(napi_env env, napi_value array) {
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) fail("NATIVE", "expected an array of typed arrays");
  std::vector<Buffer> result(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    need(env, napi_get_element(env, array, i, &element));
    result[i] = bufferOf(env, element);
  }
  return result;
}

template <class T> T& untag(napi_env env, napi_value value, const napi_type_tag& tag) {
  bool matches = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(env, value, &tag, &matches) != napi_ok || !matches ||
      napi_get_value_external(env, value, &data) != napi_ok)
    fail("NATIVE", "expected a program or session of this addon");
  return *static_cast<T*>(data);
}

template <class T> napi_value tagged(napi_env env, T* data, const napi_type_tag& tag) {
  napi_value result;
  const auto finalize = [](napi_env scope, void* it, void*) {
    static_cast<T*>(it)->release(scope);
    delete static_cast<T*>(it);
  };
  if (napi_create_external(env, data, finalize, nullptr, &result) != napi_ok) {
    delete data;
    fail("NATIVE", "an external value could not be made");
  }
  need(env, napi_type_tag_object(env, result, &tag));
  return result;
}

// A program owns a copy of its constants, aligned.
struct LoadedProgram {
  Program program;
  Memory constants;
};
struct ProgramHandle {
  std::shared_ptr<const Program> program;
  int64_t bytes = 0;
  void release(napi_env env) {
    int64_t total;
    napi_adjust_external_memory(env, -bytes, &total);
  }
};
struct SessionHandle {
  std::shared_ptr<Session> session;
  napi_ref states = nullptr;  // keeps the caller's arrays alive as long as their addresses are known here
  int64_t bytes = 0;
  void release(napi_env env) {
    if (states) napi_delete_reference(env, states);
    int64_t total;
    napi_adjust_external_memory(env, -bytes, &total);
  }
};

// () → { instructionSet, instructionSets, kernels }
napi_value info(napi_env env, napi_callback_info) {
  return guarded(env, [&] {
    napi_value result, list, sets;
    need(env, napi_create_object(env, &result));
    need(env, napi_set_named_property(env, result, "instructionSet", text(env, instructionSet())));
    need(env, napi_create_array(env, &sets));
    for (uint32_t i = 0; i < instructionSets().size(); i++)
      need(env, napi_set_element(env, sets, i, text(env, instructionSets()[i])));
    need(env, napi_set_named_property(env, result, "instructionSets", sets));
    need(env, napi_create_array(env, &list));
    for (uint32_t i = 0; i < kernels().size(); i++)
      need(env, napi_set_element(env, list, i, text(env, kernels()[i].check ? kernels()[i].kernel.name : "")));
    need(env, napi_set_named_property(env, result, "kernels", list));
    return result;
  });
}

// (encoding Float64Array, constants Uint8Array) → { program, scratch }
napi_value load(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Arguments<2> arguments(env, info);
    const auto encoding = spanOf<double>(env, arguments[0], napi_float64_array);
    const auto constants = spanOf<uint8_t>(env, arguments[1], napi_uint8_array);
    auto loaded = std::make_shared<LoadedProgram>();
    loaded->program = decode(encoding, constants);
    loaded->constants.reserve(constants.size());
    std::copy(constants.begin(), constants.end(), loaded->constants.data());
    loaded->program.constants = {};
    loaded->program.constantData = loaded->constants.data();
    auto* handle = new ProgramHandle{std::shared_ptr<const Program>(loaded, &loaded->program)};
    handle->bytes = static_cast<int64_t>(constants.size());
    napi_value external = tagged(env, handle, kProgramTag);
    int64_t total;
    napi_adjust_external_memory(env, handle->bytes, &total);

    napi_value result, scratch;
    need(env, napi_create_object(env, &result));
    need(env, napi_create_double(env, static_cast<double>(handle->program->scratchBytes), &scratch));
    need(env, napi_set_named_property(env, result, "program", external));
    need(env, napi_set_named_property(env, result, "scratch", scratch));
    return result;
  });
}

// (program, states TypedArray[], threads) → session
napi_value bind(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Arguments<3> arguments(env, info);
    auto& program = untag<ProgramHandle>(env, arguments[0], kProgramTag);
    int32_t threads = 1;
    if (napi_get_value_int32(env, arguments[2], &threads) != napi_ok || threads < 1 || threads > 1024)
      fail("NATIVE", "the number of threads is not between 1 and 1024");
    auto* handle = new SessionHandle;
    try {
      handle->session = std::make_shared<Session>(program.program, buffersOf(env, arguments[1]), threads);
    } catch (...) {
      delete handle;
      throw;
    }
    handle->bytes = program.program->arenaBytes;
    napi_value external = tagged(env, handle, kSessionTag);
    need(env, napi_create_reference(env, arguments[1], 1, &handle->states));
    int64_t total;
    napi_adjust_external_memory(env, handle->bytes, &total);
    return external;
  });
}

struct Run {
  std::shared_ptr<Session> session;
  std::vector<int64_t> symbols;
  std::vector<Buffer> feeds, outputs;
  std::span<double> nanoseconds;

  // (session, symbols Float64Array, feeds, outputs, nanoseconds Float64Array)
  template <size_t N> Run(napi_env env, const Arguments<N>& arguments) {
    session = untag<SessionHandle>(env, arguments[0], kSessionTag).session;
    for (double symbol : spanOf<double>(env, arguments[1], napi_float64_array)) {
      if (!(symbol >= 0 && symbol <= 9e15)) fail("SHAPE", "a symbol is outside of its bounds");
      symbols.push_back(static_cast<int64_t>(symbol));
    }
    feeds = buffersOf(env, arguments[2]);
    outputs = buffersOf(env, arguments[3]);
    nanoseconds = spanOf<double>(env, arguments[4], napi_float64_array);
    if (session->busy.exchange(true)) fail("NATIVE", "this session is running already; runs of one session must not overlap");
  }
  ~Run() {
    if (session) session->busy.store(false);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  void operator()() { session->run(symbols, feeds, outputs, nanoseconds); }
};

napi_value runSync(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    Run run(env, Arguments<5>(env, info));
    run.session->arm();
    run();
    return nullptr;
  });
}

struct AsyncRun {
  Run run;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  napi_ref operands = nullptr;  // the session, feeds and outputs, alive until the run is done
  bool failed = false;
  Failure failure{};

  void execute() {
    try {
      run();
      return;
    } catch (const Failure& thrown) {
      failure = thrown;
    } catch (const std::bad_alloc&) {
      failure = {"MEMORY", "the system has no memory left"};
    } catch (const std::exception& error) {
      failure = {"NATIVE", error.what()};
    }
    failed = true;
  }
};

void complete(napi_env env, napi_status status, void* data) {
  std::unique_ptr<AsyncRun> it(static_cast<AsyncRun*>(data));
  napi_delete_reference(env, it->operands);
  napi_delete_async_work(env, it->work);
  if (status == napi_cancelled) {
    it->failed = true;
    it->failure = {"CANCELLED", "the run was cancelled"};
  }
  // Free for the next run before anyone is told that this one is done.
  it->run.session->busy.store(false);
  it->run.session.reset();
  napi_value value = nullptr;
  if (it->failed) {
    value = toError(env, it->failure);
    napi_reject_deferred(env, it->deferred, value);
  } else {
    napi_get_undefined(env, &value);
    napi_resolve_deferred(env, it->deferred, value);
  }
}

// As runSync, on a thread of libuv's; → Promise<void>
napi_value runAsync(napi_env env, napi_callback_info info) {
  return guarded(env, [&] {
    Arguments<5> arguments(env, info);
    std::unique_ptr<AsyncRun> it(new AsyncRun{{env, arguments}});
    it->run.session->arm();
    napi_value operands, promise;
    need(env, napi_create_array_with_length(env, 5, &operands));
    for (uint32_t i = 0; i < 5; i++) need(env, napi_set_element(env, operands, i, arguments[i]));
    need(env, napi_create_async_work(
                  env, nullptr, text(env, "fathom run"), [](napi_env, void* data) { static_cast<AsyncRun*>(data)->execute(); },
                  complete, it.get(), &it->work));
    need(env, napi_create_reference(env, operands, 1, &it->operands));
    need(env, napi_create_promise(env, &it->deferred, &promise));
    need(env, napi_queue_async_work(env, it->work));
    it.release();
    return promise;
  });
}

napi_value cancel(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    untag<SessionHandle>(env, Arguments<1>(env, info)[0], kSessionTag).session->cancel();
    return nullptr;
  });
}

napi_value initialize(napi_env env, napi_value exports) {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"info", info}, {"load", load}, {"bind", bind}, {"runSync", runSync}, {"run", runAsync}, {"cancel", cancel}};
  for (const auto& [name, call] : functions) {
    napi_value function;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function) != napi_ok ||
        napi_set_named_property(env, exports, name, function) != napi_ok)
      return nullptr;
  }
  return exports;
}

}  // namespace

NAPI_MODULE(fathom, initialize)

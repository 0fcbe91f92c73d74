#include "boundary.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/version.h>

#include <mutex>
#include <vector>

namespace gradus {

std::atomic<int64_t> live_tensors{0};

namespace {

enum class Kind { Tensor, Int, Double, Bool, String, Device, Generator, Scalar, Tensors, OptionalTensors, Ints, Doubles, Bools, Other };

struct Argument {
  Kind kind;
  bool optional;
  int64_t fixed_size;  // int[2]: one integer stands for two
  c10::optional<c10::IValue> fallback;
};

struct Operator {
  c10::OperatorHandle handle;
  std::vector<Argument> arguments;
};

Kind kind_of(const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType: return Kind::Double;
    case c10::TypeKind::BoolType: return Kind::Bool;
    case c10::TypeKind::StringType: return Kind::String;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::ListType: {
      auto element = type->castRaw<c10::ListType>()->getElementType();
      switch (element->kind()) {
        case c10::TypeKind::TensorType: return Kind::Tensors;
        case c10::TypeKind::OptionalType: return Kind::OptionalTensors;
        case c10::TypeKind::IntType:
        case c10::TypeKind::SymIntType: return Kind::Ints;
        case c10::TypeKind::FloatType: return Kind::Doubles;
        case c10::TypeKind::BoolType: return Kind::Bools;
        default: return Kind::Other;
      }
    }
    default: return Kind::Other;
  }
}

[[noreturn]] void mismatch(const Operator& op, size_t i) {
  const auto& schema = op.handle.schema();
  throw std::invalid_argument("argument '" + schema.arguments()[i].name() + "' has the wrong kind for " + schema.name());
}

c10::Device indexed_device(int packed) {
  auto device = device_of(packed);
  return device.is_cpu() ? c10::Device(c10::kCPU) : device;
}

c10::IValue convert(const Operator& op, size_t i, const gradus_arg& a) {
  const auto& expected = op.arguments[i];
  if (a.tag == GRADUS_NONE) {
    if (expected.kind == Kind::Tensor && !expected.optional) mismatch(op, i);
    return c10::IValue();
  }
  switch (expected.kind) {
    case Kind::Tensor:
      if (a.tag != GRADUS_TENSOR) mismatch(op, i);
      return c10::IValue(borrow(const_cast<void*>(a.v.p)));
    case Kind::Int:
      if (a.tag != GRADUS_INT && a.tag != GRADUS_BOOL) mismatch(op, i);
      return c10::IValue(a.v.i);
    case Kind::Double:
      if (a.tag == GRADUS_INT) return c10::IValue(static_cast<double>(a.v.i));
      if (a.tag != GRADUS_DOUBLE) mismatch(op, i);
      return c10::IValue(a.v.d);
    case Kind::Bool:
      if (a.tag != GRADUS_BOOL && a.tag != GRADUS_INT) mismatch(op, i);
      return c10::IValue(a.v.i != 0);
    case Kind::Scalar:
      if (a.tag == GRADUS_INT) return c10::IValue(a.v.i);
      if (a.tag == GRADUS_DOUBLE) return c10::IValue(a.v.d);
      if (a.tag == GRADUS_BOOL) return c10::IValue(a.v.i != 0);
      mismatch(op, i);
    case Kind::String:
      if (a.tag != GRADUS_STRING) mismatch(op, i);
      return c10::IValue(std::string(static_cast<const char*>(a.v.p), a.count));
    case Kind::Device:
      if (a.tag != GRADUS_DEVICE) mismatch(op, i);
      return c10::IValue(indexed_device(static_cast<int>(a.v.i)));
    case Kind::Generator:
      if (a.tag != GRADUS_GENERATOR) mismatch(op, i);
      return c10::IValue(*static_cast<const at::Generator*>(a.v.p));
    case Kind::Tensors: {
      if (a.tag != GRADUS_TENSORS) mismatch(op, i);
      c10::List<at::Tensor> list;
      list.reserve(a.count);
      for (int k = 0; k < a.count; k++) list.push_back(borrow(static_cast<gradus_tensor const*>(a.v.p)[k]));
      return c10::IValue(std::move(list));
    }
    case Kind::OptionalTensors: {
      if (a.tag != GRADUS_TENSORS) mismatch(op, i);
      c10::List<c10::optional<at::Tensor>> list;
      list.reserve(a.count);
      for (int k = 0; k < a.count; k++) {
        auto handle = static_cast<gradus_tensor const*>(a.v.p)[k];
        list.push_back(handle ? c10::optional<at::Tensor>(borrow(handle)) : c10::nullopt);
      }
      return c10::IValue(std::move(list));
    }
    case Kind::Ints: {
      c10::List<int64_t> list;
      if (a.tag == GRADUS_INT) {
        for (int64_t k = 0; k < std::max<int64_t>(1, expected.fixed_size); k++) list.push_back(a.v.i);
      } else {
        if (a.tag != GRADUS_INTS) mismatch(op, i);
        list.reserve(a.count);
        for (int k = 0; k < a.count; k++) list.push_back(static_cast<const int64_t*>(a.v.p)[k]);
      }
      return c10::IValue(std::move(list));
    }
    case Kind::Doubles: {
      if (a.tag != GRADUS_DOUBLES) mismatch(op, i);
      c10::List<double> list;
      for (int k = 0; k < a.count; k++) list.push_back(static_cast<const double*>(a.v.p)[k]);
      return c10::IValue(std::move(list));
    }
    case Kind::Bools: {
      if (a.tag != GRADUS_BOOLS) mismatch(op, i);
      c10::List<bool> list;
      for (int k = 0; k < a.count; k++) list.push_back(static_cast<const uint8_t*>(a.v.p)[k] != 0);
      return c10::IValue(std::move(list));
    }
    default: mismatch(op, i);
  }
}

struct Results {
  gradus_arg* at;
  int capacity;
  int produced = 0;

  gradus_arg& next(int tag) {
    if (produced == capacity) throw std::length_error("more results than room for them");
    auto& r = at[produced++];
    r.tag = tag;
    r.count = 0;
    return r;
  }

  void add(const c10::IValue& value) {
    if (value.isTensor()) {
      next(GRADUS_TENSOR).v.p = give(value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& t : value.toTensorVector()) next(GRADUS_TENSOR).v.p = give(t);
    } else if (value.isInt()) {
      next(GRADUS_INT).v.i = value.toInt();
    } else if (value.isDouble()) {
      next(GRADUS_DOUBLE).v.d = value.toDouble();
    } else if (value.isBool()) {
      next(GRADUS_BOOL).v.i = value.toBool();
    } else if (value.isNone()) {
      next(GRADUS_NONE).v.i = 0;
    } else {
      throw std::invalid_argument("a result of kind " + value.tagKind() + " has no managed form");
    }
  }
};

// The backward of an autograd function written in managed code.
struct ManagedNode : torch::autograd::Node {
  gradus_backward_fn backward = nullptr;
  gradus_free_fn release = nullptr;
  void* state = nullptr;

  ~ManagedNode() override { forget(); }

  std::string name() const override { return "GradusBackward"; }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    forget();
  }

  torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!state) throw std::runtime_error("backward a second time through a graph that was already freed; keep it with retainGraph");
    std::vector<gradus_tensor> in(grads.size()), out(num_outputs(), nullptr);
    std::vector<uint8_t> needed(num_outputs());
    for (size_t i = 0; i < in.size(); i++) in[i] = give(grads[i]);
    for (size_t i = 0; i < needed.size(); i++) needed[i] = task_should_compute_output(i);
    grads.clear();
    const int failed = backward(state, in.data(), static_cast<int>(in.size()), needed.data(), out.data(), static_cast<int>(out.size()));
    torch::autograd::variable_list result(out.size());
    for (size_t i = 0; i < out.size(); i++) result[i] = take(out[i]);
    if (failed) throw std::runtime_error("managed backward failed");
    return result;
  }

 private:
  void forget() {
    if (state && release) release(state);
    state = nullptr;
  }
};

at::Generator& generator_of(gradus_generator g) {
  if (g) return *static_cast<at::Generator*>(g);
  static thread_local at::Generator fallback;
  fallback = at::detail::getDefaultCPUGenerator();
  return fallback;
}

}  // namespace
}  // namespace gradus

using namespace gradus;

const char* gradus_error(void) { return last_error.c_str(); }
const char* gradus_version(void) { return TORCH_VERSION; }
int gradus_abi(void) { return GRADUS_ABI; }

int gradus_op_find(const char* name, const char* overload, gradus_op* op) {
  *op = nullptr;
  return guarded([&] {
    auto found = c10::Dispatcher::singleton().findSchema({name, overload});
    if (!found) throw std::invalid_argument(std::string("libtorch " TORCH_VERSION " has no operator ") + name + (*overload ? "." : "") + overload);
    auto* result = new Operator{*found, {}};
    for (const auto& a : found->schema().arguments()) {
      auto type = a.type();
      const bool optional = type->kind() == c10::TypeKind::OptionalType;
      if (optional) type = type->castRaw<c10::OptionalType>()->getElementType();
      result->arguments.push_back({kind_of(type), optional, a.N() ? *a.N() : 0, a.default_value()});
    }
    *op = result;
  });
}

const char* gradus_op_schema(gradus_op op) {
  static thread_local std::string text;
  text = c10::toString(static_cast<Operator*>(op)->handle.schema());
  return text.c_str();
}

int gradus_op_list(void (*visit)(void*, const char*, const char*), void* state) {
  return guarded([&] {
    for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) visit(state, name.name.c_str(), name.overload_name.c_str());
  });
}

int gradus_op_call(gradus_op handle, const gradus_arg* args, int count, gradus_arg* results, int capacity, int* produced) {
  const auto& op = *static_cast<Operator*>(handle);
  Results made{results, capacity};
  const int failed = guarded([&] {
    if (static_cast<size_t>(count) > op.arguments.size()) throw std::invalid_argument("too many arguments for " + op.handle.schema().name());
    torch::jit::Stack stack;
    stack.reserve(op.arguments.size());
    for (size_t i = 0; i < op.arguments.size(); i++) {
      if (i < static_cast<size_t>(count)) {
        stack.push_back(convert(op, i, args[i]));
      } else if (op.arguments[i].fallback) {
        stack.push_back(*op.arguments[i].fallback);
      } else {
        throw std::invalid_argument("argument '" + op.handle.schema().arguments()[i].name() + "' of " + op.handle.schema().name() + " is missing");
      }
    }
    op.handle.callBoxed(&stack);
    for (const auto& value : stack) made.add(value);
  });
  if (failed)
    for (int i = 0; i < made.produced; i++)
      if (results[i].tag == GRADUS_TENSOR) take(const_cast<void*>(results[i].v.p));
  *produced = failed ? 0 : made.produced;
  return failed;
}

int gradus_tensor_new(const void* data, const int64_t* shape, int dims, int dtype, gradus_tensor* out) {
  return guarded([&] {
    auto t = at::empty(at::IntArrayRef(shape, dims), at::TensorOptions(static_cast<c10::ScalarType>(dtype)));
    if (data) memcpy(t.data_ptr(), data, t.nbytes());
    *out = give(std::move(t));
  });
}

int gradus_tensor_borrow(void* data, const int64_t* shape, int dims, int dtype, void (*release)(void*), void* state, gradus_tensor* out) {
  return guarded([&] {
    *out = give(at::from_blob(
        data, at::IntArrayRef(shape, dims), [release, state](void*) { if (release) release(state); },
        at::TensorOptions(static_cast<c10::ScalarType>(dtype))));
  });
}

int gradus_tensor_retain(gradus_tensor t, gradus_tensor* out) {
  return guarded([&] { *out = give(borrow(t)); });
}

void gradus_tensor_release(gradus_tensor t) { take(t); }

int gradus_tensor_info(gradus_tensor handle, gradus_info* info) {
  return guarded([&] {
    auto t = borrow(handle);
    info->elements = t.numel();
    info->version = t.is_inference() ? 0 : t._version();
    info->data = t.has_storage() ? t.data_ptr() : nullptr;
    info->node = t.has_storage() ? t.storage().unsafeGetStorageImpl() : nullptr;
    info->dims = static_cast<int32_t>(t.dim());
    info->dtype = static_cast<int32_t>(t.scalar_type());
    info->device = (static_cast<int32_t>(t.device().type()) << 16) | (t.device().has_index() ? t.device().index() : 0);
    info->requires_grad = t.requires_grad();
    info->is_leaf = t.is_leaf();
    info->is_contiguous = t.is_contiguous();
    info->has_grad = t.is_leaf() && t.mutable_grad().defined();
  });
}

int gradus_tensor_shape(gradus_tensor handle, int64_t* sizes, int64_t* strides) {
  return guarded([&] {
    const auto* t = static_cast<at::TensorImpl*>(handle);
    std::copy(t->sizes().begin(), t->sizes().end(), sizes);
    if (strides) std::copy(t->strides().begin(), t->strides().end(), strides);
  });
}

int64_t gradus_tensor_live(void) { return live_tensors.load(); }

int gradus_requires_grad(gradus_tensor t, int on) {
  return guarded([&] { borrow(t).set_requires_grad(on != 0); });
}

int gradus_grad_get(gradus_tensor t, gradus_tensor* out) {
  return guarded([&] { *out = give(borrow(t).mutable_grad()); });
}

int gradus_grad_set(gradus_tensor t, gradus_tensor grad) {
  return guarded([&] { borrow(t).mutable_grad() = borrow(grad); });
}

int gradus_backward(const gradus_tensor* roots, const gradus_tensor* grads, int count, int retain_graph) {
  return guarded([&] {
    torch::autograd::variable_list r, g;
    for (int i = 0; i < count; i++) {
      r.push_back(borrow(roots[i]));
      g.push_back(grads ? borrow(grads[i]) : at::Tensor());
    }
    torch::autograd::backward(r, g, retain_graph != 0);
  });
}

int gradus_grad_mode(int on) {
  const bool former = at::GradMode::is_enabled();
  if (on >= 0) at::GradMode::set_enabled(on != 0);
  return former;
}

int gradus_function(const gradus_tensor* inputs, int count_in, const gradus_tensor* outputs, int count_out,
                    gradus_backward_fn backward, gradus_free_fn release, void* state) {
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 12)
  auto node = c10::make_intrusive<ManagedNode>();
#else
  auto node = std::shared_ptr<ManagedNode>(new ManagedNode(), torch::autograd::deleteNode);
#endif
  const int failed = guarded([&] {
    torch::autograd::variable_list in;
    for (int i = 0; i < count_in; i++) in.push_back(borrow(inputs[i]));
    node->set_next_edges(torch::autograd::collect_next_edges(in));
    for (int i = 0; i < count_out; i++) {
      auto out = borrow(outputs[i]);
      torch::autograd::set_history(out, node);
    }
  });
  if (failed) return failed;  // the state stays the caller's
  node->backward = backward;
  node->release = release;
  node->state = state;
  return 0;
}

int gradus_seed(int64_t seed) {
  return guarded([&] { at::manual_seed(static_cast<uint64_t>(seed)); });
}

int gradus_generator_new(int64_t seed, int device, gradus_generator* out) {
  return guarded([&] {
    auto d = indexed_device(device);
    if (!d.is_cpu()) {
      // A device's own generator: libtorch offers no device-neutral constructor before 2.6, so the default one is cloned.
      auto g = at::globalContext().defaultGenerator(d).clone();
      g.set_current_seed(static_cast<uint64_t>(seed));
      *out = new at::Generator(std::move(g));
    } else {
      *out = new at::Generator(at::detail::createCPUGenerator(static_cast<uint64_t>(seed)));
    }
  });
}

int gradus_generator_state(gradus_generator g, gradus_tensor* out) {
  return guarded([&] { *out = give(generator_of(g).get_state()); });
}

int gradus_generator_restore(gradus_generator g, gradus_tensor state) {
  return guarded([&] { generator_of(g).set_state(borrow(state)); });
}

void gradus_generator_release(gradus_generator g) { delete static_cast<at::Generator*>(g); }

int gradus_threads(int count) {
  guarded([&] { if (count > 0) at::set_num_threads(count); });
  return at::get_num_threads();
}

int gradus_parallel(int64_t items, int64_t grain, void (*body)(void*, int64_t, int64_t), void* state) {
  return guarded([&] { at::parallel_for(0, items, grain, [&](int64_t from, int64_t to) { body(state, from, to); }); });
}

int gradus_device_count(int type) {
  const auto device = static_cast<c10::DeviceType>(type);
  if (device == c10::kCPU) return 1;
  try {
    return static_cast<int>(c10::impl::VirtualGuardImpl(device).deviceCount());
  } catch (...) {
    return 0;  // libtorch was built without this kind of device
  }
}

int gradus_device_synchronize(int device) {
  return guarded([&] {
    auto d = device_of(device);
    if (!d.is_cpu()) {
      c10::impl::VirtualGuardImpl guard(d.type());
      guard.getStream(d).synchronize();
    }
  });
}

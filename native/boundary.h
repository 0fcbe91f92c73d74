// Shared by the translation units: tensors as handles, and the wall no exception passes.
#pragma once
#include "gradus.h"

#include <ATen/core/Tensor.h>

#include <atomic>
#include <string>

namespace gradus {

inline thread_local std::string last_error;
extern std::atomic<int64_t> live_tensors;

using Impl = c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;

// A handle is a TensorImpl* that owns one reference: no allocation beside libtorch's own.
inline gradus_tensor give(at::Tensor t) {
  if (!t.defined()) return nullptr;
  live_tensors.fetch_add(1, std::memory_order_relaxed);
  return t.unsafeReleaseTensorImpl();
}

inline at::Tensor borrow(gradus_tensor handle) {
  return handle ? at::Tensor(Impl::reclaim_copy(static_cast<at::TensorImpl*>(handle))) : at::Tensor();
}

inline at::Tensor take(gradus_tensor handle) {
  if (!handle) return at::Tensor();
  live_tensors.fetch_sub(1, std::memory_order_relaxed);
  return at::Tensor(Impl::reclaim(static_cast<at::TensorImpl*>(handle)));
}

inline c10::Device device_of(int64_t packed) {
  return c10::Device(static_cast<c10::DeviceType>(packed >> 16), static_cast<c10::DeviceIndex>(packed & 0xffff));
}

template <class F>
int guarded(F&& body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error& e) {
    last_error = e.what_without_backtrace();
  } catch (const std::exception& e) {
    last_error = e.what();
  } catch (...) {
    last_error = "unknown native failure";
  }
  return 1;
}

}  // namespace gradus

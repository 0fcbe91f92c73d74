// What tensors take: counted here on the CPU, by libtorch's caching allocator on a GPU.
#include "boundary.h"

#include <c10/core/Allocator.h>

#include <cstdlib>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#if __has_include(<cuda_runtime_api.h>) && __has_include(<c10/cuda/CUDACachingAllocator.h>)
#include <c10/cuda/CUDACachingAllocator.h>
#define GRADUS_HAS_CUDA_STATISTICS 1
#endif

using namespace gradus;

namespace {

#ifdef __GLIBC__
// libtorch counts what it holds on a GPU and not on the CPU. This allocator takes blocks where libtorch's own does (64 bytes
// aligned, so that vectors never straddle cache lines) and counts them as malloc made them.
std::atomic<int64_t> cpu_bytes{0};
std::atomic<int64_t> cpu_peak_bytes{0};

struct CountingAllocator final : c10::Allocator {
  static void release(void* data) {
    if (!data) return;
    cpu_bytes.fetch_sub(static_cast<int64_t>(malloc_usable_size(data)), std::memory_order_relaxed);
    std::free(data);
  }

  static c10::DataPtr take(size_t bytes) {
    void* data = nullptr;
    if (bytes != 0) {
      TORCH_CHECK(posix_memalign(&data, 64, bytes) == 0, "not enough memory: ", bytes, " bytes asked for, ", cpu_bytes.load(), " in use by tensors");
      const auto size = static_cast<int64_t>(malloc_usable_size(data));
      const auto now = cpu_bytes.fetch_add(size, std::memory_order_relaxed) + size;
      auto peak = cpu_peak_bytes.load(std::memory_order_relaxed);
      while (now > peak && !cpu_peak_bytes.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
      }
    }
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  // Const in libtorch 1.13, not const in 2.6, which asks for copy_data too: all are here, and the base class takes its own.
  c10::DataPtr allocate(size_t bytes) const { return take(bytes); }
  c10::DataPtr allocate(size_t bytes) { return take(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
};

CountingAllocator counting_allocator;
const bool counting = [] {
  c10::SetAllocator(c10::DeviceType::CPU, &counting_allocator, 1);
  return c10::GetAllocator(c10::DeviceType::CPU) == &counting_allocator;
}();
#endif

}  // namespace

int gradus_device_memory(int device, int64_t* allocated, int64_t* peak, int64_t* reserved) {
  *allocated = *peak = *reserved = 0;
  return guarded([&] {
    auto d = device_of(device);
#ifdef __GLIBC__
    if (d.is_cpu() && counting) {
      *allocated = *reserved = cpu_bytes.load();
      *peak = cpu_peak_bytes.load();
    }
#endif
#ifdef GRADUS_HAS_CUDA_STATISTICS
    if (d.is_cuda()) {
      const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(d.index());
      *allocated = stats.allocated_bytes[0].current;
      *peak = stats.allocated_bytes[0].peak;
      *reserved = stats.reserved_bytes[0].current;
    }
#endif
  });
}

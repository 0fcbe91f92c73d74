// Process groups over c10d. libtorch 2.x renamed ProcessGroup to Backend; the names below hide that.
#include "boundary.h"

#include <ATen/ATen.h>
#include <torch/version.h>

#if __has_include(<torch/csrc/distributed/c10d/TCPStore.hpp>)
#define USE_C10D_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#define GRADUS_HAS_C10D 1
#ifdef GRADUS_NCCL
#define USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#ifdef GRADUS_MPI
#define USE_C10D_MPI
#include <torch/csrc/distributed/c10d/ProcessGroupMPI.hpp>
#endif
#endif

#include <chrono>
#include <cstring>

using namespace gradus;

int gradus_features(void) {
  int bits = 0;
#ifdef GRADUS_HAS_C10D
  bits |= 1 | 2;
#endif
#ifdef GRADUS_NCCL
  bits |= 4;
#endif
#ifdef GRADUS_MPI
  bits |= 8;
#endif
  if (gradus_device_count(1) > 0) bits |= 16;
  return bits;
}

#ifdef GRADUS_HAS_C10D

#if TORCH_VERSION_MAJOR >= 2
using Backend = c10d::Backend;
#else
using Backend = c10d::ProcessGroup;
#endif

namespace {

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<Backend> backend;
};

c10d::ReduceOp reduction_of(const char* name) {
  if (!strcmp(name, "sum")) return c10d::ReduceOp::SUM;
  if (!strcmp(name, "min")) return c10d::ReduceOp::MIN;
  if (!strcmp(name, "max")) return c10d::ReduceOp::MAX;
  if (!strcmp(name, "product")) return c10d::ReduceOp::PRODUCT;
  throw std::invalid_argument(std::string("unknown reduction '") + name + "'; one of sum, min, max, product");
}

Backend& backend_of(gradus_group g) { return *static_cast<Group*>(g)->backend; }

}  // namespace

int gradus_group_new(const char* backend, const char* host, int port, int rank, int size, int64_t timeout_ms, gradus_group* out) {
  return guarded([&] {
    const std::chrono::milliseconds timeout(timeout_ms);
    auto group = std::make_unique<Group>();
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = rank == 0;
    options.numWorkers = static_cast<std::size_t>(size);
    options.timeout = timeout;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    options.useLibUV = false;  // the default since 2.4, and Debian builds without libuv
#endif
    group->store = c10::make_intrusive<c10d::TCPStore>(host, options);
    if (!strcmp(backend, "gloo")) {
      auto gloo = c10d::ProcessGroupGloo::Options::create();
      gloo->timeout = timeout;
      gloo->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(host));
      gloo->threads = 2;
      group->backend = c10::make_intrusive<c10d::ProcessGroupGloo>(group->store, rank, size, gloo);
#ifdef GRADUS_NCCL
    } else if (!strcmp(backend, "nccl")) {
      group->backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(group->store, rank, size);
#endif
#ifdef GRADUS_MPI
    } else if (!strcmp(backend, "mpi")) {
      group->backend = c10d::ProcessGroupMPI::createProcessGroupMPI();
#endif
    } else {
      throw std::invalid_argument(std::string("this libtorch has no '") + backend + "' process groups");
    }
    *out = group.release();
  });
}

int gradus_group_all_reduce(gradus_group g, gradus_tensor t, const char* reduction) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{borrow(t)};
    c10d::AllreduceOptions options;
    options.reduceOp = reduction_of(reduction);
    backend_of(g).allreduce(tensors, options)->wait();
  });
}

int gradus_group_broadcast(gradus_group g, gradus_tensor t, int root) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{borrow(t)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    backend_of(g).broadcast(tensors, options)->wait();
  });
}

int gradus_group_all_gather(gradus_group g, gradus_tensor t, gradus_tensor* outputs) {
  return guarded([&] {
    std::vector<at::Tensor> in{borrow(t)};
    std::vector<std::vector<at::Tensor>> out(1);
    for (int i = 0; i < backend_of(g).getSize(); i++) out[0].push_back(borrow(outputs[i]));
    backend_of(g).allgather(out, in)->wait();
  });
}

int gradus_group_barrier(gradus_group g) {
  return guarded([&] { backend_of(g).barrier()->wait(); });
}

void gradus_group_release(gradus_group g) { delete static_cast<Group*>(g); }

#else

static int absent() {
  last_error = "this libtorch was built without c10d: no process groups";
  return 1;
}
int gradus_group_new(const char*, const char*, int, int, int, int64_t, gradus_group*) { return absent(); }
int gradus_group_all_reduce(gradus_group, gradus_tensor, const char*) { return absent(); }
int gradus_group_broadcast(gradus_group, gradus_tensor, int) { return absent(); }
int gradus_group_all_gather(gradus_group, gradus_tensor, gradus_tensor*) { return absent(); }
int gradus_group_barrier(gradus_group) { return absent(); }
void gradus_group_release(gradus_group) {}

#endif

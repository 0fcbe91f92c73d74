/* The whole door between Gradus and libtorch.
 *
 * Every operator is reached by name through libtorch's dispatcher (gradus_op_find, gradus_op_call), so this header does
 * not grow when an operator is needed. The rest is what the dispatcher cannot do: handles, autograd, generators, threads,
 * process groups.
 *
 * Rules
 *   - Functions that can fail return 0 on success and 1 on failure; gradus_error() then holds the message of this thread.
 *   - No C++ exception crosses this boundary, in either direction.
 *   - A gradus_tensor owns one reference. Results are owned by the caller; arguments are borrowed.
 *   - Scalar types are c10::ScalarType numbers; devices are (type << 16 | index), CPU = 0, CUDA = 1 << 16.
 */
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRADUS_ABI 1
#define GRADUS_API __attribute__((visibility("default")))

typedef void* gradus_tensor;
typedef void* gradus_op;
typedef void* gradus_generator;
typedef void* gradus_group;

enum gradus_tag {
  GRADUS_NONE = 0,
  GRADUS_TENSOR = 1,      /* v.p */
  GRADUS_INT = 2,         /* v.i; also scalar types, layouts, memory formats, SymInt */
  GRADUS_DOUBLE = 3,      /* v.d */
  GRADUS_BOOL = 4,        /* v.i */
  GRADUS_STRING = 5,      /* v.p: UTF-8, count bytes */
  GRADUS_DEVICE = 6,      /* v.i: type << 16 | index */
  GRADUS_GENERATOR = 7,   /* v.p */
  GRADUS_TENSORS = 8,     /* v.p: count handles; a null handle is None where the schema allows it */
  GRADUS_INTS = 9,        /* v.p: count int64 */
  GRADUS_DOUBLES = 10,    /* v.p: count double */
  GRADUS_BOOLS = 11       /* v.p: count uint8 */
};

typedef struct {
  int32_t tag;
  int32_t count;
  union { int64_t i; double d; const void* p; } v;
} gradus_arg;

typedef struct {
  int64_t elements;
  int64_t version;        /* bumped by every in-place write */
  void* data;             /* first element, or null for an undefined tensor */
  void* node;             /* identity of the storage: equal for views of one buffer */
  int32_t dims;
  int32_t dtype;
  int32_t device;
  uint8_t requires_grad;
  uint8_t is_leaf;
  uint8_t is_contiguous;
  uint8_t has_grad;
} gradus_info;

GRADUS_API const char* gradus_error(void);
GRADUS_API const char* gradus_version(void);               /* libtorch's version, e.g. "1.13.1" */
GRADUS_API int gradus_abi(void);
GRADUS_API int gradus_features(void);                      /* bit 0: c10d, 1: Gloo, 2: NCCL, 3: MPI, 4: CUDA devices present */

/* Operators. */
GRADUS_API int gradus_op_find(const char* name, const char* overload, gradus_op* op);
GRADUS_API const char* gradus_op_schema(gradus_op op);     /* valid until the next call on this thread */
GRADUS_API int gradus_op_list(void (*visit)(void* state, const char* name, const char* overload), void* state);
GRADUS_API int gradus_op_call(gradus_op op, const gradus_arg* args, int count, gradus_arg* results, int capacity, int* produced);

/* Tensors. */
GRADUS_API int gradus_tensor_new(const void* data, const int64_t* shape, int dims, int dtype, gradus_tensor* out); /* copies; null data: uninitialised */
GRADUS_API int gradus_tensor_borrow(void* data, const int64_t* shape, int dims, int dtype, void (*release)(void*), void* state, gradus_tensor* out);
GRADUS_API int gradus_tensor_retain(gradus_tensor t, gradus_tensor* out);
GRADUS_API void gradus_tensor_release(gradus_tensor t);
GRADUS_API int gradus_tensor_info(gradus_tensor t, gradus_info* info);
GRADUS_API int gradus_tensor_shape(gradus_tensor t, int64_t* sizes, int64_t* strides);
GRADUS_API int64_t gradus_tensor_live(void);               /* handles given out and not yet released */

/* Autograd. */
GRADUS_API int gradus_requires_grad(gradus_tensor t, int on);
GRADUS_API int gradus_grad_get(gradus_tensor t, gradus_tensor* out);   /* null when there is none */
GRADUS_API int gradus_grad_set(gradus_tensor t, gradus_tensor grad);   /* null clears */
GRADUS_API int gradus_backward(const gradus_tensor* roots, const gradus_tensor* grads, int count, int retain_graph);
GRADUS_API int gradus_grad_mode(int on);                   /* sets, returns the former mode; -1 only asks */
/* Managed backward: receives count_in owned gradients (null where undefined), fills count_out owned gradients; `needed`
 * says which are wanted. Returns 0, or 1 after keeping its own account of the failure. */
typedef int (*gradus_backward_fn)(void* state, const gradus_tensor* grads, int count_in, const uint8_t* needed, gradus_tensor* out, int count_out);
typedef void (*gradus_free_fn)(void* state);
GRADUS_API int gradus_function(const gradus_tensor* inputs, int count_in, const gradus_tensor* outputs, int count_out,
                    gradus_backward_fn backward, gradus_free_fn release, void* state);

/* Generators (libtorch's own streams: dropout and initialisation). */
GRADUS_API int gradus_seed(int64_t seed);                  /* the default generators of every device */
GRADUS_API int gradus_generator_new(int64_t seed, int device, gradus_generator* out);
GRADUS_API int gradus_generator_state(gradus_generator g, gradus_tensor* out);       /* null generator: the CPU default */
GRADUS_API int gradus_generator_restore(gradus_generator g, gradus_tensor state);
GRADUS_API void gradus_generator_release(gradus_generator g);

/* Threads: one pool (OpenMP) serves libtorch's kernels and ours. */
GRADUS_API int gradus_threads(int count);                  /* sets if > 0; returns the number in force */
GRADUS_API int gradus_parallel(int64_t items, int64_t grain, void (*body)(void* state, int64_t from, int64_t to), void* state);

/* Devices. */
GRADUS_API int gradus_device_count(int type);
GRADUS_API int gradus_device_synchronize(int device);
GRADUS_API int gradus_device_memory(int device, int64_t* allocated, int64_t* peak, int64_t* reserved); /* of tensors; zeros when not known */

/* Process groups over c10d. backend: "gloo", "nccl", "mpi". Rank 0 serves the store at host:port. */
GRADUS_API int gradus_group_new(const char* backend, const char* host, int port, int rank, int size, int64_t timeout_ms, gradus_group* out);
GRADUS_API int gradus_group_all_reduce(gradus_group g, gradus_tensor t, const char* reduction); /* in place: "sum", "min", "max", "product" */
GRADUS_API int gradus_group_broadcast(gradus_group g, gradus_tensor t, int root);
GRADUS_API int gradus_group_all_gather(gradus_group g, gradus_tensor t, gradus_tensor* outputs); /* `size` tensors of t's shape, caller's own */
GRADUS_API int gradus_group_barrier(gradus_group g);
GRADUS_API void gradus_group_release(gradus_group g);

#ifdef __cplusplus
}
#endif

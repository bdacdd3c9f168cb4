// What the interpreter hands to a kernel: tensors whose sizes are known now, attributes, the thread pool.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fathom {

enum class DType : int32_t { float32 = 0, float64 = 1, int32 = 2, uint8 = 3, bool8 = 4, int64 = 5, bfloat16 = 6 };

inline constexpr int kMaxRank = 8;

inline size_t sizeOf(DType type) {
  switch (type) {
    case DType::float64: case DType::int64: return 8;
    case DType::float32: case DType::int32: return 4;
    case DType::bfloat16: return 2;
    default: return 1;
  }
}

// Dense, row-major, 64-byte aligned where the interpreter allocated it (arena), any alignment where a user did.
struct Tensor {
  void* data = nullptr;
  DType dtype = DType::float32;
  int32_t rank = 0;
  int64_t dims[kMaxRank] = {};

  int64_t size() const {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    return n;
  }
  template <class T> T* as() const { return static_cast<T*>(data); }
};

class Pool;

// One instruction with its operands resolved. `ints` and `floats` are the attributes in the order the op documents.
// An optional operand that is absent has data == nullptr.
struct Call {
  const Tensor* in = nullptr;
  int inCount = 0;
  Tensor* out = nullptr;
  int outCount = 0;
  const int64_t* ints = nullptr;
  int intCount = 0;
  const double* floats = nullptr;
  int floatCount = 0;
  uint8_t* scratch = nullptr;  // as many bytes as the kernel's `scratch` function asked for, 64-byte aligned
  Pool* pool = nullptr;
};

struct Kernel {
  const char* name;                 // the op table's kernel name
  void (*run)(const Call&);
  size_t (*scratch)(const Call&);   // bytes needed at these sizes (data pointers are null when asked); may be nullptr
};

}  // namespace fathom

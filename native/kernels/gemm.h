// Matrix products on one thread (gemmBlock) and on the pool (gemm).
#pragma once
#include "gemm_micro.h"

namespace fathom::FATHOM_ISA {

// c[m,n] (+)= a·b, all row-major with their own strides; a transposed operand is stored as [k,m] or [n,k].
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t aStride = 0;
  bool aTransposed = false;
  const float* b = nullptr;
  int64_t bStride = 0;
  bool bTransposed = false;
  float* c = nullptr;
  int64_t cStride = 0;
  bool accumulate = false;
  Epilogue epilogue;  // bias and residual at c's origin
};

// Memory gemmBlock packs into; leaves most of the pool's per-thread scratch to the caller.
inline constexpr size_t kGemmScratch = size_t{5} << 18;

void gemmBlock(const Gemm& gemm, uint8_t* scratch);

// `batch` products whose operands lie aStep, bStep and cStep apart (0 repeats one), cut into blocks by the sizes alone.
struct GemmBatch {
  Gemm gemm;
  int64_t batch = 1;
  int64_t aStep = 0, bStep = 0, cStep = 0;
  // For broadcasts over several dimensions: where matrix i of a and b is; overrides the steps of a and b.
  int64_t (*aAt)(const void* context, int64_t index) = nullptr;
  int64_t (*bAt)(const void* context, int64_t index) = nullptr;
  const void* context = nullptr;
};

size_t gemmScratch(int64_t m, int64_t n, int64_t k, int64_t batch, bool bTransposed);
void gemm(const GemmBatch& batch, Pool& pool, uint8_t* scratch);

// The float64 path: plain loops.
void matmulFloat64(const Call& call);

}  // namespace fathom::FATHOM_ISA

// The one building block: a batch-reduce matrix product on registers. Dense layers, convolutions and Winograd are loops
// and packers around it.
#pragma once
#include "kernels.h"

namespace fathom::FATHOM_ISA {

// Rows a microkernel can hold: kMostRows × 2 vectors of sums, two vectors of b and a broadcast fill the registers.
inline constexpr int kMostRows = FATHOM_VECTOR_BYTES == 64 ? 14 : 6;
inline constexpr int kMostColumns = 2 * kLanes;

// c[i,j] (+)= Σ_r Σ_k a_r[i,k] · b_r[k,j], where a_r = a + r·aReduce and b_r = b + r·bReduce.
struct MicroCall {
  const float* a;
  int64_t aStride;  // between rows if the kernel reads rows, between steps of k if it reads columns
  int64_t aReduce;
  const float* b;   // whole vectors: kLanes or 2·kLanes wide
  int64_t bStride;  // between steps of k
  int64_t bReduce;
  float* c;
  int64_t cStride;
  int64_t k;
  int64_t reduce;
  bool accumulate;
};

using Micro = void (*)(const MicroCall&);

// [rows are contiguous in k ? 0 : 1, k-major: rows adjacent][vectors - 1][rows - 1]
extern const Micro kMicro[2][2][kMostRows];

inline constexpr int kRows = 0;     // a[i·stride + k]
inline constexpr int kColumns = 1;  // a[k·stride + i]

// What happens to a finished sum: y = activation(sum + bias + residual), or 0 where a mask is not above 0, which is the
// gradient of the relu that made the mask.
struct Epilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;  // laid out like the output
  Activation activation = Activation::none;
  const float* mask = nullptr;  // laid out like the output

  bool nothing() const { return !bias && !residual && !mask && activation == Activation::none; }
  Epilogue at(int64_t column, int64_t offset) const {
    return {bias ? bias + column : nullptr, residual ? residual + offset : nullptr, activation,
            mask ? mask + offset : nullptr};
  }
};

// Runs one tile of rows × columns (columns ≤ kMostColumns, any number) at c; `last` says that the sums are complete and
// the epilogue applies. Rows of the residual and mask lie cStride apart, as those of c.
void microTile(MicroCall call, int layout, int64_t rows, int64_t columns, bool last, const Epilogue& epilogue);

// y = epilogue(x) over rows × columns; x may be y.
void finishTile(const float* x, int64_t xStride, float* y, int64_t yStride, int64_t rows, int64_t columns,
                const Epilogue& epilogue);

// Packs b (k × n, or n × k if transposed) into panels of kMostColumns columns, the last as few whole vectors as hold
// the rest, padded with zeros. Panel p starts at p · kMostColumns · k.
void packPanels(const float* b, int64_t stride, bool transposed, int64_t k, int64_t n, float* panels);
inline int64_t paddedColumns(int64_t n) { return ceilDiv(n, kLanes) * kLanes; }

}  // namespace fathom::FATHOM_ISA

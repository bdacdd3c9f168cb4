#include "gemm_micro.h"

namespace fathom::FATHOM_ISA {

namespace {

template <int kLayout, int kVectors, int kHeight> void micro(const MicroCall& call) {
  vf sums[kHeight][kVectors];
  const int64_t cStride = call.cStride, aStride = call.aStride, bStride = call.bStride;
#pragma GCC unroll 16
  for (int i = 0; i < kHeight; i++)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) sums[i][v] = call.accumulate ? load(call.c + i * cStride + v * kLanes) : vf{};

  for (int64_t r = 0; r < call.reduce; r++) {
    const float* a = call.a + r * call.aReduce;
    const float* b = call.b + r * call.bReduce;
    // Rows are reached from a few base pointers with scaled strides, since fourteen would not fit the registers.
    constexpr int kBases = (kHeight + 2) / 3;
    const float* base[kBases];
#pragma GCC unroll 8
    for (int j = 0; j < kBases; j++) {
      base[j] = a + 3 * j * aStride;
      asm volatile("" : "+r"(base[j]));
    }
    for (int64_t k = 0; k < call.k; k++) {
      vf row[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; v++) row[v] = load(b + v * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kHeight; i++) {
        const vf x = splat(kLayout == kRows ? base[i / 3][i % 3 * aStride] : a[i]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; v++) sums[i][v] += x * row[v];
      }
      b += bStride;
      if constexpr (kLayout == kRows) {
#pragma GCC unroll 8
        for (int j = 0; j < kBases; j++) base[j]++;
      } else {
        a += aStride;
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kHeight; i++)
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; v++) store(call.c + i * cStride + v * kLanes, sums[i][v]);
}

}  // namespace

#define ROWS_6(layout, vectors)                                                                               \
  micro<layout, vectors, 1>, micro<layout, vectors, 2>, micro<layout, vectors, 3>, micro<layout, vectors, 4>, \
      micro<layout, vectors, 5>, micro<layout, vectors, 6>
#if FATHOM_VECTOR_BYTES == 64
#define ROWS(layout, vectors)                                                                                         \
  ROWS_6(layout, vectors), micro<layout, vectors, 7>, micro<layout, vectors, 8>, micro<layout, vectors, 9>,           \
      micro<layout, vectors, 10>, micro<layout, vectors, 11>, micro<layout, vectors, 12>, micro<layout, vectors, 13>, \
      micro<layout, vectors, 14>
#else
#define ROWS(layout, vectors) ROWS_6(layout, vectors)
#endif

const Micro kMicro[2][2][kMostRows] = {
    {{ROWS(kRows, 1)}, {ROWS(kRows, 2)}},
    {{ROWS(kColumns, 1)}, {ROWS(kColumns, 2)}},
};

void finishTile(const float* x, int64_t xStride, float* y, int64_t yStride, int64_t rows, int64_t columns,
                const Epilogue& epilogue) {
  for (int64_t j = 0; j < columns; j += kLanes) {
    const int64_t n = lesser(kLanes, columns - j);
    const vf bias = epilogue.bias ? loadSome(epilogue.bias + j, n) : vf{};
    for (int64_t i = 0; i < rows; i++) {
      vf value = loadSome(x + i * xStride + j, n) + bias;
      if (epilogue.residual) value += loadSome(epilogue.residual + i * yStride + j, n);
      value = activate(value, epilogue.activation);
      if (epilogue.mask) value = loadSome(epilogue.mask + i * yStride + j, n) > 0 ? value : vf{};
      storeSome(y + i * yStride + j, value, n);
    }
  }
}

void microTile(MicroCall call, int layout, int64_t rows, int64_t columns, bool last, const Epilogue& epilogue) {
  const bool finish = last && !epilogue.nothing();
  if (columns == kMostColumns || columns == kLanes) {
    kMicro[layout][columns / kLanes - 1][rows - 1](call);
    if (finish) finishTile(call.c, call.cStride, call.c, call.cStride, rows, columns, epilogue);
    return;
  }
  // The kernel writes whole vectors: a ragged tile goes through a buffer.
  alignas(64) float tile[kMostRows * kMostColumns];
  float* c = call.c;
  const int64_t cStride = call.cStride;
  if (call.accumulate) finishTile(c, cStride, tile, kMostColumns, rows, columns, {});
  call.c = tile;
  call.cStride = kMostColumns;
  kMicro[layout][columns > kLanes][rows - 1](call);
  finishTile(tile, kMostColumns, c, cStride, rows, columns, finish ? epilogue : Epilogue{});
}

namespace {

// Along the rows of memory, so that pages are touched once; the panels are as many places to write to.
void packRows(const float* b, int64_t stride, int64_t k, int64_t n, float* panels) {
  const int64_t whole = n / kMostColumns * kMostColumns, rest = n - whole, width = paddedColumns(rest);
  for (int64_t i = 0; i < k; i++, b += stride) {
    for (int64_t j = 0; j < whole; j += kMostColumns) {
      float* to = panels + j * k + i * kMostColumns;
      const vf first = load(b + j), second = load(b + j + kLanes);
      store(to, first);
      store(to + kLanes, second);
    }
    for (int64_t j = 0; j < rest; j += kLanes)
      store(panels + whole * k + i * width + j, loadSome(b + whole + j, rest - j));
  }
}

}  // namespace

void packPanels(const float* b, int64_t stride, bool transposed, int64_t k, int64_t n, float* panels) {
  if (!transposed) return packRows(b, stride, k, n, panels);
  for (int64_t j = 0; j < n; j += kMostColumns) {
    const int64_t columns = lesser(kMostColumns, n - j);
    const int64_t width = paddedColumns(columns);
    float* panel = panels + j * k;
    for (int64_t part = 0; part < columns; part += kLanes) {
      const int64_t some = lesser(kLanes, columns - part);
      float* to = panel + part;
      const float* from = b + (j + part) * stride;
      for (int64_t i = 0; i < k; i += kLanes) {
        const int64_t depth = lesser(kLanes, k - i);
        vf square[kLanes];
        if (depth == kLanes && some == kLanes) {
#pragma GCC unroll 16
          for (int row = 0; row < kLanes; row++) square[row] = load(from + row * stride + i);
        } else {
          for (int row = 0; row < kLanes; row++)
            square[row] = row < some ? loadSome(from + row * stride + i, depth) : vf{};
        }
        transpose(square);
        if (depth == kLanes) {
#pragma GCC unroll 16
          for (int row = 0; row < kLanes; row++) store(to + (i + row) * width, square[row]);
        } else {
          for (int row = 0; row < depth; row++) store(to + (i + row) * width, square[row]);
        }
      }
    }
  }
}

}  // namespace fathom::FATHOM_ISA

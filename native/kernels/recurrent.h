// What the recurrent kernels share: sizes, packed recurrent weights, how rows of the batch are dealt out.
//
// Each row of the batch is a sequence of its own, so a block of rows runs through all steps on one thread without meeting
// another: no barrier within a sequence. A row's sums do not depend on the rows beside it, so neither do results on the cut.
#pragma once
#include "gemm.h"

namespace fathom::FATHOM_ISA {

enum class CellKind : int64_t { simpleRnn = 0, lstm = 1, gru = 2 };

constexpr int gatesOf(CellKind cell) { return cell == CellKind::simpleRnn ? 1 : cell == CellKind::lstm ? 4 : 3; }

struct RecurrentSizes {
  CellKind cell = CellKind::simpleRnn;
  bool backwards = false, masked = false;
  int64_t batch = 0, time = 0, units = 0;

  int64_t columns() const { return gatesOf(cell) * units; }
  // In units: what one step keeps for the gradient.
  int64_t kept() const { return cell == CellKind::simpleRnn ? 0 : 4; }
  int64_t stepAt(int64_t index) const { return backwards ? time - 1 - index : index; }
};

// Rows of floating numbers this far apart do not share their cache sets.
inline int64_t rowStride(int64_t width) { return ceilDiv(width, 16) * 16 + 16; }


// Deals [0, batch) out in blocks: two a thread where they stay large enough for the microkernel, and as many rows as
// `bytesPerRow` of a thread's private memory allows.
struct RowBlocks {
  int64_t rows, blocks;
  RowBlocks(int64_t batch, int threads, int64_t bytesPerRow) {
    const int64_t room = greater(1, static_cast<int64_t>(kThreadScratch) / greater(1, bytesPerRow));
    const int64_t even = ceilDiv(batch, threads);
    rows = greater(1, lesser(room, even > 2 * kMostRows ? 2 * kMostRows : even));
    blocks = ceilDiv(batch, rows);
  }
};

// The logistic function and the hyperbolic tangent of either type.
inline vf logistic(vf x) { return sigmoid(x); }
inline double logistic(double x) { return 1 / (1 + __builtin_exp(-x)); }
inline vf hyperbolic(vf x) { return tanh(x); }
inline double hyperbolic(double x) { return __builtin_tanh(x); }


}  // namespace fathom::FATHOM_ISA

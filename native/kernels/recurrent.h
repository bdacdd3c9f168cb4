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


// Deals [0, batch) out in even blocks, as many for each thread: of at most two microkernels' rows, and of no more than have
// room in a thread's private memory.
struct RowBlocks {
  int64_t rows, blocks;
  RowBlocks(int64_t batch, int threads, int64_t bytesPerRow) {
    const int64_t room = greater(1, static_cast<int64_t>(kThreadScratch) / greater(1, bytesPerRow));
    const int64_t most = lesser(room, 2 * kMostRows), each = ceilDiv(ceilDiv(batch, threads), most);
    rows = greater(1, ceilDiv(batch, threads * greater(1, each)));
    blocks = ceilDiv(batch, rows);
  }
};

// tanh as a quotient of polynomials, to some 3e-7, without an exponential: gates take as long as the products otherwise.
// Beyond ±7.9 it is ±1 in float32. NaN stays NaN.
struct Quotient {
  vf above, below;
};
inline Quotient tanhQuotient(vf x) {
  x = x > 7.90531110763549805f ? splat(7.90531110763549805f) : x;
  x = x < -7.90531110763549805f ? splat(-7.90531110763549805f) : x;
  const vf s = x * x;
  vf p = -2.76076847742355e-16f * s + 2.00018790482477e-13f;
  p = p * s - 8.60467152213735e-11f;
  p = p * s + 5.12229709037114e-08f;
  p = p * s + 1.48572235717979e-05f;
  p = p * s + 6.37261928875436e-04f;
  p = p * s + 4.89352455891786e-03f;
  vf q = 1.19825839466702e-06f * s + 1.18534705686654e-04f;
  q = q * s + 2.26843463243900e-03f;
  q = q * s + 4.89352518554385e-03f;
  return {p * x, q};
}
inline vf hyperbolic(vf x) {
  const Quotient t = tanhQuotient(x);
  return t.above / t.below;
}
// (1 + tanh(x / 2)) / 2
inline vf logistic(vf x) { return hyperbolic(x * 0.5f) * 0.5f + 0.5f; }

// An LSTM's gates in place, with one division for all: denominators are between 0.005 and 1.
inline void lstmGates(vf& i, vf& f, vf& g, vf& o) {
  const Quotient qi = tanhQuotient(i * 0.5f), qf = tanhQuotient(f * 0.5f), qg = tanhQuotient(g), qo = tanhQuotient(o * 0.5f);
  const vf left = qi.below * qf.below, right = qg.below * qo.below;
  const vf inverse = 1.0f / (left * right);
  const vf overLeft = inverse * right, overRight = inverse * left;
  i = qi.above * (overLeft * qf.below) * 0.5f + 0.5f;
  f = qf.above * (overLeft * qi.below) * 0.5f + 0.5f;
  g = qg.above * (overRight * qo.below);
  o = qo.above * (overRight * qg.below) * 0.5f + 0.5f;
}

inline double logistic(double x) { return 1 / (1 + __builtin_exp(-x)); }
inline double hyperbolic(double x) { return __builtin_tanh(x); }
inline void lstmGates(double& i, double& f, double& g, double& o) {
  i = logistic(i);
  f = logistic(f);
  g = hyperbolic(g);
  o = logistic(o);
}


}  // namespace fathom::FATHOM_ISA

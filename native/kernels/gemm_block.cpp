// One thread's matrix product. The block of b stays packed in L2, a panel of at most kMostRows rows of a in L1; rows are
// split evenly over the panels, since a 10-row kernel runs at the speed of a 14-row one and a 2-row tail does not.
#include "gemm.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kDepth = 384;         // most steps of k at a time
constexpr int64_t kColumnsInL2 = 512;   // kDepth × kColumnsInL2 floats are three quarters of the smallest L2 around
constexpr int64_t kPanelStride = kDepth + 16;  // of a copied panel: no multiple of a power of two

static_assert((kDepth * kColumnsInL2 + kMostRows * kPanelStride + 64) * sizeof(float) <= kGemmScratch);

// Rows this far apart share so few sets of the L1 cache that they evict each other.
bool collides(int64_t stride) { return stride * sizeof(float) % 2048 == 0; }

// a stored [k,m]: copies `rows` columns of it next to each other.
void packColumns(const float* a, int64_t stride, int64_t k, int64_t rows, int64_t readable, float* to) {
  const bool whole = readable >= kLanes && rows <= kLanes;
  for (int64_t i = 0; i < k; i++, a += stride, to += rows) {
    // Writes past its own rows, where the next step writes after it; the last step must not read past the matrix.
    if (whole) store(to, load(a));
    else if (rows <= kLanes) store(to, loadSome(a, rows));
    else std::memcpy(to, a, rows * sizeof(float));
  }
}

}  // namespace

void gemmBlock(const Gemm& g, uint8_t* scratch) {
  float* panels = reinterpret_cast<float*>(scratch);
  float* aPanel = panels + kDepth * kColumnsInL2;
  const int64_t rowPanels = ceilDiv(g.m, kMostRows);
  if (g.k == 0) {
    const float zeros[kMostColumns] = {};
    for (int64_t j = 0; j < g.n && !g.accumulate; j += kMostColumns)
      for (int64_t i = 0; i < g.m; i++)
        finishTile(zeros, 0, g.c + i * g.cStride + j, g.cStride, 1, lesser(kMostColumns, g.n - j),
                   g.epilogue.at(j, i * g.cStride + j));
    return;
  }
  const int64_t depths = ceilDiv(g.k, kDepth), wides = ceilDiv(g.n, kColumnsInL2);
  for (int64_t wide = 0; wide < wides; wide++) {
    const int64_t n0 = wide * kColumnsInL2, n = lesser(kColumnsInL2, g.n - n0);
    for (int64_t part = 0; part < depths; part++) {
      const int64_t k0 = splitAt(g.k, depths, part), k = splitAt(g.k, depths, part + 1) - k0;
      // Packing b pays once several row panels use it; a few read it where it lies, except the ragged end.
      const bool pack = g.bTransposed || rowPanels > 4 || (rowPanels > 1 && collides(g.bStride));
      const float* b = g.b + (g.bTransposed ? n0 * g.bStride + k0 : k0 * g.bStride + n0);
      const int64_t inPlace = pack ? 0 : n / kLanes * kLanes;
      if (inPlace < n) packPanels(b + inPlace, g.bStride, g.bTransposed, k, n - inPlace, panels);

      for (int64_t panel = 0; panel < rowPanels; panel++) {
        const int64_t m0 = splitAt(g.m, rowPanels, panel), m = splitAt(g.m, rowPanels, panel + 1) - m0;
        MicroCall call{};
        call.k = k;
        call.reduce = 1;
        call.cStride = g.cStride;
        call.accumulate = g.accumulate || part > 0;
        call.a = g.a + (g.aTransposed ? k0 * g.aStride + m0 : m0 * g.aStride + k0);
        call.aStride = g.aStride;
        if (g.aTransposed ? n > kMostColumns || collides(g.aStride) : m > 6 && collides(g.aStride)) {
          if (g.aTransposed) {
            packColumns(call.a, g.aStride, k, m, g.m - m0, aPanel);
            call.aStride = m;
          } else {
            for (int64_t i = 0; i < m; i++)
              std::memcpy(aPanel + i * kPanelStride, call.a + i * g.aStride, k * sizeof(float));
            call.aStride = kPanelStride;
          }
          call.a = aPanel;
        }
        for (int64_t j = 0; j < n;) {
          const bool direct = j < inPlace;
          const int64_t columns = direct ? (inPlace - j >= kMostColumns ? kMostColumns : kLanes)
                                         : lesser(kMostColumns, n - j);
          call.b = direct ? b + j : panels + (j - inPlace) * k;
          call.bStride = direct ? g.bStride : paddedColumns(columns);
          const int64_t at = m0 * g.cStride + n0 + j;
          call.c = g.c + at;
          microTile(call, g.aTransposed ? kColumns : kRows, m, columns, part == depths - 1, g.epilogue.at(n0 + j, at));
          j += columns;
        }
      }
    }
  }
}

}  // namespace fathom::FATHOM_ISA

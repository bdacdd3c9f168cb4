// One thread's matrix product. The block of b stays packed in L2, a panel of at most kMostRows rows of a in L1; rows
// are split evenly over the panels, since a 10-row kernel runs at the speed of a 14-row one and a 2-row tail does not.
#include "gemm.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kDepth = 384;                // most steps of k at a time
constexpr int64_t kColumnsInL2 = 384;          // with kDepth more than half of a 1 MiB L2; bigger gained nothing
constexpr int64_t kPanelStride = kDepth + 16;  // of a copied panel: no multiple of a power of two

constexpr int64_t kTogether = 8;  // panels of a transposed a packed at once

static_assert((kDepth * kColumnsInL2 + kMostRows * kPanelStride * kTogether + 64) * sizeof(float) <= kGemmScratch);

// Rows this far apart share so few sets of the L1 cache that they evict each other.
bool collides(int64_t stride) { return stride * sizeof(float) % 2048 == 0; }

// a stored [k,m]: its columns [first, last) as panels [k][rows], one after the other. Reads along the rows of memory,
// so that pages and cache lines are touched once.
void packColumns(const float* a, int64_t stride, int64_t k, int64_t m, int64_t panels, int64_t first, int64_t last,
                 float* to) {
  const int64_t origin = splitAt(m, panels, first), count = last - first;
  int64_t begin[kTogether + 1];
  for (int64_t p = 0; p <= count; p++) begin[p] = splitAt(m, panels, first + p);
  for (int64_t i = 0; i < k; i++, a += stride) {
    for (int64_t p = 0; p < count; p++) {
      const int64_t from = begin[p], rows = begin[p + 1] - from;
      float* panel = to + (from - origin) * k + i * rows;
      // A whole vector is quicker than its part; what it writes too much, the next step or panel writes after it, as
      // steps go upwards and the last step of a panel copies exactly.
      if (kMostRows < kLanes && i + 1 < k && from + kLanes <= m) store(panel, load(a + from));
      else if (rows <= kLanes) storeSome(panel, loadSome(a + from, rows), rows);
      else std::memcpy(panel, a + from, rows * sizeof(float));
    }
  }
}

}  // namespace

void gemmBlock(const Gemm& g, uint8_t* scratch) {
  float* panels = reinterpret_cast<float*>(scratch);
  float* aPanels = panels + kDepth * kColumnsInL2;
  const int64_t rowPanels = ceilDiv(g.m, kMostRows);
  // Columns of a are read in place where few cache lines hold them or nobody reads them again.
  const bool packA = g.aTransposed && ((g.n > kMostColumns && g.k > 96) || collides(g.aStride));
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
        if (packA) {
          if (panel % kTogether == 0)
            packColumns(g.a + k0 * g.aStride, g.aStride, k, g.m, rowPanels, panel, lesser(rowPanels, panel + kTogether),
                        aPanels);
          call.a = aPanels + (m0 - splitAt(g.m, rowPanels, panel - panel % kTogether)) * k;
          call.aStride = m;
        } else if (!g.aTransposed && m > 6 && collides(g.aStride)) {
          for (int64_t i = 0; i < m; i++)
            std::memcpy(aPanels + i * kPanelStride, call.a + i * g.aStride, k * sizeof(float));
          call.a = aPanels;
          call.aStride = kPanelStride;
        }
        for (int64_t j = 0; j < n;) {
          const bool direct = j < inPlace;
          const int64_t columns =
              direct ? (inPlace - j >= kMostColumns ? kMostColumns : kLanes) : lesser(kMostColumns, n - j);
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

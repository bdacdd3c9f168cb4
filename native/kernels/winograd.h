// Winograd's F(4×4, 3×3): sixteen outputs from 36 products instead of 144. One-dimensional transforms, applied to the
// columns and then the rows of a tile, and the tiles' geometry. (Lavin & Gray, 2016.)
#pragma once
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

inline constexpr int64_t kTile = 4, kPatch = 6, kPoints = 36;

// Bᵀ: six inputs to six points.
inline void toPoints(const vf (&d)[6], vf (&t)[6]) {
  const vf even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1], even2 = d[4] - d[2], odd2 = 2.0f * (d[3] - d[1]);
  t[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}
// Aᵀ: six points to four outputs.
inline void toOutputs(const vf (&m)[6], vf (&y)[4]) {
  const vf sum = m[1] + m[2], difference = m[1] - m[2], sum2 = m[3] + m[4], difference2 = m[3] - m[4];
  y[0] = m[0] + sum + sum2;
  y[1] = difference + 2.0f * difference2;
  y[2] = sum + 4.0f * sum2;
  y[3] = difference + 8.0f * difference2 + m[5];
}
// A: four gradients of outputs to six points.
inline void gradientToPoints(const vf (&y)[4], vf (&t)[6]) {
  const vf even = y[0] + y[2], odd = y[1] + y[3], even2 = y[0] + 4.0f * y[2], odd2 = 2.0f * y[1] + 8.0f * y[3];
  t[0] = y[0];
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = even2 + odd2;
  t[4] = even2 - odd2;
  t[5] = y[3];
}
// G: three filter taps to six points.
inline void filterToPoints(const vf (&g)[3], vf (&u)[6]) {
  const vf outer = (g[0] + g[2]) * (-1.0f / 6), inner = g[1] * (1.0f / 6);
  const vf outer2 = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), inner2 = g[1] * (1.0f / 12);
  u[0] = g[0] * 0.25f;
  u[1] = outer - inner;
  u[2] = outer + inner;
  u[3] = outer2 + inner2;
  u[4] = outer2 - inner2;
  u[5] = g[2];
}
// Gᵀ: six points to three filter taps.
inline void pointsToFilter(const vf (&u)[6], vf (&g)[3]) {
  const vf sum = (u[1] + u[2]) * (-1.0f / 6), sum2 = u[3] + u[4];
  g[0] = u[0] * 0.25f + sum + sum2 * (1.0f / 24);
  g[1] = (u[2] - u[1]) * (1.0f / 6) + (u[3] - u[4]) * (1.0f / 12);
  g[2] = sum + sum2 * (1.0f / 6) + u[5];
}

// Reads kFrom × kFrom vectors through `read(row, column)`, transforms columns and rows, hands kTo × kTo to `write`.
// Always inline, and what it is given captures by value, so that addresses stay in registers.
template <int kFrom, int kTo, class Transform, class Read, class Write>
[[gnu::always_inline]] inline void transformTile(Transform transform, Read read, Write write) {
  vf half[kTo][kFrom];
#pragma GCC unroll 6
  for (int j = 0; j < kFrom; j++) {
    vf from[kFrom], to[kTo];
#pragma GCC unroll 6
    for (int i = 0; i < kFrom; i++) from[i] = read(i, j);
    transform(from, to);
#pragma GCC unroll 6
    for (int i = 0; i < kTo; i++) half[i][j] = to[i];
  }
#pragma GCC unroll 6
  for (int i = 0; i < kTo; i++) {
    vf to[kTo];
    transform(half[i], to);
#pragma GCC unroll 6
    for (int j = 0; j < kTo; j++) write(i, j, to[j]);
  }
}

// Floats from one transformed tile to the next: its points lie one after the other, so that they are written in order.
inline int64_t tileStride(int64_t channels) { return kPoints * paddedColumns(channels) + 16; }

// The rows of the next row of tiles: what is read in tiles the processor does not foresee.
inline void prefetchRows(const float* from, int64_t pitch, int64_t floats) {
  for (int64_t row = 0; row < kTile; row++)
    for (int64_t i = 0; i < floats; i += 16) __builtin_prefetch(from + row * pitch + i, 0, 2);
}

// An image batch seen as tiles of 4 × 4 outputs.
struct Tiles {
  int64_t images, height, width, channels;  // of what is read
  int64_t outHeight, outWidth;
  int64_t padTop, padLeft;

  int64_t high() const { return ceilDiv(outHeight, kTile); }
  int64_t wide() const { return ceilDiv(outWidth, kTile); }
  int64_t count() const { return images * high() * wide(); }
  int64_t imageOf(int64_t index) const { return index / wide() / high(); }
};

// Points of tile `index`, which is of `image`, into to[point · plane + channel]; `patch` holds 36 · channels floats.
void inputToPoints(const Tiles& tiles, const float* image, int64_t index, float* to, int64_t plane, float* patch);

}  // namespace fathom::FATHOM_ISA

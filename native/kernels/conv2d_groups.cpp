// Grouped convolutions whose groups are narrower than a vector: several groups become one with zeros between them. The
// zeros cost less than the lanes left empty.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

int64_t groupsToMerge(const Conv& c) {
  if (c.groups == 1 || (c.depthwise() && c.groupOut() == 1)) return 1;
  int64_t best = 1;
  for (int64_t together = 2; together <= c.groups && together * c.groupOut() <= kLanes; together++)
    if (c.groups % together == 0) best = together;
  return best;
}

size_t mergedFilterBytes(const Conv& c) {
  const int64_t together = groupsToMerge(c);
  return together == 1 ? 0 : ceilDiv(c.filterSize() * together * sizeof(float), 64) * 64;
}

namespace {

// Calls f(floats of the plain filter, of the merged one) for each run of a group's outputs.
template <class F> void everyRun(const Conv& c, int64_t together, Pool& pool, F&& f) {
  const int64_t in = c.groupIn(), out = c.groupOut();
  pool.run(c.filterHeight * c.filterWidth, [&](int64_t tap, int) {
    for (int64_t p = 0; p < in; p++)
      for (int64_t g = 0; g < c.groups; g++)
        f((tap * in + p) * c.outChannels + g * out,
          ((tap * together + g % together) * in + p) * c.outChannels + g * out, out);
  });
}

}  // namespace

void mergeFilter(const Conv& c, const float* filter, float* merged, Pool& pool) {
  const int64_t together = groupsToMerge(c);
  std::memset(merged, 0, c.filterSize() * together * sizeof(float));
  everyRun(c, together, pool, [&](int64_t plain, int64_t wide, int64_t out) {
    for (int64_t o = 0; o < out; o++) merged[wide + o] = filter[plain + o];
  });
}

void splitFilter(const Conv& c, const float* merged, float* filter, Pool& pool) {
  everyRun(c, groupsToMerge(c), pool, [&](int64_t plain, int64_t wide, int64_t out) {
    for (int64_t o = 0; o < out; o++) filter[plain + o] = merged[wide + o];
  });
}

}  // namespace fathom::FATHOM_ISA

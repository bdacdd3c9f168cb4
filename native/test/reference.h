// What kernels must compute, in float64 and as plainly as it can be said.
#pragma once
#include "harness.h"

namespace fathom::test {

inline double activated(double x, int64_t activation) {
  switch (activation) {
    case 1: return std::max(x, 0.0);
    case 2: return 1 / (1 + std::exp(-x));
    case 3: return std::tanh(x);
    case 4: return x / (1 + std::exp(-x));
    case 5: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    default: return x;
  }
}

struct ConvSizes {
  int64_t n, h, w, c, o, kh, kw;
  int64_t sh = 1, sw = 1, pt = 0, pl = 0, pb = 0, pr = 0, dh = 1, dw = 1, groups = 1;
  static int64_t outputs(int64_t room, int64_t stride) { return room < 0 ? 0 : room / stride + 1; }
  int64_t oh() const { return outputs(h + pt + pb - (kh - 1) * dh - 1, sh); }
  int64_t ow() const { return outputs(w + pl + pr - (kw - 1) * dw - 1, sw); }
  std::vector<int64_t> ints(int64_t activation = 0) const {
    return {sh, sw, pt, pl, pb, pr, dh, dw, groups, activation};
  }
  std::string label() const {
    char text[200];
    std::snprintf(
        text, sizeof text,
        "x %ldx%ldx%ldx%ld filter %ldx%ld->%ld stride %ld,%ld pad %ld,%ld,%ld,%ld dilation %ld,%ld groups %ld", n, h, w,
        c, kh, kw, o, sh, sw, pt, pl, pb, pr, dh, dw, groups);
    return text;
  }
};

// Calls f(x index, filter index, y index) for every product of a convolution.
template <class F> void everyProduct(const ConvSizes& s, F&& f) {
  const int64_t in = s.c / s.groups, out = s.o / s.groups;
  for (int64_t n = 0; n < s.n; n++)
    for (int64_t oh = 0; oh < s.oh(); oh++)
      for (int64_t ow = 0; ow < s.ow(); ow++)
        for (int64_t i = 0; i < s.kh; i++)
          for (int64_t j = 0; j < s.kw; j++) {
            const int64_t h = oh * s.sh - s.pt + i * s.dh, w = ow * s.sw - s.pl + j * s.dw;
            if (h < 0 || h >= s.h || w < 0 || w >= s.w) continue;
            for (int64_t p = 0; p < in; p++)
              for (int64_t g = 0; g < s.groups; g++)
                for (int64_t o = g * out; o < (g + 1) * out; o++)
                  f(((n * s.h + h) * s.w + w) * s.c + g * in + p, ((i * s.kw + j) * in + p) * s.o + o,
                    ((n * s.oh() + oh) * s.ow() + ow) * s.o + o);
          }
}

}  // namespace fathom::test

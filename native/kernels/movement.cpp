// Moving elements without computing: transposes, slices, pads, concatenations, flips, broadcasts. Each is a copy between
// two strided views, of which one is dense.
//
//   transpose   x -> y; ints = permutation
//   slice       x -> y; ints = strides[rank], begins[rank]
//   pad         x -> y; ints = interior[rank], before[rank]; floats = {value}
//   concat      x… -> y; ints = {axis}
//   flip        x -> y; ints = axes
//   broadcastTo x -> y
//   copy        x -> y of the same number of elements
#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kBlockElements = 1 << 15;

struct View {
  int rank = 0;
  int64_t dims[kMaxRank], to[kMaxRank], from[kMaxRank];  // strides in elements

  void add(int64_t size, int64_t toStride, int64_t fromStride) {
    if (size == 1) return;
    const int last = rank - 1;
    if (last >= 0 && to[last] == toStride * size && from[last] == fromStride * size) {
      dims[last] *= size;
      to[last] = toStride;
      from[last] = fromStride;
      return;
    }
    dims[rank] = size;
    to[rank] = toStride;
    from[rank++] = fromStride;
  }
};

void denseStrides(const Tensor& x, int64_t* strides) {
  int64_t stride = 1;
  for (int d = x.rank - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= x.dims[d];
  }
}

template <class E> void transposeTile(E* to, int64_t toStride, const E* from, int64_t fromStride, int64_t a, int64_t b) {
  for (int64_t j = 0; j < b; j++)
    for (int64_t i = 0; i < a; i++) to[j * toStride + i] = from[i * fromStride + j];
}
void transposeTile(uint32_t* to, int64_t toStride, const uint32_t* from, int64_t fromStride, int64_t a, int64_t b) {
  const float* x = reinterpret_cast<const float*>(from);
  float* y = reinterpret_cast<float*>(to);
  int64_t j = 0;
  for (; j + kLanes <= b; j += kLanes) {
    int64_t i = 0;
    for (; i + kLanes <= a; i += kLanes) {
      vf rows[kLanes];
      for (int r = 0; r < kLanes; r++) rows[r] = load(x + (i + r) * fromStride + j);
      transpose(rows);
      for (int r = 0; r < kLanes; r++) store(y + (j + r) * toStride + i, rows[r]);
    }
    transposeTile<uint32_t>(to + j * toStride + i, toStride, from + i * fromStride + j, fromStride, a - i, kLanes);
  }
  transposeTile<uint32_t>(to + j * toStride, toStride, from + j, fromStride, a, b - j);
}

template <class E> void copyRun(E* to, int64_t toStride, const E* from, int64_t fromStride, int64_t n) {
  if (toStride == 1 && fromStride == 1) {
    std::memcpy(to, from, sizeof(E) * static_cast<size_t>(n));
  } else if (toStride == 1 && fromStride == 0) {
    const E value = *from;
    for (int64_t i = 0; i < n; i++) to[i] = value;
  } else {
    for (int64_t i = 0; i < n; i++) to[i * toStride] = from[i * fromStride];
  }
}

// Calls body(to offset, from offset) for the outer indices [begin, end) of a view's first `rank` dimensions.
template <class Body> void walk(const View& view, int rank, int64_t begin, int64_t end, Body&& body) {
  int64_t index[kMaxRank], to = 0, from = 0, rest = begin;
  for (int d = rank - 1; d >= 0; d--) {
    index[d] = rest % view.dims[d];
    rest /= view.dims[d];
    to += index[d] * view.to[d];
    from += index[d] * view.from[d];
  }
  for (int64_t i = begin; i < end; i++) {
    body(to, from);
    for (int d = rank - 1; d >= 0; d--) {
      to += view.to[d];
      from += view.from[d];
      if (++index[d] < view.dims[d]) break;
      to -= view.dims[d] * view.to[d];
      from -= view.dims[d] * view.from[d];
      index[d] = 0;
    }
  }
}

template <class E> void copyView(View view, E* to, const E* from, Pool& pool) {
  for (int d = 0; d < view.rank; d++)
    if (view.dims[d] == 0) return;
  if (view.rank == 0) {
    *to = *from;
    return;
  }
  const int inner = view.rank - 1;
  int other = -1;  // the dimension that is adjacent in the source, where the innermost is not
  if (view.to[inner] == 1 && view.from[inner] != 1 && view.from[inner] != 0)
    for (int d = 0; d < inner; d++)
      if (view.from[d] == 1) other = d;
  int64_t outer = 1;
  if (other >= 0) {
    const int64_t a = view.dims[inner], b = view.dims[other];
    const int64_t toStride = view.to[other], fromStride = view.from[inner];
    View rest;
    for (int d = 0; d < inner; d++)
      if (d != other) {
        rest.dims[rest.rank] = view.dims[d];
        rest.to[rest.rank] = view.to[d];
        rest.from[rest.rank++] = view.from[d];
        outer *= view.dims[d];
      }
    constexpr int64_t kTile = 64;
    const int64_t tiles = ceilDiv(b, kTile), group = greater(1, kBlockElements / greater(1, a * lesser(b, kTile)));
    pool.run(ceilDiv(outer * tiles, group), [&](int64_t block, int) {
      const int64_t end = lesser(outer * tiles, (block + 1) * group);
      for (int64_t i = block * group; i < end; i++) {
        const int64_t j = i % tiles * kTile;
        walk(rest, rest.rank, i / tiles, i / tiles + 1, [&](int64_t toAt, int64_t fromAt) {
          for (int64_t k = 0; k < a; k += kTile)
            transposeTile(to + toAt + j * toStride + k, toStride, from + fromAt + k * fromStride + j, fromStride,
                          lesser(kTile, a - k), lesser(kTile, b - j));
        });
      }
    });
    return;
  }
  for (int d = 0; d < inner; d++) outer *= view.dims[d];
  const int64_t n = view.dims[inner], pieces = ceilDiv(n, kBlockElements), group = greater(1, kBlockElements / n);
  pool.run(ceilDiv(outer, group) * pieces, [&](int64_t block, int) {
    const int64_t begin = block / pieces * group, end = lesser(outer, begin + group);
    const int64_t at = block % pieces * kBlockElements, count = lesser(kBlockElements, n - at);
    walk(view, inner, begin, end, [&](int64_t toAt, int64_t fromAt) {
      copyRun(to + toAt + at * view.to[inner], view.to[inner], from + fromAt + at * view.from[inner], view.from[inner], count);
    });
  });
}

// Copies the view from byte pointers, whatever the element.
void copyBytes(const View& view, const Tensor& y, int64_t toOffset, const Tensor& x, int64_t fromOffset, Pool& pool) {
  switch (sizeOf(x.dtype)) {
    case 1: return copyView(view, y.as<uint8_t>() + toOffset, x.as<uint8_t>() + fromOffset, pool);
    case 2: return copyView(view, y.as<uint16_t>() + toOffset, x.as<uint16_t>() + fromOffset, pool);
    case 4: return copyView(view, y.as<uint32_t>() + toOffset, x.as<uint32_t>() + fromOffset, pool);
    default: return copyView(view, y.as<uint64_t>() + toOffset, x.as<uint64_t>() + fromOffset, pool);
  }
}

void transposeKernel(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  int64_t to[kMaxRank], from[kMaxRank];
  denseStrides(y, to);
  denseStrides(x, from);
  View view;
  for (int d = 0; d < y.rank; d++) view.add(y.dims[d], to[d], from[call.ints[d]]);
  copyBytes(view, y, 0, x, 0, *call.pool);
}

void slice(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  int64_t to[kMaxRank], from[kMaxRank], offset = 0;
  denseStrides(y, to);
  denseStrides(x, from);
  View view;
  for (int d = 0; d < y.rank; d++) {
    offset += call.ints[y.rank + d] * from[d];
    view.add(y.dims[d], to[d], from[d] * call.ints[d]);
  }
  copyBytes(view, y, 0, x, offset, *call.pool);
}

template <class E, class T> void fillAll(const Tensor& y, T value, Pool& pool) {
  const int64_t size = y.size();
  E* to = y.as<E>();
  pool.run(ceilDiv(size, kBlockElements), [&](int64_t block, int) {
    const int64_t end = lesser(size, (block + 1) * kBlockElements);
    for (int64_t i = block * kBlockElements; i < end; i++) to[i] = static_cast<E>(value);
  });
}
void fillWith(const Tensor& y, double value, Pool& pool) {
  switch (y.dtype) {
    case DType::float32: return fillAll<float>(y, static_cast<float>(value), pool);
    case DType::float64: return fillAll<double>(y, value, pool);
    case DType::int32: return fillAll<int32_t>(y, static_cast<int32_t>(value), pool);
    case DType::int64: return fillAll<int64_t>(y, static_cast<int64_t>(value), pool);
    case DType::bfloat16: {
      const float single = static_cast<float>(value);
      uint32_t bits;
      std::memcpy(&bits, &single, 4);
      return fillAll<uint16_t>(y, static_cast<uint16_t>(bits >> 16), pool);
    }
    default: return fillAll<uint8_t>(y, static_cast<uint8_t>(static_cast<int32_t>(value)), pool);
  }
}

void pad(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  if (x.size() != y.size()) fillWith(y, call.floats[0], *call.pool);
  if (x.size() == 0) return;
  int64_t to[kMaxRank], from[kMaxRank], offset = 0;
  denseStrides(y, to);
  denseStrides(x, from);
  View view;
  for (int d = 0; d < y.rank; d++) {
    offset += call.ints[y.rank + d] * to[d];
    view.add(x.dims[d], to[d] * (call.ints[d] + 1), from[d]);
  }
  copyBytes(view, y, offset, x, 0, *call.pool);
}

void concat(const Call& call) {
  const Tensor& y = call.out[0];
  const int axis = static_cast<int>(call.ints[0]);
  int64_t to[kMaxRank], from[kMaxRank], offset = 0;
  denseStrides(y, to);
  for (int i = 0; i < call.inCount; i++) {
    const Tensor& x = call.in[i];
    denseStrides(x, from);
    View view;
    for (int d = 0; d < y.rank; d++) view.add(x.dims[d], to[d], from[d]);
    if (x.size() > 0) copyBytes(view, y, offset, x, 0, *call.pool);
    offset += x.dims[axis] * to[axis];
  }
}

void flip(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  int64_t to[kMaxRank], from[kMaxRank], offset = 0;
  denseStrides(y, to);
  denseStrides(x, from);
  for (int i = 0; i < call.intCount; i++) {
    const int64_t axis = call.ints[i];
    offset += (x.dims[axis] - 1) * from[axis];
    from[axis] = -from[axis];
  }
  View view;
  for (int d = 0; d < y.rank; d++) view.add(y.dims[d], to[d], from[d]);
  copyBytes(view, y, 0, x, offset, *call.pool);
}

void broadcastTo(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  int64_t to[kMaxRank], from[kMaxRank];
  denseStrides(y, to);
  denseStrides(x, from);
  View view;
  for (int d = 0, e = x.rank - y.rank; d < y.rank; d++, e++) view.add(y.dims[d], to[d], e < 0 || x.dims[e] == 1 ? 0 : from[e]);
  copyBytes(view, y, 0, x, 0, *call.pool);
}

void copy(const Call& call) {
  View view;
  view.add(call.out[0].size(), 1, 1);
  copyBytes(view, call.out[0], 0, call.in[0], 0, *call.pool);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(movement, {{"transpose", transposeKernel, nullptr},
                   {"slice", slice, nullptr},
                   {"pad", pad, nullptr},
                   {"concat", concat, nullptr},
                   {"flip", flip, nullptr},
                   {"broadcastTo", broadcastTo, nullptr},
                   {"copy", copy, nullptr}})

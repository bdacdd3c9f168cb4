// Reading and adding by index. Indices are clamped into range, so no index can reach outside of a tensor. Sums go in the
// order of the indices whatever the number of threads: work is split over results, never over what is added.
//
//   gather          x, indices -> y; ints = {axis}
//   scatterAdd      indices, updates -> y
//   oneHot          indices -> y with a new last axis
//   takeAlongAxis   x, indices -> y; ints = {axis}
//   putAlongAxis    indices, updates -> y; ints = {axis}
//   embeddingBag    table, ids, offsets, weights -> y
//   embeddingBagGradient  ids, offsets, weights, dy -> dtable
#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kBlockElements = 1 << 14;

inline int64_t clampIndex(int64_t index, int64_t size) { return index < 0 ? 0 : (index >= size ? size - 1 : index); }

struct Sides {
  int64_t outer = 1, inner = 1;
  Sides(const Tensor& x, int64_t axis) {
    for (int d = 0; d < axis; d++) outer *= x.dims[d];
    for (int d = static_cast<int>(axis) + 1; d < x.rank; d++) inner *= x.dims[d];
  }
};

template <class T> inline void addRun(T* to, const T* from, int64_t n) {
  if constexpr (sizeof(T) == 4 && T(0.5) == T(0)) {
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<T>(static_cast<uint32_t>(to[i]) + static_cast<uint32_t>(from[i]));
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = static_cast<T>(to[i] + from[i]);
  }
}
template <class T> inline void addScaledRun(T* to, const T* from, T scale, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] += from[i] * scale;
}

// Calls f with a null pointer of the element type.
template <class F> void withType(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f(static_cast<float*>(nullptr));
    case DType::float64: return f(static_cast<double*>(nullptr));
    case DType::int32: return f(static_cast<int32_t*>(nullptr));
    default: return f(static_cast<uint8_t*>(nullptr));
  }
}
template <class P> using Element = std::remove_pointer_t<P>;

void gather(const Call& call) {
  const Tensor &x = call.in[0], &indices = call.in[1];
  const Sides sides(x, call.ints[0]);
  const int64_t size = x.dims[call.ints[0]], count = indices.size();
  const int64_t bytes = sides.inner * static_cast<int64_t>(sizeOf(x.dtype)), rows = sides.outer * count;
  const int64_t group = greater(1, 4 * kBlockElements / greater(1, bytes));
  call.pool->run(ceilDiv(rows, group), [&](int64_t block, int) {
    const int64_t end = lesser(rows, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) {
      const int64_t from = i / count * size + clampIndex(indices.as<int32_t>()[i % count], size);
      std::memcpy(call.out[0].as<uint8_t>() + i * bytes, x.as<uint8_t>() + from * bytes, static_cast<size_t>(bytes));
    }
  });
}

// How many parts of the results are worth a pass over all the indices each.
int64_t partsFor(const Call& call, int64_t results, int64_t indices) {
  const int64_t useful = greater(1, results / kBlockElements);
  return lesser(greater(1, call.pool->threads()), lesser(useful, greater(1, 8 * results / greater(1, indices))));
}

void scatterAdd(const Call& call) {
  const Tensor &indices = call.in[0], &updates = call.in[1], &y = call.out[0];
  const int64_t rows = y.dims[0], count = indices.size();
  int64_t width = 1;
  for (int d = 1; d < y.rank; d++) width *= y.dims[d];
  withType(y.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    const int64_t parts = partsFor(call, y.size(), count);
    call.pool->run(parts, [&](int64_t part, int) {
      const int64_t first = splitAt(rows, parts, part), last = splitAt(rows, parts, part + 1);
      std::memset(y.as<T>() + first * width, 0, sizeof(T) * static_cast<size_t>((last - first) * width));
      for (int64_t i = 0; i < count; i++) {
        const int64_t row = clampIndex(indices.as<int32_t>()[i], rows);
        if (row >= first && row < last) addRun(y.as<T>() + row * width, updates.as<T>() + i * width, width);
      }
    });
  });
}

void oneHot(const Call& call) {
  const Tensor &indices = call.in[0], &y = call.out[0];
  const int64_t depth = y.dims[y.rank - 1], count = indices.size();
  const int64_t group = greater(1, kBlockElements / greater(1, depth));
  withType(y.dtype == DType::bool8 ? DType::uint8 : y.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    call.pool->run(ceilDiv(count, group), [&](int64_t block, int) {
      const int64_t first = block * group, end = lesser(count, first + group);
      std::memset(y.as<T>() + first * depth, 0, sizeof(T) * static_cast<size_t>((end - first) * depth));
      for (int64_t i = first; i < end; i++) {
        const int64_t index = indices.as<int32_t>()[i];
        if (index >= 0 && index < depth) y.as<T>()[i * depth + index] = T(1);
      }
    });
  });
}

template <class E> void takeOf(const Call& call) {
  const Tensor &x = call.in[0], &indices = call.in[1], &y = call.out[0];
  const int64_t axis = call.ints[0], size = x.dims[axis], taken = y.dims[axis];
  const Sides sides(y, axis);
  const int64_t rows = sides.outer * taken, group = greater(1, kBlockElements / greater(1, sides.inner));
  call.pool->run(ceilDiv(rows, group), [&](int64_t block, int) {
    const int64_t end = lesser(rows, (block + 1) * group);
    for (int64_t r = block * group; r < end; r++)
      for (int64_t i = 0; i < sides.inner; i++) {
        const int64_t at = r * sides.inner + i;
        const int64_t index = clampIndex(indices.as<int32_t>()[at], size);
        y.as<E>()[at] = x.as<E>()[(r / taken * size + index) * sides.inner + i];
      }
  });
}
void takeAlongAxis(const Call& call) {
  switch (sizeOf(call.in[0].dtype)) {
    case 1: return takeOf<uint8_t>(call);
    case 2: return takeOf<uint16_t>(call);
    case 4: return takeOf<uint32_t>(call);
    default: return takeOf<uint64_t>(call);
  }
}

void putAlongAxis(const Call& call) {
  const Tensor &indices = call.in[0], &updates = call.in[1], &y = call.out[0];
  const int64_t axis = call.ints[0], size = y.dims[axis], put = updates.dims[axis];
  const Sides sides(y, axis);
  withType(y.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    const int64_t group = greater(1, kBlockElements / greater(1, size * sides.inner));
    call.pool->run(ceilDiv(sides.outer, group), [&](int64_t block, int) {
      const int64_t first = block * group, end = lesser(sides.outer, first + group), plane = size * sides.inner;
      std::memset(y.as<T>() + first * plane, 0, sizeof(T) * static_cast<size_t>((end - first) * plane));
      for (int64_t o = first; o < end; o++)
        for (int64_t j = 0; j < put; j++)
          for (int64_t i = 0; i < sides.inner; i++) {
            const int64_t at = (o * put + j) * sides.inner + i;
            const int64_t index = clampIndex(indices.as<int32_t>()[at], size);
            addRun(y.as<T>() + o * plane + index * sides.inner + i, updates.as<T>() + at, 1);
          }
    });
  });
}

void embeddingBag(const Call& call) {
  const Tensor &table = call.in[0], &ids = call.in[1], &offsets = call.in[2], &weights = call.in[3], &y = call.out[0];
  const int64_t vocabulary = table.dims[0], width = table.dims[1], count = ids.size(), bags = y.dims[0];
  const int64_t each = greater(1, count / greater(1, bags)) * width, group = greater(1, kBlockElements / greater(1, each));
  withType(table.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    call.pool->run(ceilDiv(bags, group), [&](int64_t block, int) {
      const int64_t end = lesser(bags, (block + 1) * group);
      for (int64_t n = block * group; n < end; n++) {
        T* to = y.as<T>() + n * width;
        std::memset(to, 0, sizeof(T) * static_cast<size_t>(width));
        const int64_t first = greater(0, lesser(count, offsets.as<int32_t>()[n]));
        const int64_t last = greater(0, lesser(count, offsets.as<int32_t>()[n + 1]));
        for (int64_t z = first; z < last; z++)
          addScaledRun(to, table.as<T>() + clampIndex(ids.as<int32_t>()[z], vocabulary) * width, weights.as<T>()[z], width);
      }
    });
  });
}

void embeddingBagGradient(const Call& call) {
  const Tensor &ids = call.in[0], &offsets = call.in[1], &weights = call.in[2], &dy = call.in[3], &y = call.out[0];
  const int64_t vocabulary = y.dims[0], width = y.dims[1], count = ids.size(), bags = dy.dims[0];
  withType(y.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    const int64_t parts = partsFor(call, y.size(), count);
    call.pool->run(parts, [&](int64_t part, int) {
      const int64_t low = splitAt(vocabulary, parts, part), high = splitAt(vocabulary, parts, part + 1);
      std::memset(y.as<T>() + low * width, 0, sizeof(T) * static_cast<size_t>((high - low) * width));
      for (int64_t n = 0; n < bags; n++) {
        const int64_t first = greater(0, lesser(count, offsets.as<int32_t>()[n]));
        const int64_t last = greater(0, lesser(count, offsets.as<int32_t>()[n + 1]));
        for (int64_t z = first; z < last; z++) {
          const int64_t row = clampIndex(ids.as<int32_t>()[z], vocabulary);
          if (row >= low && row < high) addScaledRun(y.as<T>() + row * width, dy.as<T>() + n * width, weights.as<T>()[z], width);
        }
      }
    });
  });
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(indexing, {{"gather", gather, nullptr},
                   {"scatterAdd", scatterAdd, nullptr},
                   {"oneHot", oneHot, nullptr},
                   {"takeAlongAxis", takeAlongAxis, nullptr},
                   {"putAlongAxis", putAlongAxis, nullptr},
                   {"embeddingBag", embeddingBag, nullptr},
                   {"embeddingBagGradient", embeddingBagGradient, nullptr}})

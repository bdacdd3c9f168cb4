// What goes by the order of elements. Each row along the axis is done by one thread, in order.
//
//   cumsum      x -> y; ints = {axis, exclusive, reverse}
//   argsort     x -> int32 indices; ints = {axis, descending}; stable, NaN last
//   scatterMax  indices, updates -> y; -∞ or the least integer where no row came
#include <algorithm>
#include <limits>

#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kBlockElements = 1 << 14;

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

// Rows along an axis: element j of row r is at begin(r) + j · inner.
struct Rows {
  int64_t outer = 1, size, inner = 1;
  Rows(const Tensor& x, int64_t axis) : size(x.dims[axis]) {
    for (int d = 0; d < axis; d++) outer *= x.dims[d];
    for (int d = static_cast<int>(axis) + 1; d < x.rank; d++) inner *= x.dims[d];
  }
  int64_t begin(int64_t row) const { return row / inner * size * inner + row % inner; }
  template <class F> void each(Pool& pool, F&& row) const {
    const int64_t rows = outer * inner, group = greater(1, kBlockElements / greater(1, size));
    pool.run(ceilDiv(rows, group), [&](int64_t block, int thread) {
      const int64_t end = lesser(rows, (block + 1) * group);
      for (int64_t r = block * group; r < end; r++) row(begin(r), thread);
    });
  }
};

// Sums of float32 are kept in float64: a long row would lose its small elements. Integers wrap.
template <class T> struct Sum {
  using Type = double;
};
template <> struct Sum<int32_t> {
  using Type = uint32_t;
};
template <> struct Sum<uint8_t> {
  using Type = uint8_t;
};

void cumsum(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  const Rows rows(x, call.ints[0]);
  const bool exclusive = call.ints[1] != 0, reverse = call.ints[2] != 0;
  withType(x.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    rows.each(*call.pool, [&](int64_t begin, int) {
      typename Sum<T>::Type total{};
      for (int64_t step = 0; step < rows.size; step++) {
        const int64_t at = begin + (reverse ? rows.size - 1 - step : step) * rows.inner;
        if (exclusive) y.as<T>()[at] = static_cast<T>(total);
        total = static_cast<typename Sum<T>::Type>(total + static_cast<typename Sum<T>::Type>(x.as<T>()[at]));
        if (!exclusive) y.as<T>()[at] = static_cast<T>(total);
      }
    });
  });
}

void argsort(const Call& call) {
  const Tensor &x = call.in[0], &y = call.out[0];
  const Rows rows(x, call.ints[0]);
  const bool descending = call.ints[1] != 0;
  withType(x.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    const T* values = x.as<T>();
    rows.each(*call.pool, [&](int64_t begin, int) {
      int32_t* order = y.as<int32_t>();
      const auto value = [&](int32_t index) { return values[begin + index * rows.inner]; };
      // A total order with the index as the last word: the same as a stable sort, without its memory.
      const auto before = [&](int32_t a, int32_t b) {
        const T left = value(a), right = value(b);
        const bool leftIs = left == left, rightIs = right == right;
        if (leftIs != rightIs) return leftIs;
        if (leftIs && left != right) return descending ? left > right : left < right;
        return a < b;
      };
      if (rows.inner == 1) {
        int32_t* to = order + begin;
        for (int64_t j = 0; j < rows.size; j++) to[j] = static_cast<int32_t>(j);
        std::sort(to, to + rows.size, before);
        return;
      }
      // A heap sorted in place over strided memory: rows of inner axes are seldom long.
      const auto at = [&](int64_t j) -> int32_t& { return order[begin + j * rows.inner]; };
      for (int64_t j = 0; j < rows.size; j++) at(j) = static_cast<int32_t>(j);
      const auto sift = [&](int64_t root, int64_t end) {
        for (int64_t child = 2 * root + 1; child < end; root = child, child = 2 * root + 1) {
          if (child + 1 < end && before(at(child), at(child + 1))) child++;
          if (!before(at(root), at(child))) return;
          std::swap(at(root), at(child));
        }
      };
      for (int64_t j = rows.size / 2; j-- > 0;) sift(j, rows.size);
      for (int64_t end = rows.size - 1; end > 0; end--) {
        std::swap(at(0), at(end));
        sift(0, end);
      }
    });
  });
}

void scatterMax(const Call& call) {
  const Tensor &indices = call.in[0], &updates = call.in[1], &y = call.out[0];
  const int64_t rows = y.dims[0], count = indices.size();
  int64_t width = 1;
  for (int d = 1; d < y.rank; d++) width *= y.dims[d];
  withType(y.dtype, [&](auto* type) {
    using T = Element<decltype(type)>;
    const T least = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
    // By columns: no two threads meet, and every thread reads all indices.
    const int64_t parts = greater(1, lesser(call.pool->threads(), width / 16));
    call.pool->run(parts, [&](int64_t part, int) {
      const int64_t first = splitAt(width, parts, part), last = splitAt(width, parts, part + 1);
      for (int64_t r = 0; r < rows; r++)
        for (int64_t c = first; c < last; c++) y.as<T>()[r * width + c] = least;
      if (rows == 0) return;
      for (int64_t i = 0; i < count; i++) {
        const int64_t index = indices.as<int32_t>()[i];
        T* to = y.as<T>() + (index < 0 ? 0 : (index >= rows ? rows - 1 : index)) * width;
        const T* from = updates.as<T>() + i * width;
        // Written so that NaN stays.
        for (int64_t c = first; c < last; c++) to[c] = from[c] > to[c] || from[c] != from[c] ? from[c] : to[c];
      }
    });
  });
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(ordering, {{"cumsum", cumsum, nullptr}, {"argsort", argsort, nullptr}, {"scatterMax", scatterMax, nullptr}})

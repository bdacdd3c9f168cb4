#include "checks.h"

#include <cstring>
#include <initializer_list>

#include "kernels/elementwise.h"

namespace fathom {

namespace {

#define REQUIRE(condition, message) \
  if (!(condition)) return message

constexpr int64_t kMostAttribute = int64_t{1} << 30;

const char* operands(const Call& call, int ins, int outs, int ints, int floats = 0) {
  REQUIRE(call.inCount == ins, "it has another number of inputs");
  REQUIRE(call.outCount == outs, "it has another number of outputs");
  REQUIRE(call.intCount == ints, "it has another number of ints");
  REQUIRE(call.floatCount == floats, "it has another number of floats");
  return nullptr;
}
#define OPERANDS(...)                                                       \
  if (const char* problem = operands(call, __VA_ARGS__)) return problem;    \
  for (int i = 0; i < call.inCount; i++) REQUIRE(present(call.in[i]), "an input is absent")

bool present(const Tensor& x) { return x.rank >= 0; }
bool real(const Tensor& x) { return x.dtype == DType::float32 || x.dtype == DType::float64; }
bool arithmetic(const Tensor& x) { return real(x) || x.dtype == DType::int32 || x.dtype == DType::uint8; }
bool within(int64_t value, int64_t low, int64_t high) { return value >= low && value <= high; }

bool sameDims(const Tensor& a, const Tensor& b) {
  if (a.rank != b.rank) return false;
  for (int d = 0; d < a.rank; d++)
    if (a.dims[d] != b.dims[d]) return false;
  return true;
}
bool same(const Tensor& a, const Tensor& b) { return a.dtype == b.dtype && sameDims(a, b); }
// Real tensors of one type.
bool sameReal(std::initializer_list<const Tensor*> tensors) {
  const DType dtype = (*tensors.begin())->dtype;
  for (const Tensor* tensor : tensors)
    if (!real(*tensor) || tensor->dtype != dtype) return false;
  return true;
}
bool isVector(const Tensor& x, int64_t size) { return x.rank == 1 && x.dims[0] == size; }
bool broadcasts(const Tensor& x, const Tensor& to) {
  if (x.rank > to.rank) return false;
  for (int d = to.rank - 1, e = x.rank - 1; e >= 0; d--, e--)
    if (x.dims[e] != 1 && x.dims[e] != to.dims[d]) return false;
  return true;
}
// The dimensions of x but for the last `drop`.
bool sameLeading(const Tensor& x, const Tensor& y, int drop) {
  if (y.rank != x.rank - drop) return false;
  for (int d = 0; d < y.rank; d++)
    if (x.dims[d] != y.dims[d]) return false;
  return true;
}

// ── elementwise ────────────────────────────────────────────────────────────────────────────────────────────────────
const char* elementwise(const Call& call) {
  REQUIRE(call.intCount >= kMicroHeader, "its micro-program is too short");
  const int64_t kind = call.ints[0], constants = call.ints[1], temporaries = call.ints[2], ops = call.ints[3];
  REQUIRE(kind == 0 || kind == 1, "its class is unknown");
  REQUIRE(within(constants, 0, kMostOperands) && constants == call.floatCount, "it has another number of constants");
  REQUIRE(within(temporaries, 0, kMostOperands) && within(ops, 1, kMostMicroOps), "its micro-program is too long");
  REQUIRE(call.intCount == kMicroHeader + ops * kMicroInts, "its micro-program is not as long as it says");
  REQUIRE(call.outCount >= 1 && call.inCount <= 64, "it has too many inputs or no outputs");
  const int64_t firstOutput = call.inCount + constants, firstTemporary = firstOutput + call.outCount;
  const int64_t count = firstTemporary + temporaries;
  REQUIRE(count <= kMostOperands, "it has too many operands");
  for (int i = 1; i < call.outCount; i++) REQUIRE(sameDims(call.out[i], call.out[0]), "its outputs differ in shape");
  for (int i = 0; i < call.inCount; i++) {
    REQUIRE(present(call.in[i]), "an input is absent");
    REQUIRE(broadcasts(call.in[i], call.out[0]), "an input does not broadcast to the outputs");
  }
  bool defined[kMostOperands] = {};
  for (int i = 0; i < firstOutput; i++) defined[i] = true;
  for (int64_t i = 0; i < ops; i++) {
    const int64_t* it = call.ints + kMicroHeader + i * kMicroInts;
    REQUIRE(within(it[0], 0, static_cast<int64_t>(Micro::count) - 1), "an operation is unknown");
    const Micro op = static_cast<Micro>(it[0]);
    REQUIRE(within(it[1], firstOutput, count - 1), "an operation writes to what may only be read");
    for (int j = 0; j < 3; j++) {
      REQUIRE(within(it[2 + j], 0, count - 1), "an operation reads what is not there");
      REQUIRE(j >= operandsOf(op) || defined[it[2 + j]], "an operation reads what is not yet written");
    }
    if (op == Micro::randomUniform || op == Micro::randomNormal) {
      REQUIRE(it[2] < call.inCount, "a random operation's step is not an input");
      const Tensor& step = call.in[it[2]];
      REQUIRE(step.dtype == DType::int32 && step.size() == 1, "a random operation's step is not one int32");
    }
    REQUIRE(!(it[1] < firstTemporary && defined[it[1]]), "an output is written twice");
    defined[it[1]] = true;
  }
  for (int64_t j = firstOutput; j < firstTemporary; j++) REQUIRE(defined[j], "an output is never written");
  return nullptr;
}

// ── movement ───────────────────────────────────────────────────────────────────────────────────────────────────────
const char* transpose(const Call& call) {
  REQUIRE(call.inCount == 1, "it has another number of inputs");
  OPERANDS(1, 1, call.in[0].rank < 0 ? 0 : call.in[0].rank);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE(x.dtype == y.dtype && x.rank == y.rank, "its operands differ");
  int seen = 0;
  for (int d = 0; d < x.rank; d++) {
    REQUIRE(within(call.ints[d], 0, x.rank - 1) && !(seen >> call.ints[d] & 1), "this is no permutation");
    seen |= 1 << call.ints[d];
    REQUIRE(y.dims[d] == x.dims[call.ints[d]], "the output's shape does not fit");
  }
  return nullptr;
}

const char* slice(const Call& call) {
  REQUIRE(call.inCount == 1, "it has another number of inputs");
  OPERANDS(1, 1, call.in[0].rank < 0 ? 0 : 2 * call.in[0].rank);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE(x.dtype == y.dtype && x.rank == y.rank, "its operands differ");
  for (int d = 0; d < x.rank; d++) {
    const int64_t stride = call.ints[d], begin = call.ints[x.rank + d];
    REQUIRE(within(stride, 1, kMostAttribute) && within(begin, 0, x.dims[d]), "a begin or stride is out of range");
    REQUIRE(y.dims[d] == 0 || (y.dims[d] <= x.dims[d] && begin + (y.dims[d] - 1) * stride < x.dims[d]),
            "it reaches past the input's end");
  }
  return nullptr;
}

const char* pad(const Call& call) {
  REQUIRE(call.inCount == 1, "it has another number of inputs");
  OPERANDS(1, 1, call.in[0].rank < 0 ? 0 : 2 * call.in[0].rank, 1);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE(x.dtype == y.dtype && x.rank == y.rank, "its operands differ");
  REQUIRE(within(static_cast<int64_t>(call.floats[0] == call.floats[0] && call.floats[0] > -2e9 && call.floats[0] < 2e9), 1, 1) ||
              real(x) || x.dtype == DType::bfloat16, "its value does not fit the type");
  for (int d = 0; d < x.rank; d++) {
    const int64_t interior = call.ints[d], before = call.ints[x.rank + d];
    REQUIRE(within(interior, 0, kMostAttribute) && within(before, 0, y.dims[d]), "a padding is out of range");
    REQUIRE(x.dims[d] == 0 || (x.dims[d] <= y.dims[d] && before + (x.dims[d] - 1) * (interior + 1) < y.dims[d]),
            "the input does not fit into the output");
  }
  return nullptr;
}

const char* concat(const Call& call) {
  REQUIRE(call.inCount >= 1, "it has no inputs");
  OPERANDS(call.inCount, 1, 1);
  const Tensor& y = call.out[0];
  const int64_t axis = call.ints[0];
  REQUIRE(within(axis, 0, y.rank - 1), "the axis is out of range");
  int64_t total = 0;
  for (int i = 0; i < call.inCount; i++) {
    const Tensor& x = call.in[i];
    REQUIRE(x.dtype == y.dtype && x.rank == y.rank, "its operands differ");
    for (int d = 0; d < y.rank; d++) REQUIRE(d == axis || x.dims[d] == y.dims[d], "its operands differ in shape");
    total += x.dims[axis];
    REQUIRE(total <= y.dims[axis], "the inputs are larger than the output");
  }
  REQUIRE(total == y.dims[axis], "the inputs are smaller than the output");
  return nullptr;
}

const char* flip(const Call& call) {
  OPERANDS(1, 1, call.intCount);
  REQUIRE(same(call.in[0], call.out[0]), "its operands differ");
  int seen = 0;
  for (int i = 0; i < call.intCount; i++) {
    REQUIRE(within(call.ints[i], 0, call.in[0].rank - 1) && !(seen >> call.ints[i] & 1), "an axis is out of range");
    seen |= 1 << call.ints[i];
  }
  return nullptr;
}

const char* broadcastTo(const Call& call) {
  OPERANDS(1, 1, 0);
  REQUIRE(call.in[0].dtype == call.out[0].dtype, "its operands differ");
  REQUIRE(broadcasts(call.in[0], call.out[0]), "the input does not broadcast to the output");
  return nullptr;
}

const char* copy(const Call& call) {
  OPERANDS(1, 1, 0);
  REQUIRE(call.in[0].dtype == call.out[0].dtype && call.in[0].size() == call.out[0].size(), "its operands differ");
  return nullptr;
}

// ── reductions ─────────────────────────────────────────────────────────────────────────────────────────────────────
const char* reduce(const Call& call) {
  REQUIRE(call.intCount >= 1, "it has too few ints");
  OPERANDS(1, 1, call.intCount);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE(arithmetic(x) && x.dtype == y.dtype, "its types do not fit");
  REQUIRE(within(call.ints[0], 0, 4), "its kind is unknown");
  int reduced = 0;
  for (int i = 1; i < call.intCount; i++) {
    REQUIRE(within(call.ints[i], 0, x.rank - 1) && !(reduced >> call.ints[i] & 1), "an axis is out of range");
    reduced |= 1 << call.ints[i];
  }
  int64_t kept = 1;
  for (int d = 0; d < x.rank; d++)
    if (!(reduced >> d & 1)) kept *= x.dims[d];
  REQUIRE(y.size() == kept, "the output's size does not fit");
  return nullptr;
}

const char* argReduce(const Call& call) {
  OPERANDS(1, 1, 2);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE((arithmetic(x) || x.dtype == DType::bool8) && y.dtype == DType::int32, "its types do not fit");
  const int64_t axis = call.ints[1];
  REQUIRE(within(axis, 0, x.rank - 1), "the axis is out of range");
  int64_t kept = 1;
  for (int d = 0; d < x.rank; d++)
    if (d != axis) kept *= x.dims[d];
  REQUIRE(y.size() == kept, "the output's size does not fit");
  REQUIRE(kept == 0 || (x.dims[axis] > 0 && x.dims[axis] < INT32_MAX), "the axis is empty or too long");
  return nullptr;
}

// ── indexing ───────────────────────────────────────────────────────────────────────────────────────────────────────
const char* gather(const Call& call) {
  OPERANDS(2, 1, 1);
  const Tensor &x = call.in[0], &indices = call.in[1], &y = call.out[0];
  const int64_t axis = call.ints[0];
  REQUIRE(x.dtype == y.dtype && indices.dtype == DType::int32, "its types do not fit");
  REQUIRE(within(axis, 0, x.rank - 1) && y.rank == x.rank - 1 + indices.rank, "the axis or rank does not fit");
  for (int d = 0; d < y.rank; d++) {
    const int64_t expected = d < axis                  ? x.dims[d]
                             : d < axis + indices.rank ? indices.dims[d - axis]
                                                       : x.dims[d - indices.rank + 1];
    REQUIRE(y.dims[d] == expected, "the output's shape does not fit");
  }
  REQUIRE(y.size() == 0 || x.dims[axis] > 0, "it would read from an empty axis");
  return nullptr;
}

const char* scatterAdd(const Call& call) {
  OPERANDS(2, 1, 0);
  const Tensor &indices = call.in[0], &updates = call.in[1], &y = call.out[0];
  REQUIRE(indices.dtype == DType::int32 && arithmetic(y) && updates.dtype == y.dtype, "its types do not fit");
  REQUIRE(y.rank >= 1 && updates.rank == indices.rank + y.rank - 1, "the ranks do not fit");
  for (int d = 0; d < updates.rank; d++)
    REQUIRE(updates.dims[d] == (d < indices.rank ? indices.dims[d] : y.dims[d - indices.rank + 1]), "the shapes do not fit");
  return nullptr;
}

const char* cumsum(const Call& call) {
  OPERANDS(1, 1, 3);
  REQUIRE(arithmetic(call.in[0]) && same(call.in[0], call.out[0]), "its operands do not fit");
  REQUIRE(within(call.ints[0], 0, call.in[0].rank - 1), "the axis is out of range");
  for (int i = 1; i < 3; i++) REQUIRE(within(call.ints[i], 0, 1), "an attribute is out of range");
  return nullptr;
}
const char* argsort(const Call& call) {
  OPERANDS(1, 1, 2);
  const Tensor &x = call.in[0], &y = call.out[0];
  REQUIRE(arithmetic(x) && y.dtype == DType::int32 && y.rank == x.rank && sameLeading(x, y, 0), "its operands do not fit");
  REQUIRE(within(call.ints[0], 0, x.rank - 1) && within(call.ints[1], 0, 1), "an attribute is out of range");
  REQUIRE(x.dims[call.ints[0]] <= INT32_MAX, "the axis is too long");
  return nullptr;
}

const char* oneHot(const Call& call) {
  OPERANDS(1, 1, 0);
  const Tensor &indices = call.in[0], &y = call.out[0];
  REQUIRE(indices.dtype == DType::int32 && (arithmetic(y) || y.dtype == DType::bool8), "its types do not fit");
  REQUIRE(y.rank == indices.rank + 1 && sameLeading(y, indices, 1), "the output's shape does not fit");
  return nullptr;
}

const char* alongAxis(const Tensor& large, const Tensor& indices, const Tensor& small, int64_t axis) {
  REQUIRE(indices.dtype == DType::int32 && large.dtype == small.dtype, "its types do not fit");
  REQUIRE(within(axis, 0, large.rank - 1) && sameDims(indices, small) && large.rank == small.rank, "the shapes do not fit");
  for (int d = 0; d < large.rank; d++) REQUIRE(d == axis || large.dims[d] == small.dims[d], "the shapes do not fit");
  REQUIRE(small.size() == 0 || large.dims[axis] > 0, "the axis is empty");
  return nullptr;
}
const char* takeAlongAxis(const Call& call) {
  OPERANDS(2, 1, 1);
  return alongAxis(call.in[0], call.in[1], call.out[0], call.ints[0]);
}
const char* putAlongAxis(const Call& call) {
  OPERANDS(2, 1, 1);
  REQUIRE(arithmetic(call.out[0]), "its types do not fit");
  return alongAxis(call.out[0], call.in[0], call.in[1], call.ints[0]);
}

const char* bag(const Tensor& table, const Tensor& ids, const Tensor& offsets, const Tensor& weights, const Tensor& bags) {
  REQUIRE(sameReal({&table, &weights, &bags}), "its types do not fit");
  REQUIRE(ids.dtype == DType::int32 && offsets.dtype == DType::int32, "its types do not fit");
  REQUIRE(table.rank == 2 && bags.rank == 2 && table.dims[1] == bags.dims[1], "the shapes do not fit");
  REQUIRE(ids.rank == 1 && isVector(weights, ids.dims[0]) && isVector(offsets, bags.dims[0] + 1), "the shapes do not fit");
  REQUIRE(ids.dims[0] == 0 || table.dims[0] > 0, "the table is empty");
  return nullptr;
}
const char* embeddingBag(const Call& call) {
  OPERANDS(4, 1, 0);
  return bag(call.in[0], call.in[1], call.in[2], call.in[3], call.out[0]);
}
const char* embeddingBagGradient(const Call& call) {
  OPERANDS(4, 1, 0);
  return bag(call.out[0], call.in[0], call.in[1], call.in[2], call.in[3]);
}

// ── softmax ────────────────────────────────────────────────────────────────────────────────────────────────────────
const char* softmax(const Call& call) {
  OPERANDS(1, 1, 0);
  REQUIRE(real(call.in[0]) && call.in[0].rank >= 1 && same(call.in[0], call.out[0]), "its operands do not fit");
  return nullptr;
}
const char* crossEntropyOperands(const Tensor& logits, const Tensor& labels, const Tensor& loss) {
  REQUIRE(sameReal({&logits, &loss}) && labels.dtype == DType::int32, "its types do not fit");
  REQUIRE(logits.rank == 2 && isVector(labels, logits.dims[0]) && isVector(loss, logits.dims[0]), "the shapes do not fit");
  REQUIRE(logits.dims[0] == 0 || logits.dims[1] > 0, "there are no classes");
  return nullptr;
}
const char* crossEntropy(const Call& call) {
  OPERANDS(2, 1, 0, 1);
  return crossEntropyOperands(call.in[0], call.in[1], call.out[0]);
}
const char* crossEntropyGradient(const Call& call) {
  OPERANDS(3, 1, 0, 1);
  REQUIRE(same(call.in[0], call.out[0]), "the output does not fit");
  return crossEntropyOperands(call.in[0], call.in[1], call.in[2]);
}

// ── sources and pictures ───────────────────────────────────────────────────────────────────────────────────────────
const char* iota(const Call& call) {
  OPERANDS(0, 1, 0);
  REQUIRE(call.out[0].dtype != DType::bfloat16 && call.out[0].dtype != DType::bool8 && call.out[0].rank == 1, "its output does not fit");
  return nullptr;
}
const char* dimension(const Call& call) {
  OPERANDS(0, 1, 1);
  REQUIRE(call.out[0].dtype != DType::bfloat16 && call.out[0].dtype != DType::bool8 && call.out[0].size() == 1, "its output does not fit");
  return nullptr;
}
const char* affineWarp(const Call& call) {
  OPERANDS(2, 1, 1);
  const Tensor &x = call.in[0], &matrices = call.in[1];
  REQUIRE(sameReal({&x, &matrices}) && same(x, call.out[0]), "its types do not fit");
  REQUIRE(x.rank == 4 && matrices.rank == 2 && matrices.dims[0] == x.dims[0] && matrices.dims[1] == 6, "the shapes do not fit");
  return nullptr;
}

// ── linear algebra ─────────────────────────────────────────────────────────────────────────────────────────────────
const char* matmul(const Call& call) {
  REQUIRE(within(call.inCount, 2, 5) && call.outCount == 1 && call.intCount == 3 && call.floatCount == 0,
          "it has another number of operands");
  const Tensor &a = call.in[0], &b = call.in[1], &y = call.out[0];
  REQUIRE(present(a) && present(b) && sameReal({&a, &b, &y}), "its types do not fit");
  REQUIRE(a.rank >= 2 && b.rank >= 2 && y.rank >= 2, "a rank is below 2");
  REQUIRE(within(call.ints[0], 0, 1) && within(call.ints[1], 0, 1) && within(call.ints[2], 0, 5), "an attribute is out of range");
  const int64_t ta = call.ints[0], tb = call.ints[1];
  const int64_t m = a.dims[a.rank - (ta ? 1 : 2)], k = a.dims[a.rank - (ta ? 2 : 1)];
  const int64_t n = b.dims[b.rank - (tb ? 2 : 1)];
  REQUIRE(b.dims[b.rank - (tb ? 1 : 2)] == k, "the inner dimensions differ");
  REQUIRE(y.dims[y.rank - 2] == m && y.dims[y.rank - 1] == n, "the output's shape does not fit");
  const auto leading = [&](const Tensor& x) {
    Tensor result = x;
    result.rank -= 2;
    return result;
  };
  REQUIRE(broadcasts(leading(a), leading(y)) && broadcasts(leading(b), leading(y)), "the batches do not broadcast");
  if (call.inCount > 2 && present(call.in[2]))
    REQUIRE(call.in[2].dtype == y.dtype && isVector(call.in[2], n), "the bias does not fit");
  if (call.inCount > 3 && present(call.in[3])) REQUIRE(same(call.in[3], y), "the residual does not fit");
  if (call.inCount > 4 && present(call.in[4]))
    REQUIRE(y.dtype == DType::float32 && same(call.in[4], y), "the mask does not fit");
  return nullptr;
}

// `pooled`: y is half as high and wide as the convolution makes it.
const char* convolution(const Tensor& x, const Tensor& w, const Tensor& y, const Call& call, bool pooled) {
  REQUIRE(sameReal({&x, &w, &y}), "its types do not fit");
  REQUIRE(x.rank == 4 && w.rank == 4 && y.rank == 4, "a rank is not 4");
  for (int i = 0; i < 9; i++) REQUIRE(within(call.ints[i], i >= 2 && i < 6 ? 0 : 1, 1 << 20), "an attribute is out of range");
  const int64_t groups = call.ints[8];
  REQUIRE(x.dims[3] % groups == 0 && w.dims[3] % groups == 0 && w.dims[2] * groups == x.dims[3], "the groups do not fit");
  REQUIRE(y.dims[0] == x.dims[0] && y.dims[3] == w.dims[3], "the shapes do not fit");
  for (int d = 0; d < 2; d++) {
    REQUIRE(within(w.dims[d], 1, 1 << 20), "the filter is empty or too large");
    const int64_t room = x.dims[1 + d] + call.ints[2 + d] + call.ints[4 + d] - (w.dims[d] - 1) * call.ints[6 + d] - 1;
    const int64_t size = room < 0 ? 0 : room / call.ints[d] + 1;
    REQUIRE(y.dims[1 + d] == (pooled ? size / 2 : size), "the output's size does not fit");
  }
  return nullptr;
}
bool isWhich(const Tensor& which, const Tensor& y) {
  return which.dtype == DType::uint8 && y.dtype == DType::float32 && sameDims(which, y);
}
const char* conv2d(const Call& call) {
  REQUIRE(within(call.inCount, 2, 4) && within(call.intCount, 10, 11) && call.floatCount == 0,
          "it has another number of operands");
  REQUIRE(present(call.in[0]) && present(call.in[1]) && within(call.ints[9], 0, 5), "its operands do not fit");
  const Tensor& y = call.out[0];
  const bool pooled = call.intCount > 10 && call.ints[10] != 0;
  REQUIRE(within(call.outCount, 1, pooled ? 2 : 1), "it has another number of outputs");
  if (pooled) {
    REQUIRE(y.dtype == DType::float32 && call.in[0].rank == 4, "its types do not fit");
    REQUIRE(call.inCount <= 3 || !present(call.in[3]), "it cannot add a residual and pool");
    REQUIRE(call.outCount < 2 || isWhich(call.out[1], y), "the index does not fit");
  }
  if (call.inCount > 2 && present(call.in[2]))
    REQUIRE(call.in[2].dtype == y.dtype && y.rank == 4 && isVector(call.in[2], y.dims[3]), "the bias does not fit");
  if (call.inCount > 3 && present(call.in[3])) REQUIRE(same(call.in[3], y), "the residual does not fit");
  return convolution(call.in[0], call.in[1], y, call, pooled);
}
const char* conv2dInputGradient(const Call& call) {
  REQUIRE(within(call.inCount, 2, 5) && call.outCount == 1 && call.intCount == 9 && call.floatCount == 0,
          "it has another number of operands");
  REQUIRE(present(call.in[0]) && present(call.in[1]), "an input is absent");
  for (int i = 2; i < (call.inCount < 4 ? call.inCount : 4); i++)
    REQUIRE(!present(call.in[i]) || (call.in[i].dtype == DType::float32 && same(call.in[i], call.out[0])),
            "the residual or mask does not fit");
  const bool pooled = call.inCount > 4 && present(call.in[4]);
  REQUIRE(!pooled || isWhich(call.in[4], call.in[0]), "the index does not fit");
  return convolution(call.out[0], call.in[1], call.in[0], call, pooled);
}
const char* conv2dFilterGradient(const Call& call) {
  OPERANDS(call.inCount == 3 ? 3 : 2, 1, 9);
  REQUIRE(call.inCount == 2 || isWhich(call.in[2], call.in[1]), "the index does not fit");
  return convolution(call.in[0], call.out[0], call.in[1], call, call.inCount == 3);
}

const char* pooling(const Tensor& x, const Tensor& y, const Call& call) {
  REQUIRE(sameReal({&x, &y}) && x.rank == 4 && y.rank == 4, "its operands do not fit");
  for (int i = 0; i < 8; i++) REQUIRE(within(call.ints[i], i < 4 ? 1 : 0, 1 << 20), "an attribute is out of range");
  REQUIRE(x.dims[0] == y.dims[0] && x.dims[3] == y.dims[3], "the shapes do not fit");
  for (int d = 0; d < 2; d++) {
    const int64_t window = call.ints[d], before = call.ints[4 + d], after = call.ints[6 + d];
    // A window that lies in the padding alone would have no maximum.
    REQUIRE(before < window && after < window, "the padding is as large as the window");
    const int64_t room = x.dims[1 + d] + before + after - window;
    REQUIRE(y.dims[1 + d] == (room < 0 ? 0 : room / call.ints[2 + d] + 1), "the output's size does not fit");
  }
  return nullptr;
}
const char* pool2d(const Call& call) {
  OPERANDS(1, 1, 8);
  return pooling(call.in[0], call.out[0], call);
}
const char* maxPool2dGradient(const Call& call) {
  OPERANDS(3, 1, 8);
  REQUIRE(same(call.in[0], call.out[0]) && same(call.in[1], call.in[2]), "the shapes do not fit");
  return pooling(call.in[0], call.in[1], call);
}
const char* avgPool2dGradient(const Call& call) {
  OPERANDS(1, 1, 8);
  return pooling(call.out[0], call.in[0], call);
}

// ── normalization ──────────────────────────────────────────────────────────────────────────────────────────────────
const char* normalization(const Tensor& x, const Tensor& y) {
  REQUIRE(real(x) && x.rank >= 1 && same(x, y), "its operands do not fit");
  return nullptr;
}
bool parameter(const Tensor& value, const Tensor& x) {
  return value.dtype == x.dtype && isVector(value, x.dims[x.rank - 1]);
}
bool statistic(const Tensor& value, const Tensor& x, bool perRow) {
  return value.dtype == x.dtype && (perRow ? sameLeading(x, value, 1) : isVector(value, x.dims[x.rank - 1]));
}
template <bool kPerRow> const char* normalize(const Call& call) {
  REQUIRE(within(call.inCount, 3, kPerRow ? 3 : 4) && call.outCount == 3 && call.intCount <= 1 && call.floatCount == 1, "it has another number of operands");
  const Tensor& x = call.in[0];
  REQUIRE(present(x) && (call.intCount == 0 || within(call.ints[0], 0, 1)), "its operands do not fit");
  if (const char* problem = normalization(x, call.out[0])) return problem;
  for (int i = 1; i < 3; i++) REQUIRE(!present(call.in[i]) || parameter(call.in[i], x), "a parameter does not fit");
  if (call.inCount > 3 && present(call.in[3])) REQUIRE(same(call.in[3], x), "the residual does not fit");
  for (int i = 1; i < 3; i++) REQUIRE(statistic(call.out[i], x, kPerRow), "a statistic does not fit");
  REQUIRE(x.dims[x.rank - 1] > 0, "the last axis is empty");
  return nullptr;
}
template <bool kPerRow> const char* normalizeGradient(const Call& call) {
  REQUIRE(call.inCount == 5 && call.outCount == 3 && call.intCount == 0 && call.floatCount == 1, "it has another number of operands");
  const Tensor& x = call.in[0];
  REQUIRE(present(x) && present(call.in[2]) && present(call.in[3]) && present(call.in[4]), "an input is absent");
  if (const char* problem = normalization(x, call.out[0])) return problem;
  REQUIRE(same(x, call.in[4]), "the gradient does not fit");
  REQUIRE(!present(call.in[1]) || parameter(call.in[1], x), "a parameter does not fit");
  for (int i = 2; i < 4; i++) REQUIRE(statistic(call.in[i], x, kPerRow), "a statistic does not fit");
  for (int i = 1; i < 3; i++) REQUIRE(parameter(call.out[i], x), "a parameter's gradient does not fit");
  REQUIRE(x.dims[x.rank - 1] > 0, "the last axis is empty");
  return nullptr;
}

// ── recurrent ──────────────────────────────────────────────────────────────────────────────────────────────────────
constexpr int64_t kMostUnits = 1 << 16;  // a row's state fits a thread's private memory

bool isState(const Tensor& x, const Tensor& like, int64_t batch, int64_t units) {
  return x.dtype == like.dtype && x.rank == 2 && x.dims[0] == batch && x.dims[1] == units;
}
bool isSequence(const Tensor& x, const Tensor& like, int64_t batch, int64_t time, int64_t width) {
  return x.dtype == like.dtype && x.rank == 3 && x.dims[0] == batch && x.dims[1] == time && x.dims[2] == width;
}
bool isMask(const Tensor& x, int64_t batch, int64_t time) {
  return x.dtype == DType::bool8 && x.rank == 2 && x.dims[0] == batch && x.dims[1] == time;
}
const char* recurrent(const Call& call) {
  REQUIRE(call.intCount == 3, "it has another number of ints");
  for (int i = 0; i < 3; i++) REQUIRE(within(call.ints[i], 0, i == 0 ? 2 : 1), "an attribute is out of range");
  const bool lstm = call.ints[0] == 1, gru = call.ints[0] == 2;
  const int masked = static_cast<int>(call.ints[2]);
  OPERANDS(5 + lstm + masked, lstm ? 5 : gru ? 3 : 2, 3);
  const Tensor &x = call.in[0], &kernel = call.in[1], &weights = call.in[2], &bias = call.in[3];
  REQUIRE(sameReal({&x, &kernel, &weights, &bias}), "its types do not fit");
  REQUIRE(x.rank == 3 && kernel.rank == 2 && weights.rank == 2, "a rank does not fit");
  const int64_t batch = x.dims[0], time = x.dims[1], units = weights.dims[0];
  const int64_t columns = (lstm ? 4 : gru ? 3 : 1) * units;
  REQUIRE(within(units, 1, kMostUnits) && weights.dims[1] == columns, "the recurrent kernel does not fit");
  REQUIRE(kernel.dims[0] == x.dims[2] && kernel.dims[1] == columns, "the kernel does not fit");
  REQUIRE(gru ? bias.rank == 2 && bias.dims[0] == 2 && bias.dims[1] == columns : isVector(bias, columns), "the bias does not fit");
  for (int i = 4; i < 5 + lstm; i++) REQUIRE(isState(call.in[i], x, batch, units), "a state does not fit");
  if (masked) REQUIRE(isMask(call.in[5 + lstm], batch, time), "the mask does not fit");
  REQUIRE(isSequence(call.out[0], x, batch, time, units), "the output does not fit");
  for (int i = 1; i < 2 + lstm; i++) REQUIRE(isState(call.out[i], x, batch, units), "a last state does not fit");
  if (lstm || gru) REQUIRE(isSequence(call.out[2 + lstm], x, batch, time, 4 * units), "the gates do not fit");
  if (lstm) REQUIRE(isSequence(call.out[4], x, batch, time, units), "the cells do not fit");
  return nullptr;
}
const char* recurrentGradient(const Call& call) {
  REQUIRE(call.intCount == 4, "it has another number of ints");
  for (int i = 0; i < 4; i++) REQUIRE(within(call.ints[i], 0, i == 0 ? 2 : 1), "an attribute is out of range");
  const bool lstm = call.ints[0] == 1, gru = call.ints[0] == 2;
  const int masked = static_cast<int>(call.ints[2]), sequences = static_cast<int>(call.ints[3]);
  OPERANDS(4 + 3 * lstm + (lstm || gru) + masked + sequences, lstm || gru ? 3 : 2, 4);
  const Tensor& weights = call.in[0];
  REQUIRE(real(weights) && weights.rank == 2, "its types do not fit");
  const int64_t units = weights.dims[0], columns = (lstm ? 4 : gru ? 3 : 1) * units;
  REQUIRE(within(units, 1, kMostUnits) && weights.dims[1] == columns, "the recurrent kernel does not fit");
  const Tensor& y = call.in[2 + lstm + masked];
  REQUIRE(y.rank == 3, "a rank does not fit");
  const int64_t batch = y.dims[0], time = y.dims[1];
  int next = 1;
  for (; next < 2 + lstm; next++) REQUIRE(isState(call.in[next], weights, batch, units), "a state does not fit");
  if (masked) REQUIRE(isMask(call.in[next++], batch, time), "the mask does not fit");
  REQUIRE(isSequence(call.in[next++], weights, batch, time, units), "the states do not fit");
  if (lstm || gru) REQUIRE(isSequence(call.in[next++], weights, batch, time, 4 * units), "the gates do not fit");
  for (int i = 0; i < lstm + sequences; i++)
    REQUIRE(isSequence(call.in[next++], weights, batch, time, units), "a sequence does not fit");
  for (; next < call.inCount; next++) REQUIRE(isState(call.in[next], weights, batch, units), "a state's gradient does not fit");
  REQUIRE(isSequence(call.out[0], weights, batch, time, columns), "the output does not fit");
  for (int i = 1; i < 2 + lstm; i++) REQUIRE(isState(call.out[i], weights, batch, units), "a state's gradient does not fit");
  if (gru) REQUIRE(isSequence(call.out[2], weights, batch, time, columns), "the output does not fit");
  return nullptr;
}

// ── attention ──────────────────────────────────────────────────────────────────────────────────────────────────────
constexpr int64_t kMostHeadFeatures = 1024;  // tiles fit a thread's private memory

bool heads(const Tensor& x, int64_t batch, int64_t time, int64_t count, int64_t features) {
  return x.dtype == DType::float32 && x.rank == 4 && x.dims[0] == batch && x.dims[1] == time && x.dims[2] == count && x.dims[3] == features;
}
template <bool kGradient> const char* attention(const Call& call) {
  REQUIRE(call.intCount == 7, "it has another number of ints");
  for (int i = 0; i < 4; i++) REQUIRE(within(call.ints[i], 0, 1), "an attribute is out of range");
  const int masked = static_cast<int>(call.ints[1]), biased = static_cast<int>(call.ints[2]), dropped = static_cast<int>(call.ints[3]);
  OPERANDS(3 + masked + biased + dropped + (kGradient ? 3 : 0), kGradient ? 3 : 2, 7, 2);
  REQUIRE(!kGradient || !biased, "there is no gradient of a bias");
  for (int i = 4; i < 7; i++) REQUIRE(within(call.ints[i], 0, 0xffffffff), "a seed is out of range");
  REQUIRE(call.floats[1] >= 0 && call.floats[1] < 1 && (call.floats[1] > 0) == (dropped == 1), "the dropout rate is out of range");
  const Tensor &q = call.in[0], &k = call.in[1], &v = call.in[2];
  for (const Tensor* x : {&q, &k, &v}) REQUIRE(x->dtype == DType::float32 && x->rank == 4, "its types do not fit");
  const int64_t batch = q.dims[0], queries = q.dims[1], count = q.dims[2], depth = q.dims[3];
  const int64_t keys = v.dims[1], keyHeads = v.dims[2], width = v.dims[3];
  REQUIRE(within(depth, 1, kMostHeadFeatures) && within(width, 1, kMostHeadFeatures), "it has too many features");
  REQUIRE(keyHeads >= 1 && count >= 1 && count % keyHeads == 0, "the heads do not fit");
  REQUIRE(heads(k, batch, keys, keyHeads, depth) && heads(v, batch, keys, keyHeads, width), "keys or values do not fit");
  int next = 3;
  if (masked) REQUIRE(isMask(call.in[next++], batch, keys), "the mask does not fit");
  if (biased) {
    const Tensor& bias = call.in[next++];
    REQUIRE(bias.dtype == DType::float32 && bias.rank == 4 && (bias.dims[0] == 1 || bias.dims[0] == batch) &&
            (bias.dims[1] == 1 || bias.dims[1] == count) && bias.dims[2] == queries && bias.dims[3] == keys, "the bias does not fit");
  }
  if (dropped) {
    REQUIRE(call.in[next].dtype == DType::int32 && call.in[next].size() == 1, "the step does not fit");
    next++;
  }
  const Tensor& y = kGradient ? call.in[next] : call.out[0];
  const Tensor& logSumExp = kGradient ? call.in[next + 1] : call.out[1];
  REQUIRE(heads(y, batch, queries, count, width), "the result does not fit");
  REQUIRE(logSumExp.dtype == DType::float32 && logSumExp.rank == 3 && logSumExp.dims[0] == batch && logSumExp.dims[1] == count &&
          logSumExp.dims[2] == queries, "logSumExp does not fit");
  if (kGradient) {
    REQUIRE(same(call.in[next + 2], y), "the result's gradient does not fit");
    for (int i = 0; i < 3; i++) REQUIRE(same(call.out[i], call.in[i]), "a gradient does not fit");
  }
  return nullptr;
}

constexpr Checked kChecks[] = {
    {"scaledDotProductAttention", attention<false>},
    {"scaledDotProductAttentionGradient", attention<true>},
    {"elementwise", elementwise, true},
    {"transpose", transpose},
    {"slice", slice},
    {"pad", pad},
    {"concat", concat},
    {"flip", flip},
    {"broadcastTo", broadcastTo},
    {"copy", copy},
    {"reduce", reduce},
    {"argReduce", argReduce},
    {"gather", gather},
    {"scatterAdd", scatterAdd},
    {"scatterMax", scatterAdd},
    {"cumsum", cumsum},
    {"argsort", argsort},
    {"oneHot", oneHot},
    {"takeAlongAxis", takeAlongAxis},
    {"putAlongAxis", putAlongAxis},
    {"embeddingBag", embeddingBag},
    {"embeddingBagGradient", embeddingBagGradient},
    {"softmax", softmax},
    {"logSoftmax", softmax},
    {"sparseSoftmaxCrossEntropy", crossEntropy},
    {"sparseSoftmaxCrossEntropyGradient", crossEntropyGradient},
    {"iota", iota},
    {"dimension", dimension},
    {"affineWarp", affineWarp},
    {"recurrent", recurrent},
    {"recurrentGradient", recurrentGradient},
    {"matmul", matmul},
    {"conv2d", conv2d},
    {"conv2dInputGradient", conv2dInputGradient},
    {"conv2dFilterGradient", conv2dFilterGradient},
    {"maxPool2d", pool2d},
    {"maxPool2dGradient", maxPool2dGradient},
    {"avgPool2d", pool2d},
    {"avgPool2dGradient", avgPool2dGradient},
    {"batchNormalization", normalize<false>},
    {"batchNormalizationGradient", normalizeGradient<false>},
    {"layerNormalization", normalize<true>},
    {"layerNormalizationGradient", normalizeGradient<true>},
};

}  // namespace

const Checked* checkFor(const char* kernel) {
  for (const Checked& checked : kChecks)
    if (!std::strcmp(checked.name, kernel)) return &checked;
  return nullptr;
}

}  // namespace fathom

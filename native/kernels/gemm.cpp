// Matrix products on the pool. How a product is cut depends on its sizes only, never on the number of threads, and so
// does every sum's order.
//
// matmul: a [..batch,m,k] (or [..,k,m]), b [..batch,k,n] (or [..,n,k]), bias [n]?, residual [..batch,m,n]?,
//   mask [..batch,m,n]? -> activation(a·b + bias + residual), 0 where the mask is not above 0;
//   ints = {transposeA, transposeB, activation}. Batch dimensions broadcast.
#include "gemm.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Plan {
  int64_t rows = 1, columns = 1, depths = 1;  // parts of m, n and k
  int64_t together = 1;                       // small matrices of a batch per block
};

constexpr int64_t kLittle = 1 << 19;  // multiplications worth a block: some microseconds

Plan planFor(int64_t m, int64_t n, int64_t k, int64_t batch, bool bTransposed) {
  Plan plan;
  const int64_t work = m * n * greater(k, 1);
  if (work < kLittle) {
    plan.together = greater(1, lesser(batch, kLittle / greater(work, 1)));
    return plan;
  }
  // Enough blocks that two to sixteen threads find some, each large enough to be worth packing for.
  const int64_t wanted = ceilDiv(lesser(ceilDiv(work, kLittle), 16), batch);
  // Long sums for a small result: cut k, and every thread reads its own part of a and b once.
  if (k >= 2048 && k >= 8 * lesser(m, n) && m * n * batch <= (1 << 18)) {
    plan.depths = lesser(k / 512, lesser(wanted, greater(1, (1 << 20) / (m * n * batch))));
    if (plan.depths > 1) return plan;
  }
  // Of the ways to cut the result, the one that reads a and packs b the least; threads beyond what it offers idle.
  const int64_t widths = ceilDiv(n, kMostColumns), heights = ceilDiv(m, 8);
  int64_t best = INT64_MAX;
  for (int64_t columns = 1; columns <= lesser(widths, wanted); columns++) {
    const int64_t rows = lesser(heights, ceilDiv(wanted, columns));
    const int64_t missing = greater(0, lesser(wanted, 4) - rows * columns);
    const int64_t cost = columns * m + rows * n * (bTransposed ? 2 : 1) + missing * (m + n);
    if (cost >= best) continue;
    best = cost;
    plan.columns = columns;
    plan.rows = rows;
  }
  plan.columns = greater(plan.columns, ceilDiv(n, 1024));
  plan.rows = greater(plan.rows, ceilDiv(m, 768));
  return plan;
}

// Columns are cut at whole tiles, so that only the last one is ragged; rows anywhere, as any number makes good tiles.
int64_t columnAt(int64_t n, int64_t parts, int64_t index) {
  return lesser(n, splitAt(ceilDiv(n, kMostColumns), parts, index) * kMostColumns);
}

float dot(const float* x, const float* y, int64_t n) {
  vf sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (int v = 0; v < 4; v++) sums[v] += load(x + i + v * kLanes) * load(y + i + v * kLanes);
  for (; i < n; i += kLanes) sums[0] += loadSome(x + i, n - i) * loadSome(y + i, n - i);
  return sum(sums[0] + sums[1] + (sums[2] + sums[3]));
}

// A matrix times a vector, both contiguous in k: tiles would use one lane in sixteen.
void matrixVector(const float* matrix, int64_t stride, const float* vector, int64_t rows, int64_t k, float* out,
                  int64_t outStride) {
  for (int64_t i = 0; i < rows; i++) out[i * outStride] = dot(matrix + i * stride, vector, k);
}

void runBlock(const Gemm& g, uint8_t* scratch) {
  const bool columnVector = g.n == 1 && !g.aTransposed && !g.accumulate && (g.bTransposed || g.bStride == 1);
  const bool rowVector = g.m == 1 && g.bTransposed && !g.accumulate && (!g.aTransposed || g.aStride == 1);
  if (columnVector) {
    matrixVector(g.a, g.aStride, g.b, g.m, g.k, g.c, g.cStride);
  } else if (rowVector) {
    matrixVector(g.b, g.bStride, g.a, g.n, g.k, g.c, 1);
  } else {
    return gemmBlock(g, scratch);
  }
  if (!g.epilogue.nothing()) finishTile(g.c, g.cStride, g.c, g.cStride, g.m, g.n, g.epilogue);
}

}  // namespace

size_t gemmScratch(int64_t m, int64_t n, int64_t k, int64_t batch, bool bTransposed) {
  if (batch == 0) return 0;
  const Plan plan = planFor(m, n, k, batch, bTransposed);
  return plan.depths > 1 ? plan.depths * batch * m * n * sizeof(float) : 0;
}

void gemm(const GemmBatch& call, Pool& pool, uint8_t* scratch) {
  const Gemm& whole = call.gemm;
  const int64_t m = whole.m, n = whole.n, k = whole.k;
  if (call.batch == 0 || m == 0 || n == 0) return;
  const Plan plan = planFor(m, n, k, call.batch, whole.bTransposed);
  float* partial = reinterpret_cast<float*>(scratch);
  const int64_t perMatrix = plan.rows * plan.columns * plan.depths;
  const int64_t groups = ceilDiv(call.batch, plan.together);

  pool.run(groups * perMatrix, [&](int64_t block, int thread) {
    const int64_t group = block / perMatrix, part = block % perMatrix;
    const int64_t depth = part % plan.depths, column = part / plan.depths % plan.columns;
    const int64_t row = part / plan.depths / plan.columns;
    const int64_t m0 = splitAt(m, plan.rows, row), m1 = splitAt(m, plan.rows, row + 1);
    const int64_t n0 = columnAt(n, plan.columns, column);
    const int64_t n1 = columnAt(n, plan.columns, column + 1);
    const int64_t k0 = splitAt(k, plan.depths, depth), k1 = splitAt(k, plan.depths, depth + 1);
    const int64_t last = lesser(call.batch, (group + 1) * plan.together);
    for (int64_t i = group * plan.together; i < last; i++) {
      Gemm g = whole;
      g.m = m1 - m0;
      g.n = n1 - n0;
      g.k = k1 - k0;
      g.a += call.aAt ? call.aAt(call.context, i) : i * call.aStep;
      g.b += call.bAt ? call.bAt(call.context, i) : i * call.bStep;
      g.a += whole.aTransposed ? k0 * g.aStride + m0 : m0 * g.aStride + k0;
      g.b += whole.bTransposed ? n0 * g.bStride + k0 : k0 * g.bStride + n0;
      if (plan.depths > 1) {
        g.c = partial + (depth * call.batch + i) * m * n + m0 * n + n0;
        g.cStride = n;
        g.accumulate = false;
        g.epilogue = {};
      } else {
        const int64_t at = i * call.cStep + m0 * g.cStride + n0;
        g.c += at;
        g.epilogue = g.epilogue.at(n0, at);
      }
      runBlock(g, pool.scratch(thread));
    }
  });
  if (plan.depths == 1) return;

  pool.run(call.batch * plan.rows, [&](int64_t block, int) {
    const int64_t i = block / plan.rows, row = block % plan.rows;
    const int64_t m0 = splitAt(m, plan.rows, row), m1 = splitAt(m, plan.rows, row + 1);
    float* sums = partial + i * m * n + m0 * n;
    for (int64_t depth = 1; depth < plan.depths; depth++) {
      const float* more = partial + (depth * call.batch + i) * m * n + m0 * n;
      const int64_t size = (m1 - m0) * n;
      for (int64_t at = 0; at < size; at += kLanes)
        storeSome(sums + at, loadSome(sums + at, size - at) + loadSome(more + at, size - at), size - at);
    }
    const int64_t at = i * call.cStep + m0 * whole.cStride;
    if (whole.accumulate) {
      for (int64_t r = 0; r < m1 - m0; r++)
        for (int64_t j = 0; j < n; j++) sums[r * n + j] += whole.c[at + r * whole.cStride + j];
    }
    for (int64_t r = 0; r < m1 - m0; r++)
      finishTile(sums + r * n, n, whole.c + at + r * whole.cStride, whole.cStride, 1, n,
                 whole.epilogue.at(0, at + r * whole.cStride));
  });
}

namespace {

// Batch dimensions of one operand against the output's.
struct Broadcast {
  const Tensor* operand;
  const Tensor* out;
};

int64_t broadcastOffset(const Broadcast& broadcast, int64_t index) {
  const Tensor& x = *broadcast.operand;
  const Tensor& out = *broadcast.out;
  int64_t offset = 0, step = x.dims[x.rank - 1] * x.dims[x.rank - 2];
  for (int d = out.rank - 3, e = x.rank - 3; d >= 0; d--, e--) {
    const int64_t at = index % out.dims[d];
    index /= out.dims[d];
    if (e < 0) continue;
    if (x.dims[e] != 1) offset += at * step;
    step *= x.dims[e];
  }
  return offset;
}

int64_t batchOf(const Tensor& x) {
  int64_t batch = 1;
  for (int d = 0; d < x.rank - 2; d++) batch *= x.dims[d];
  return batch;
}

struct Sizes {
  int64_t m, n, k, batch;
  bool aTransposed, bTransposed;
};

Sizes sizesOf(const Call& call) {
  const Tensor &a = call.in[0], &out = call.out[0];
  Sizes s;
  s.aTransposed = call.intCount > 0 && call.ints[0];
  s.bTransposed = call.intCount > 1 && call.ints[1];
  s.m = out.dims[out.rank - 2];
  s.n = out.dims[out.rank - 1];
  s.k = a.dims[a.rank - (s.aTransposed ? 2 : 1)];
  s.batch = batchOf(out);
  // One b for all: the batch is more rows of a.
  if (!s.aTransposed && s.batch > 1 && batchOf(call.in[1]) == 1 && batchOf(a) == s.batch) {
    s.m *= s.batch;
    s.batch = 1;
  }
  return s;
}

size_t matmulScratch(const Call& call) {
  if (call.out[0].dtype == DType::float64) return 0;
  const Sizes s = sizesOf(call);
  return gemmScratch(s.m, s.n, s.k, s.batch, s.bTransposed);
}

void runMatmul(const Call& call) {
  if (call.out[0].dtype == DType::float64) return matmulFloat64(call);
  const Sizes s = sizesOf(call);
  const Tensor &a = call.in[0], &b = call.in[1];
  GemmBatch batch;
  Gemm& g = batch.gemm;
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  g.a = a.as<float>();
  g.b = b.as<float>();
  g.c = call.out[0].as<float>();
  g.aTransposed = s.aTransposed;
  g.bTransposed = s.bTransposed;
  g.aStride = a.dims[a.rank - 1];
  g.bStride = b.dims[b.rank - 1];
  g.cStride = s.n;
  g.epilogue.bias = optionalFloats(call, 2);
  g.epilogue.residual = optionalFloats(call, 3);
  g.epilogue.mask = optionalFloats(call, 4);
  g.epilogue.activation = call.intCount > 2 ? Activation(call.ints[2]) : Activation::none;
  batch.batch = s.batch;
  batch.cStep = s.m * s.n;
  const Broadcast broadcasts[2] = {{&a, &call.out[0]}, {&b, &call.out[0]}};
  const int64_t aBatch = batchOf(a), bBatch = batchOf(b);
  if (aBatch == s.batch || aBatch == 1) batch.aStep = aBatch == 1 ? 0 : s.m * s.k;
  else batch.aAt = [](const void* c, int64_t i) { return broadcastOffset(static_cast<const Broadcast*>(c)[0], i); };
  if (bBatch == s.batch || bBatch == 1) batch.bStep = bBatch == 1 ? 0 : s.k * s.n;
  else batch.bAt = [](const void* c, int64_t i) { return broadcastOffset(static_cast<const Broadcast*>(c)[1], i); };
  batch.context = broadcasts;
  gemm(batch, *call.pool, call.scratch);
}

}  // namespace

// Where matrix `index` of the output finds its operands; shared with the float64 path.
int64_t matmulOperandOffset(const Tensor& operand, const Tensor& out, int64_t index) {
  return broadcastOffset({&operand, &out}, index);
}

}  // namespace fathom::FATHOM_ISA

KERNELS(matmul, {{"matmul", runMatmul, matmulScratch}})

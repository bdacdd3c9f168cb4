// Fused elementwise chains: one micro-program runs over blocks of a few hundred elements that stay in the first-level
// cache. Inputs of the class's own type that need no broadcasting are read where they are, outputs written where they
// belong; all else passes through registers, which are blocks of private memory.
#include "elementwise.h"

#include "elementwise_math.h"
#include "philox.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kBlock = 512;  // a multiple of 4 · kPhiloxLanes, so that a block begins at a whole counter
constexpr int kMostInputs = 64;

// How an input is found: its strides over the outputs' dimensions, adjacent ones merged where they can be.
struct Access {
  enum Kind { contiguous, scalar, repeated, general } kind;
  int rank = 0;
  int64_t dims[kMaxRank];
  int64_t strides[kMaxRank];
};

Access accessOf(const Tensor& x, const Tensor& out) {
  Access access;
  int64_t stride = 1, strides[kMaxRank];
  for (int d = out.rank - 1, e = x.rank - 1; d >= 0; d--, e--) {
    const int64_t size = e >= 0 ? x.dims[e] : 1;
    strides[d] = size == 1 ? 0 : stride;
    stride *= size;
  }
  for (int d = 0; d < out.rank; d++) {
    if (out.dims[d] == 1) continue;
    const int last = access.rank - 1;
    if (last >= 0 && access.strides[last] == strides[d] * out.dims[d]) {
      access.dims[last] *= out.dims[d];
      access.strides[last] = strides[d];
    } else {
      access.dims[access.rank] = out.dims[d];
      access.strides[access.rank++] = strides[d];
    }
  }
  if (access.rank == 0 || (access.rank == 1 && access.strides[0] == 0)) access.kind = Access::scalar;
  else if (access.rank == 1) access.kind = Access::contiguous;
  else if (access.rank == 2 && access.strides[0] == 0) access.kind = Access::repeated;
  else access.kind = Access::general;
  return access;
}

template <class T, class S> void convert(T* to, const S* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<T>(from[i]);
}
template <class T> void convertBfloat16(T* to, const uint16_t* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    const uint32_t bits = uint32_t{from[i]} << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    to[i] = static_cast<T>(value);
  }
}
// Through local pointers: what is read through the tensor would be read again after each element.
template <class T> void convertBool(T* to, const uint8_t* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = static_cast<T>(from[i] != 0 ? 1 : 0);
}
// n adjacent elements of x from `at` on.
template <class T> void readRun(T* to, const Tensor& x, int64_t at, int64_t n) {
  switch (x.dtype) {
    case DType::float32: return convert(to, x.as<float>() + at, n);
    case DType::float64: return convert(to, x.as<double>() + at, n);
    case DType::int32: return convert(to, x.as<int32_t>() + at, n);
    case DType::uint8: return convert(to, x.as<uint8_t>() + at, n);
    case DType::bool8: return convertBool(to, x.as<uint8_t>() + at, n);
    case DType::int64: return convert(to, x.as<int64_t>() + at, n);
    case DType::bfloat16: return convertBfloat16(to, x.as<uint16_t>() + at, n);
  }
}

template <class T> void fill(T* to, T value, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = value;
}

// Elements [begin, begin + n) of x as the outputs' shape sees it.
template <class T> void readBlock(T* to, const Tensor& x, const Access& access, int64_t begin, int64_t n) {
  if (access.kind == Access::contiguous) return readRun(to, x, begin, n);
  if (access.kind == Access::repeated) {
    const int64_t period = access.dims[1];
    int64_t at = begin % period, done = 0;
    while (done < n && done < period) {
      const int64_t run = lesser(lesser(period - at, n - done), period - done);
      readRun(to + done, x, at, run);
      done += run;
      at = 0;
    }
    for (; done < n; done++) to[done] = to[done - period];
    return;
  }
  int64_t index[kMaxRank], offset = 0;
  for (int d = access.rank - 1, rest = 0; d >= rest; d--) {
    index[d] = begin % access.dims[d];
    begin /= access.dims[d];
    offset += index[d] * access.strides[d];
  }
  const int inner = access.rank - 1;
  for (int64_t done = 0; done < n;) {
    const int64_t run = lesser(access.dims[inner] - index[inner], n - done);
    if (access.strides[inner] == 0) {
      T value;
      readRun(&value, x, offset, 1);
      fill(to + done, value, run);
    } else {
      readRun(to + done, x, offset, run);  // a dense tensor's innermost stride is 0 or 1
    }
    done += run;
    offset += run * access.strides[inner];
    index[inner] += run;
    for (int d = inner; d > 0 && index[d] == access.dims[d]; d--) {
      offset += access.strides[d - 1] - access.dims[d] * access.strides[d];
      index[d] = 0;
      index[d - 1]++;
    }
  }
}

// Towards zero, saturating; NaN gives 0.
template <class I> inline I saturate(double x, double low, double high) {
  if (x != x) return 0;
  return static_cast<I>(x < low ? low : (x > high ? high : x));
}

template <class T> void writeBlock(Tensor& y, int64_t at, const T* from, int64_t n) {
  switch (y.dtype) {
    case DType::float32: return convert(y.as<float>() + at, from, n);
    case DType::float64: return convert(y.as<double>() + at, from, n);
    case DType::int32: {
      int32_t* to = y.as<int32_t>() + at;
      for (int64_t i = 0; i < n; i++) to[i] = saturate<int32_t>(static_cast<double>(from[i]), -2147483648.0, 2147483647.0);
      return;
    }
    case DType::uint8: {
      uint8_t* to = y.as<uint8_t>() + at;
      for (int64_t i = 0; i < n; i++) to[i] = saturate<uint8_t>(static_cast<double>(from[i]), 0, 255);
      return;
    }
    case DType::bool8: {
      uint8_t* to = y.as<uint8_t>() + at;
      for (int64_t i = 0; i < n; i++) to[i] = from[i] != 0 ? 1 : 0;
      return;
    }
    case DType::int64:
      for (int64_t i = 0; i < n; i++) {
        const double x = static_cast<double>(from[i]);
        y.as<int64_t>()[at + i] = x >= 9223372036854775808.0 ? INT64_MAX : saturate<int64_t>(x, -9223372036854775808.0, 9.3e18);
      }
      return;
    case DType::bfloat16: {
      uint16_t* to = y.as<uint16_t>() + at;
      for (int64_t i = 0; i < n; i++) {
        const float value = static_cast<float>(from[i]);
        uint32_t bits;
        std::memcpy(&bits, &value, 4);
        const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
        to[i] = static_cast<uint16_t>(value == value ? rounded : (bits >> 16 | 0x40));
      }
      return;
    }
  }
}

template <class L, class F> inline void map1(typename L::T* d, const typename L::T* a, int64_t n, F f) {
  int64_t i = 0;
  for (; i + L::lanes <= n; i += L::lanes) L::store(d + i, f(L::load(a + i)));
  if (i < n) L::storeSome(d + i, f(L::loadSome(a + i, n - i)), n - i);
}
template <class L, class F>
inline void map2(typename L::T* d, const typename L::T* a, const typename L::T* b, int64_t n, F f) {
  int64_t i = 0;
  for (; i + L::lanes <= n; i += L::lanes) L::store(d + i, f(L::load(a + i), L::load(b + i)));
  if (i < n) L::storeSome(d + i, f(L::loadSome(a + i, n - i), L::loadSome(b + i, n - i)), n - i);
}

void randomBlock(float* to, int64_t begin, int64_t n, const PhiloxKey& key, bool normal) {
  alignas(64) uint32_t words[4 * kPhiloxLanes];
  alignas(64) float values[4 * kPhiloxLanes], radius[2 * kPhiloxLanes], turn[2 * kPhiloxLanes];
  for (int64_t done = 0; done < n; done += 4 * kPhiloxLanes) {
    philox(static_cast<uint64_t>(begin + done) / 4, key, words);
    for (int i = 0; i < 4 * kPhiloxLanes; i++)
      values[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8)) * 5.9604644775390625e-8f;
    if (normal) {
      for (int i = 0; i < 2 * kPhiloxLanes; i++) {
        radius[i] = 1.0f - values[2 * i];
        turn[i] = values[2 * i + 1] * 4.0f;
      }
      for (int i = 0; i < 2 * kPhiloxLanes; i += kLanes) {
        store(radius + i, maths::sqrt(-2.0f * log(load(radius + i))));
        // A whole turn is four quadrants, so the reduction is exact.
        const vf quadrants = load(turn + i), whole = maths::round(quadrants);
        const vf angle = (quadrants - whole) * 1.57079632679489662f;
        const vi quadrant = __builtin_convertvector(whole, vi);
        alignas(64) float cosine[kLanes], sine[kLanes];
        store(cosine, maths::sineOf(angle, quadrant + 1));
        store(sine, maths::sineOf(angle, quadrant));
        for (int j = 0; j < kLanes; j++) {
          values[2 * (i + j)] = radius[i + j] * cosine[j];
          values[2 * (i + j) + 1] = radius[i + j] * sine[j];
        }
      }
    }
    std::memcpy(to + done, values, sizeof(float) * static_cast<size_t>(lesser(4 * kPhiloxLanes, n - done)));
  }
}
void randomBlock(double* to, int64_t begin, int64_t n, const PhiloxKey& key, bool normal) {
  float block[kBlock];
  randomBlock(block, begin, n, key, normal);
  convert(to, block, n);
}

template <class L>
void execute(Micro op, typename L::T* d, const typename L::T* a, const typename L::T* b, const typename L::T* c, int64_t n) {
  using V = typename L::V;
  const V one = L::splat(1), zero = L::splat(0);
  switch (op) {
#define UNARY(name, ...) \
  case Micro::name: return map1<L>(d, a, n, [=](V x) -> V { return __VA_ARGS__; });
#define BINARY(name, ...) \
  case Micro::name: return map2<L>(d, a, b, n, [=](V x, V y) -> V { return __VA_ARGS__; });
    UNARY(identity, x)
    UNARY(neg, -x)
    UNARY(abs, maths::abs(x))
    UNARY(sign, x > 0 ? one : (x < 0 ? -one : x))
    UNARY(exp, maths::exp(x))
    UNARY(expm1, maths::expm1(x))
    UNARY(log, maths::log(x))
    UNARY(log1p, maths::log1p(x))
    UNARY(sqrt, maths::sqrt(x))
    UNARY(rsqrt, one / maths::sqrt(x))
    UNARY(reciprocal, one / x)
    UNARY(square, x * x)
    UNARY(sin, maths::sin(x))
    UNARY(cos, maths::cos(x))
    UNARY(tanh, maths::tanh(x))
    UNARY(sigmoid, maths::sigmoid(x))
    UNARY(softplus, maths::softplus(x))
    UNARY(relu, x < 0 ? zero : x)
    UNARY(erf, maths::erf(x))
    UNARY(floor, maths::floor(x))
    UNARY(ceil, maths::ceil(x))
    UNARY(round, maths::round(x))
    UNARY(logicalNot, x == 0 ? one : zero)
    UNARY(isNan, x != x ? one : zero)
    UNARY(truncate, maths::truncate(x))
    UNARY(toBool, x != 0 ? one : zero)
    case Micro::wrapInt32:
      for (int64_t i = 0; i < n; i++) d[i] = static_cast<typename L::T>(toInt32(static_cast<double>(a[i])));
      return;
    case Micro::wrapUint8:
      for (int64_t i = 0; i < n; i++)
        d[i] = static_cast<typename L::T>(static_cast<uint8_t>(toInt32(static_cast<double>(a[i]))));
      return;
    case Micro::toFloat32:
      for (int64_t i = 0; i < n; i++) d[i] = static_cast<typename L::T>(static_cast<float>(a[i]));
      return;
    BINARY(add, x + y)
    BINARY(sub, x - y)
    BINARY(mul, x * y)
    BINARY(div, x / y)
    BINARY(pow, maths::pow(x, y))
    BINARY(maximum, x != x ? x : (x > y ? x : y))
    BINARY(minimum, x != x ? x : (x < y ? x : y))
    BINARY(equal, x == y ? one : zero)
    BINARY(notEqual, x != y ? one : zero)
    BINARY(less, x < y ? one : zero)
    BINARY(lessEqual, x <= y ? one : zero)
    BINARY(greater, x > y ? one : zero)
    BINARY(greaterEqual, x >= y ? one : zero)
    BINARY(logicalAnd, x != 0 ? (y != 0 ? one : zero) : zero)
    BINARY(logicalOr, x != 0 ? one : (y != 0 ? one : zero))
    case Micro::mulInt32:
      for (int64_t i = 0; i < n; i++)
        d[i] = static_cast<typename L::T>(static_cast<int32_t>(
            static_cast<uint32_t>(toInt32(static_cast<double>(a[i]))) * static_cast<uint32_t>(toInt32(static_cast<double>(b[i])))));
      return;
    case Micro::where: {
      int64_t i = 0;
      for (; i + L::lanes <= n; i += L::lanes)
        L::store(d + i, L::load(a + i) != 0 ? L::load(b + i) : L::load(c + i));
      if (i < n)
        L::storeSome(d + i, L::loadSome(a + i, n - i) != 0 ? L::loadSome(b + i, n - i) : L::loadSome(c + i, n - i), n - i);
      return;
    }
    default: return;
#undef UNARY
#undef BINARY
  }
}

int64_t weightOf(Micro op) {
  switch (op) {
    case Micro::pow: return 40;
    case Micro::sin: case Micro::cos: case Micro::randomUniform: case Micro::randomNormal: return 12;
    case Micro::exp: case Micro::expm1: case Micro::log: case Micro::log1p: case Micro::tanh: case Micro::sigmoid:
    case Micro::softplus: case Micro::erf: return 8;
    default: return 1;
  }
}

template <class L> void run(const Call& call) {
  using T = typename L::T;
  constexpr DType kOwn = sizeof(T) == 4 ? DType::float32 : DType::float64;
  const int constants = static_cast<int>(call.ints[1]), ops = static_cast<int>(call.ints[3]);
  const int firstOutput = call.inCount + constants, firstTemporary = firstOutput + call.outCount;
  const int operands = firstTemporary + static_cast<int>(call.ints[2]);
  const int64_t* program = call.ints + kMicroHeader;
  const int64_t size = call.out[0].size();

  Access accesses[kMostInputs];
  for (int i = 0; i < call.inCount; i++) accesses[i] = accessOf(call.in[i], call.out[0]);
  int64_t weight = call.inCount + call.outCount;
  int writtenAt[kMostOperands], readLast[kMostOperands];
  for (int i = 0; i < operands; i++) writtenAt[i] = readLast[i] = -1;
  for (int i = 0; i < ops; i++) {
    const int64_t* it = program + i * kMicroInts;
    const Micro op = static_cast<Micro>(it[0]);
    weight += weightOf(op);
    if (writtenAt[it[1]] < 0) writtenAt[it[1]] = i;
    for (int j = 0; j < operandsOf(op); j++) readLast[it[2 + j]] = i;
  }
  // An output is computed in place unless its type differs, or it lies over an input that is still to be read.
  bool direct[kMostOperands];
  for (int j = 0; j < call.outCount; j++) {
    direct[j] = call.out[j].dtype == kOwn && reinterpret_cast<uintptr_t>(call.out[j].data) % sizeof(T) == 0;
    for (int i = 0; i < call.inCount; i++)
      if (call.in[i].data == call.out[j].data && readLast[i] > writtenAt[firstOutput + j]) direct[j] = false;
  }

  // What is read or written as it lies, each array once.
  const T* stream[kMostOperands];
  int streams = 0;
  const auto follow = [&](const Tensor& x) {
    for (int i = 0; i < streams; i++)
      if (stream[i] == x.data) return;
    stream[streams++] = x.as<T>();
  };
  for (int i = 0; i < call.inCount; i++)
    if (call.in[i].dtype == kOwn && accesses[i].kind == Access::contiguous) follow(call.in[i]);
  for (int j = 0; j < call.outCount; j++)
    if (direct[j]) follow(call.out[j]);

  const int64_t chunk = greater(kBlock, lesser(32 * kBlock, ((1 << 18) / weight) / kBlock * kBlock));
  call.pool->run(ceilDiv(size, chunk), [&](int64_t block, int thread) {
    T* memory = reinterpret_cast<T*>(call.pool->scratch(thread));
    T* at[kMostOperands];
    for (int i = 0; i < call.inCount; i++) {
      at[i] = memory + i * kBlock;
      if (accesses[i].kind != Access::scalar) continue;
      T value;
      readRun(&value, call.in[i], 0, 1);
      fill(at[i], value, lesser(kBlock, size));
    }
    for (int i = 0; i < constants; i++) {
      at[call.inCount + i] = memory + (call.inCount + i) * kBlock;
      fill(at[call.inCount + i], static_cast<T>(call.floats[i]), lesser(kBlock, size));
    }
    for (int i = firstOutput; i < operands; i++) at[i] = memory + i * kBlock;

    const int64_t end = lesser(size, (block + 1) * chunk);
    for (int64_t begin = block * chunk; begin < end; begin += kBlock) {
      const int64_t n = lesser(kBlock, end - begin);
      for (int i = 0; i < call.inCount; i++) {
        const Access& access = accesses[i];
        if (access.kind == Access::scalar) continue;
        const Tensor& x = call.in[i];
        if (x.dtype == kOwn && access.kind == Access::contiguous) {
          at[i] = x.as<T>() + begin;
          continue;
        }
        if (x.dtype == kOwn && access.kind == Access::repeated) {
          const int64_t from = begin % access.dims[1];
          if (from + n <= access.dims[1]) {
            at[i] = x.as<T>() + from;
            continue;
          }
        }
        at[i] = memory + i * kBlock;
        readBlock(at[i], x, access, begin, n);
      }
      for (int j = 0; j < call.outCount; j++)
        if (direct[j]) at[firstOutput + j] = call.out[j].as<T>() + begin;
      // So many streams a little at a time are more than the processor foresees.
      if (begin + kBlock < end)
        for (int i = 0; i < streams; i++)
          for (int64_t at = begin + kBlock; at < begin + 2 * kBlock; at += 64 / static_cast<int64_t>(sizeof(T)))
            __builtin_prefetch(stream[i] + at, 1, 3);
      for (int i = 0; i < ops; i++) {
        const int64_t* it = program + i * kMicroInts;
        const Micro op = static_cast<Micro>(it[0]);
        if (op == Micro::randomUniform || op == Micro::randomNormal) {
          const PhiloxKey key{static_cast<uint32_t>(call.in[it[2]].template as<int32_t>()[0]), static_cast<uint32_t>(it[7]),
                              static_cast<uint32_t>(it[5]), static_cast<uint32_t>(it[6])};
          randomBlock(at[it[1]], begin, n, key, op == Micro::randomNormal);
        } else {
          execute<L>(op, at[it[1]], at[it[2]], at[it[3]], at[it[4]], n);
        }
      }
      for (int j = 0; j < call.outCount; j++)
        if (!direct[j]) writeBlock(call.out[j], begin, at[firstOutput + j], n);
    }
  });
}

void elementwise(const Call& call) {
  if (call.ints[0] == 0) run<Single>(call);
  else run<Double>(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(elementwise, {{"elementwise", elementwise, nullptr}})

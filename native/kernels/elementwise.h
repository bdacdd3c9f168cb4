// The micro-programs of the elementwise kernel, shared by the kernel and its check.
//
// ints   {class, constants, temporaries, ops, then for each op: op, destination, a, b, c, seed low, seed high, stream}
//        class 0 computes in float32, 1 in float64 (which holds int32 exactly)
// floats the constants
// Operands are numbered: inputs, constants, outputs, temporaries. An operation's destination is an output or a
// temporary; operands that it does not use are 0. Inputs broadcast to the shape of the outputs; all outputs have one
// shape. Inputs are converted when they are read, outputs when they are written.
#pragma once
#include <cstdint>

namespace fathom {

enum class Micro : int64_t {
  identity, neg, abs, sign, exp, expm1, log, log1p, sqrt, rsqrt, reciprocal, square, sin, cos, tanh, sigmoid, softplus,
  relu, erf, floor, ceil, round, logicalNot, isNan, truncate, toBool, wrapInt32, wrapUint8, toFloat32,
  add, sub, mul, div, pow, maximum, minimum, equal, notEqual, less, lessEqual, greater, greaterEqual, logicalAnd, logicalOr,
  mulInt32,  // exact modulo 2^32, which a product in float64 is not
  where,
  // a: the step, an input of one element; the key is seed and stream, which other ops leave 0
  randomUniform, randomNormal,
  count
};

inline constexpr int kMicroHeader = 4;
inline constexpr int kMicroInts = 8;  // op, destination, a, b, c, seed low, seed high, stream
inline constexpr int kMostOperands = 256;
inline constexpr int kMostMicroOps = 1024;

inline int operandsOf(Micro op) {
  if (op < Micro::add) return 1;
  if (op < Micro::where) return 2;
  return op == Micro::where ? 3 : 1;
}

}  // namespace fathom

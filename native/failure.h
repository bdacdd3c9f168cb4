// What native code throws; the addon turns it into a JavaScript error with the same fields.
#pragma once
#include <string>
#include <utility>

namespace fathom {

struct Failure {
  const char* code;  // "PROGRAM": the encoding is not valid; "SHAPE"; "MEMORY"; "CANCELLED"; "NATIVE"
  std::string message;
};

[[noreturn]] inline void fail(const char* code, std::string message) { throw Failure{code, std::move(message)}; }

}  // namespace fathom

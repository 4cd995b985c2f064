//===- CudaNames.cpp - what is a name in CUDA C++ -------------------------===//

#include "dialect/GsaTile/CudaNames.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// Words of C++20, and macros or names that CUDA or the host's C library give
/// to every program.
static const llvm::StringSet<>& getReservedWords() {
  static const llvm::StringSet<> words = {
      "alignas",       "alignof",     "and",
      "and_eq",        "asm",         "auto",
      "bitand",        "bitor",       "bool",
      "break",         "case",        "catch",
      "char",          "char8_t",     "char16_t",
      "char32_t",      "class",       "compl",
      "concept",       "const",       "consteval",
      "constexpr",     "constinit",   "const_cast",
      "continue",      "co_await",    "co_return",
      "co_yield",      "decltype",    "default",
      "delete",        "do",          "double",
      "dynamic_cast",  "else",        "enum",
      "explicit",      "export",      "extern",
      "false",         "float",       "for",
      "friend",        "goto",        "if",
      "inline",        "int",         "long",
      "mutable",       "namespace",   "new",
      "noexcept",      "not",         "not_eq",
      "nullptr",       "operator",    "or",
      "or_eq",         "private",     "protected",
      "public",        "register",    "reinterpret_cast",
      "requires",      "return",      "short",
      "signed",        "sizeof",      "static",
      "static_assert", "static_cast", "struct",
      "switch",        "template",    "this",
      "thread_local",  "throw",       "true",
      "try",           "typedef",     "typeid",
      "typename",      "union",       "unsigned",
      "using",         "virtual",     "void",
      "volatile",      "wchar_t",     "while",
      "xor",           "xor_eq",      "gsa",
      "std",           "main",        "blockIdx",
      "blockDim",      "threadIdx",   "gridDim",
      "warpSize",      "assert",      "errno",
      "EOF",           "INFINITY",    "NAN",
      "NULL",          "unix",        "linux"};
  return words;
}

/// Names of the device headers that the printer uses beside those of ops, and
/// functions of C that scalar ops print as (without the suffix f).
static const llvm::StringSet<>& getDeviceWords() {
  static const llvm::StringSet<> words = {
      "abs",         "acc",           "acos",         "activation",
      "asin",        "atan",          "atan2",        "bf16",
      "bit_cast",    "cbrt",          "ceil",         "ceil_div",
      "convert_to",  "copysign",      "cos",          "cos_f64",
      "cosh",        "dev",           "erf",          "erfc",
      "exp",         "exp2",          "expm1",        "f16",
      "fabs",        "first_element", "floor",        "floor_div",
      "fma",         "fmax",          "fmin",         "fmod",
      "frag",        "frag_layout",   "in_team",      "indices",
      "infinity",    "quiet_nan",     "isfinite",     "isinf",
      "isnan",       "lanes",         "lhs",          "linear",
      "log",         "log10",         "log1p",        "log2",
      "max",         "maximum",       "min",          "minimum",
      "nan",         "next_element",  "swizzle_128b", "pow",
      "ring",        "ring_cursor",   "rint",         "round",
      "rowvec",      "rsqrt",         "sin",          "sin_f64",
      "sinh",        "sizes",         "smem",         "smem_layout",
      "smem_stages", "sqrt",          "swizzle",      "tan",
      "tanh",        "team",          "tensor_map",   "to_bf16",
      "to_f16",      "to_float",      "trunc",        "wgmma"};
  return words;
}

/// An op prints as a call of the function of its mnemonic's name.
static bool isDeviceFunction(MLIRContext* context, StringRef name) {
  return RegisteredOperationName::lookup(("gsa_tile." + name).str(), context)
      .has_value();
}

bool gsa_tile::isLegalCudaName(MLIRContext* context, StringRef name) {
  auto isWord = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  if (name.empty() || llvm::isDigit(name.front()) ||
      !llvm::all_of(name, isWord))
    return false;
  // Names with __ belong to the compiler.
  if (name.contains("__") || name.starts_with("_")) return false;
  StringRef stem = name;
  stem.consume_back("f");
  return !getReservedWords().contains(name) &&
         !getDeviceWords().contains(name) && !getDeviceWords().contains(stem) &&
         !isDeviceFunction(context, name);
}

bool gsa_tile::isLegalKernelName(MLIRContext* context, StringRef name) {
  // Declared by <stdlib.h>, <string.h>, <unistd.h> and what they include, with
  // which the emulation compiles.
  static const llvm::StringSet<> functions = {
      "abort",  "access",   "alarm",   "atoi",   "basename", "bind",
      "brk",    "bsearch",  "calloc",  "chdir",  "clock",    "close",
      "crypt",  "daemon",   "div",     "dup",    "exit",     "fork",
      "free",   "gamma",    "getenv",  "index",  "kill",     "link",
      "listen", "malloc",   "memcpy",  "memset", "nice",     "open",
      "pause",  "pipe",     "printf",  "qsort",  "raise",    "rand",
      "random", "read",     "realloc", "remove", "rename",   "rindex",
      "sbrk",   "select",   "send",    "setenv", "shutdown", "signal",
      "sleep",  "srand",    "stat",    "strlen", "swab",     "system",
      "time",   "truncate", "unlink",  "wait",   "write",    "y0",
      "y1",     "yn",       "j0",      "j1",     "jn"};
  return isLegalCudaName(context, name) && !functions.contains(name);
}

std::string gsa_tile::sanitizeCudaName(StringRef hint) {
  std::string name;
  for (char c : hint) {
    char clean = llvm::isAlnum(c) ? c : '_';
    if (clean == '_' && (name.empty() || name.back() == '_')) continue;
    name += clean;
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty()) return "v";
  return llvm::isDigit(name.front()) ? "v" + name : name;
}

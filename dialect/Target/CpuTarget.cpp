//===- CpuTarget.cpp - what a processor offers ----------------------------===//

#include "dialect/Target/CpuTarget.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::gsa;

static constexpr llvm::StringLiteral kPrefix = "cpu";

// Rates of bench/results/cpu.jsonl, of two threads, over two and over 3.7 GHz:
// multiply-adds and exponentials of f32, reads.
static constexpr CpuRates kZen4 = {
    "AMD EPYC (Zen 4)", true, 3.7, 1, 1, 4, 14, 31, 26, 6, 1 << 20, 32 << 20};

bool mlir::gsa::isVectorWidth(int64_t bits) {
  return bits >= 32 && bits <= 2048 && llvm::isPowerOf2_64(bits);
}

std::string CpuTarget::arch() const {
  return kPrefix.str() + std::to_string(vectorBits);
}

CpuRates CpuTarget::rates() const {
  CpuRates rates = kZen4;
  if (vectorBits == 512) return rates;
  // Units are 256 bits wide: narrower vectors are twice as many a clock.
  rates.isMeasured = false;
  if (vectorBits < 512) {
    rates.fma = rates.loads = 2;
    rates.expClocks /= 2;
  }
  return rates;
}

std::optional<CpuTarget> mlir::gsa::findCpuTarget(llvm::StringRef arch) {
  int64_t bits;
  if (!arch.consume_front(kPrefix) || arch.empty() ||
      !llvm::all_of(arch, llvm::isDigit) || arch.front() == '0' ||
      arch.getAsInteger(10, bits) || !isVectorWidth(bits))
    return std::nullopt;
  return CpuTarget{1, bits};
}

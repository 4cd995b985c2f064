//===- Numbers.cpp - numbers on command lines -----------------------------===//

#include "tools/common/Numbers.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace gsa {

std::string quoteArgument(const std::string& text) {
  constexpr size_t kLongest = 40;
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(text.substr(0, kLongest)),
                      text.size() > kLongest ? "..." : "", "'");
}

absl::StatusOr<uint64_t> parseWholeNumber(const std::string& text, uint64_t low,
                                          uint64_t high) {
  uint64_t value = 0;
  const bool isDigits =
      !text.empty() && std::all_of(text.begin(), text.end(),
                                   [](char c) { return c >= '0' && c <= '9'; });
  const bool isPadded = isDigits && text.size() > 1 && text[0] == '0';
  if (isDigits && !isPadded && absl::SimpleAtoi(text, &value) && value >= low &&
      value <= high)
    return value;
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a whole number from ", low, " to ", high,
      isPadded ? " without leading zeros" : "", ", got ", quoteArgument(text)));
}

absl::StatusOr<double> parsePositiveNumber(const std::string& text) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && std::isfinite(value) && value > 0)
    return value;
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a finite number above 0, got ", quoteArgument(text)));
}

}  // namespace gsa

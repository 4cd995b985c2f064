// -----------------------------------------------------------------------------
// File: nearest_name.cc
// -----------------------------------------------------------------------------

#include "runtime/core/nearest_name.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

constexpr size_t kMaxScanned = 20000;
constexpr size_t kMaxLength = 256;
// What is cut short is meant from this length on.
constexpr size_t kMinPrefix = 3;

// Levenshtein distance, or `limit` + 1 where it is larger.
size_t EditDistance(absl::string_view a, absl::string_view b, size_t limit) {
  const size_t length_gap =
      a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (length_gap > limit) return limit + 1;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    size_t best = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      best = std::min(best, row[j]);
    }
    if (best > limit) return limit + 1;
  }
  return row[b.size()];
}

std::vector<absl::string_view> Nearest(
    absl::string_view name, const std::vector<absl::string_view>& candidates,
    size_t limit, size_t count) {
  if (name.empty() || name.size() > kMaxLength) return {};
  const std::string lower = absl::AsciiStrToLower(name);
  // Of equally near names the one that goes on where this one stops.
  std::vector<std::tuple<size_t, bool, absl::string_view>> near;
  for (size_t i = 0; i < std::min(candidates.size(), kMaxScanned); ++i) {
    const bool extends = absl::StartsWithIgnoreCase(candidates[i], name);
    // Another case is a slip of its own, however many letters have it.
    size_t distance = EditDistance(name, candidates[i], limit);
    if (candidates[i].size() <= kMaxLength) {
      const std::string other = absl::AsciiStrToLower(candidates[i]);
      distance = std::min(distance, 1 + EditDistance(lower, other, limit));
    }
    if (distance > limit && extends && name.size() >= kMinPrefix) {
      distance = limit;
    }
    if (distance <= limit) near.push_back({distance, !extends, candidates[i]});
  }
  std::sort(near.begin(), near.end());
  near.resize(std::min(near.size(), count));
  std::vector<absl::string_view> names;
  for (const auto& entry : near) names.push_back(std::get<2>(entry));
  return names;
}

}  // namespace

std::vector<absl::string_view> NearestNames(
    absl::string_view name, const std::vector<absl::string_view>& candidates,
    size_t count) {
  return Nearest(name, candidates, std::max<size_t>(2, name.size() / 2), count);
}

std::string DidYouMean(absl::string_view name,
                       const std::vector<absl::string_view>& candidates) {
  const std::vector<absl::string_view> near =
      Nearest(name, candidates, std::max<size_t>(2, name.size() / 3), 1);
  if (near.empty()) return "";
  return absl::StrCat("; did you mean '", absl::CHexEscape(near.front()), "'?");
}

}  // namespace gsa

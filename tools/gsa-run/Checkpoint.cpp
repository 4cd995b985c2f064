//===- Checkpoint.cpp - what a checkpoint is that cannot be read ----------===//

#include "tools/gsa-run/Checkpoint.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace gsa {
namespace {

/// The index of a checkpoint has a line per tensor: some megabytes at most.
constexpr std::uintmax_t kMaxIndexBytes = 64 << 20;

/// The files that an index names, of the tensors with `prefix`; none if `json`
/// is no index.
std::set<std::string> filesOfIndex(const nlohmann::json& json,
                                   const std::string& prefix) {
  std::set<std::string> files;
  if (!json.is_object() || !json.contains("weight_map")) return files;
  const nlohmann::json& map = json.at("weight_map");
  if (!map.is_object()) return files;
  for (const auto& [name, file] : map.items())
    if (absl::StartsWith(name, prefix) && file.is_string())
      files.insert(file.get<std::string>());
  return files;
}

absl::Status explainIndex(const std::string& path, const absl::Status& status,
                          const std::optional<std::string>& prefix) {
  std::ifstream file(path, std::ios::binary);
  const nlohmann::json json =
      nlohmann::json::parse(file, /*cb=*/nullptr, /*allow_exceptions=*/false);
  std::set<std::string> files = filesOfIndex(json, prefix.value_or(""));
  if (files.empty()) files = filesOfIndex(json, "");
  if (files.empty()) return status;
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": is the index of a checkpoint, without tensors; expected ",
      "--inputs for each file that it names",
      prefix && !prefix->empty() ? " with tensors of --prefix" : "", ": ",
      listNames({files.begin(), files.end()})));
}

}  // namespace

std::string listNames(const std::vector<std::string>& names) {
  constexpr size_t kLongest = 8;
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(names.size(), kLongest); ++i)
    shown.push_back(QuoteName(names[i]));
  std::string text = absl::StrJoin(shown, ", ");
  if (names.size() > kLongest)
    absl::StrAppend(&text, " and ", names.size() - kLongest, " more");
  return text;
}

absl::Status explainFile(const std::string& path, const absl::Status& status,
                         const std::optional<std::string>& prefix) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return status;
  std::string start(4, '\0');
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  if (start[0] == '{') {
    const std::uintmax_t size = std::filesystem::file_size(path, failed);
    if (failed || size > kMaxIndexBytes) return status;
    return explainIndex(path, status, prefix);
  }
  const char* kind =
      absl::StartsWith(start, "PK\3\4") || absl::StartsWith(start, "\x80\2")
          ? "a checkpoint of PyTorch (.bin, .pt)"
      : start == "GGUF" ? "a GGUF file"
                        : nullptr;
  if (!kind) return status;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": is ", kind, ", expected a safetensors file"));
}

bool isPartOfQuantised(const std::string& name, const std::string& weight) {
  // GPTQ and AWQ; compressed-tensors and fp8; bitsandbytes.
  static const char* const endings[] = {"qweight",          "qzeros",
                                        "scales",           "g_idx",
                                        "weight_packed",    "weight_scale",
                                        "weight_scale_inv", "weight_zero_point",
                                        "weight.absmax",    "weight.quant_map"};
  absl::string_view module = weight;
  if (!absl::ConsumeSuffix(&module, "weight")) return false;
  return std::any_of(std::begin(endings), std::end(endings),
                     [&](const char* ending) {
                       const std::string part = absl::StrCat(module, ending);
                       return name == part || absl::EndsWith(name, "." + part);
                     });
}

}  // namespace gsa

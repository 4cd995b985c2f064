//===- Summary.cc - what the cases of a process found ---------------------===//

#include "test/unit/differential/Summary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"

namespace gsa::differential {

Summary& Summary::Get() {
  static Summary summary;
  return summary;
}

void Summary::AddCase(const Spec& spec, const Findings& findings) {
  targets_.insert(spec.target);
  ++cases_;
  failures_ += !findings.errors.empty();
  rows_ += findings.rows;
  legal_rows_ += findings.legal_rows;
  for (const auto& [output, found] : findings.worst) {
    Worst& worst =
        worst_[{FamilyName(spec.family), DTypeName(spec.dtype), output}];
    worst.error = std::max(worst.error, found.relative_error);
    worst.fraction = std::max(worst.fraction, found.share_of_bound);
  }
}

void Summary::AddSchedules(const std::string& text, int64_t cases) {
  const std::string attribute = "#gsa.", ending = "_schedule<";
  std::set<std::string> names;
  for (size_t at = text.find(attribute); at != std::string::npos;
       at = text.find(attribute, at + 1)) {
    size_t begin = at + attribute.size(), end = text.find('<', begin);
    if (end == std::string::npos) break;
    std::string name = text.substr(begin, end + 1 - begin);
    if (absl::EndsWith(name, ending))
      names.insert(name.substr(0, name.size() - 1));
  }
  for (const std::string& name : names) AddFigure("schedule " + name, cases);
}

std::string Summary::Text() const {
  std::map<std::string, double> fractions;
  for (const auto& [key, worst] : worst_) {
    double& largest = fractions[std::get<0>(key)];
    largest = std::max(largest, worst.fraction);
  }
  return absl::StrCat(
      cases_, " cases of ", modules_, " modules, ", failures_, " failed; ",
      repeats_, " runs repeated; ", rows_, " rows selected, ", legal_rows_,
      " with keys exchanged within the bounds; largest error / bound: ",
      absl::StrJoin(fractions, " ", [](std::string* out, const auto& entry) {
        absl::StrAppendFormat(out, "%s %.3f", entry.first, entry.second);
      }));
}

namespace {

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// Entries "device", "arch" and "driver"; empty without a GPU.
std::string DeviceFields() {
  auto driver = DriverApi::Default();
  if (!driver.ok()) return "";
  auto device = GetDevice(**driver, 0);
  if (!device.ok()) return "";
  std::string fields = absl::StrCat("\"device\": ", Quoted(device->name),
                                    ", \"arch\": ", Quoted(device->arch), ", ");
  if (auto version = (*driver)->DriverGetVersion(); version.ok()) {
    absl::StrAppend(&fields, "\"driver\": \"CUDA ", *version / 1000, ".",
                    *version % 1000 / 10, "\", ");
  }
  return fields;
}

}  // namespace

std::string Summary::Json() const {
  std::vector<std::string> worst;
  for (const auto& [key, value] : worst_) {
    const auto& [op, dtype, output] = key;
    worst.push_back(absl::StrCat(
        "{\"op\": ", Quoted(op), ", \"dtype\": ", Quoted(dtype),
        ", \"output\": ", Quoted(output),
        absl::StrFormat(", \"relative_error\": %.3e, \"share_of_bound\": %.4f}",
                        value.error, value.fraction)));
  }
  std::vector<std::string> figures;
  for (const auto& [name, count] : figures_)
    figures.push_back(absl::StrCat(Quoted(name), ": ", count));
  const char* commit = std::getenv("GSA_COMMIT");
  return absl::StrCat(
      "{\"target\": ", Quoted(absl::StrJoin(targets_, ",")), ", ",
      targets_.count("cuda:0") ? DeviceFields() : "",
      "\"commit\": ", Quoted(commit == nullptr ? "" : commit),
      ", \"modules\": ", modules_, ", \"cases\": ", cases_,
      ", \"failures\": ", failures_, ", \"repeats\": ", repeats_,
      ", \"rows\": ", rows_, ", \"exchanged_rows\": ", legal_rows_,
      ",\n \"figures\": {", absl::StrJoin(figures, ", "), "}",
      ",\n \"worst\": [\n  ", absl::StrJoin(worst, ",\n  "), "]}\n");
}

namespace {

class Reporter : public ::testing::Environment {
 public:
  void TearDown() override {
    std::printf("[ CASES    ] %s\n", Summary::Get().Text().c_str());
    const char* path = std::getenv("GSA_SUMMARY");
    if (path == nullptr) return;
    std::ofstream file(path);
    file << Summary::Get().Json();
    file.close();
    EXPECT_TRUE(file.good()) << "cannot write " << path;
  }
};

// gtest owns it.
[[maybe_unused]] ::testing::Environment* const kReporter =
    ::testing::AddGlobalTestEnvironment(new Reporter);

}  // namespace
}  // namespace gsa::differential

// -----------------------------------------------------------------------------
// File: option_errors.cc
// -----------------------------------------------------------------------------

#include "runtime/option_errors.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "dialect/Target/CudaTarget.h"
#include "runtime/core/thread_pool.h"

namespace gsa {
namespace {

// "sm_75", "sm_100f": an architecture, known here or not.
bool IsNameOfArch(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "sm_")) return false;
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  text.remove_prefix(digits);
  return digits > 0 && (text.empty() || text == "a" || text == "f");
}

class Errors {
 public:
  void Add(absl::Status status) {
    if (!status.ok()) list_.push_back(std::move(status));
  }
  void AddInvalid(const std::string& message) {
    Add(absl::InvalidArgumentError(message));
  }
  std::vector<absl::Status> Take() { return std::move(list_); }

 private:
  std::vector<absl::Status> list_;
};

// Values that are wrong for every target.
void CheckValues(const CompileOptions& options, Errors* errors) {
  if (options.num_threads < 1 ||
      options.num_threads > ThreadPool::kMaxThreads) {
    errors->AddInvalid(absl::StrCat(
        "number of threads: expected 1 to ", ThreadPool::kMaxThreads, ", got ",
        options.num_threads,
        options.num_threads == 0 ? " (AvailableCpus() is one per CPU)" : ""));
  }
  if (options.opt_level < 0 || options.opt_level > 3) {
    errors->AddInvalid(absl::StrCat("optimisation level: expected 0 to 3, got ",
                                    options.opt_level));
  }
  const int bits = options.vector_bits;
  if (bits != 0 && bits != 128 && bits != 256 && bits != 512) {
    errors->AddInvalid(absl::StrCat(
        "vector width: expected 0 (the machine's), 128, 256 or 512 bits, got ",
        bits));
  }
}

void CheckUnused(bool given, const char* option, const std::string& value,
                 const Target& target, const char* why, Errors* errors) {
  if (!given) return;
  errors->AddInvalid(absl::StrCat(option, ": expected none for the target ",
                                  target.ToString(), ", ", why, ", got ",
                                  value));
}

// Options that have no effect on a target that was asked for.
void CheckEffect(const Target& target, const CompileOptions& options,
                 Errors* errors) {
  const bool cpu = target.kind == TargetKind::kCpu;
  CheckUnused(cpu && !options.arch.empty(), "architecture",
              absl::StrCat("'", options.arch, "'"), target,
              "which is of kernels for a GPU", errors);
  CheckUnused(target.kind != TargetKind::kCuda && !options.toolkit.only.empty(),
              "NVRTC", absl::StrCat("'", options.toolkit.only, "'"), target,
              "which it does not compile for", errors);
  CheckUnused(target.kind == TargetKind::kEmu && options.cache.enabled(),
              "cache", absl::StrCat("'", options.cache.directory, "'"), target,
              "whose programs a host compiler makes", errors);
  if (!cpu && !options.bounds.empty()) {
    errors->Add(absl::UnimplementedError(absl::StrCat(
        "bounds: a plan for the target ", target.ToString(),
        " is for one set of shapes, expected 'shapes' instead, or the target "
        "cpu; got bounds for '",
        options.bounds.begin()->first, "'")));
  }
  CheckUnused(target.kind != TargetKind::kCuda && !options.warm_up,
              "loading later", "it", target, "which loads nothing", errors);
  CheckUnused(options.reference && !options.schedule_database.empty(),
              "schedules", absl::StrCat("'", options.schedule_database, "'"),
              target, "whose definitions have none", errors);
  CheckUnused(!cpu && options.vector_bits != 0, "vector width",
              absl::StrCat(options.vector_bits, " bits"), target,
              "which is of the CPU's registers", errors);
}

}  // namespace

absl::Status CheckArch(const std::string& arch) {
  if (mlir::gsa::findCudaTarget(arch)) return absl::OkStatus();
  return absl::Status(
      IsNameOfArch(arch) ? absl::StatusCode::kUnimplemented
                         : absl::StatusCode::kInvalidArgument,
      absl::StrCat("architecture: ", mlir::gsa::explainUnknownTarget(arch)));
}

std::vector<absl::Status> OptionErrors(const Target& target,
                                       const CompileOptions& options) {
  Errors errors;
  CheckValues(options, &errors);
  const bool chosen = options.target == "auto";
  if (!chosen) CheckEffect(target, options, &errors);
  const bool cpu = target.kind == TargetKind::kCpu;
  if (!options.arch.empty() && (!cpu || chosen)) {
    errors.Add(CheckArch(options.arch));
  }
  if (options.reference && !cpu) {
    errors.Add(absl::UnimplementedError(absl::StrCat(
        "target ", target.ToString(),
        ": definitions instead of optimised loops are for the CPU")));
  }
  return errors.Take();
}

}  // namespace gsa

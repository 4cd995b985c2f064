// -----------------------------------------------------------------------------
// File: target.cc
// -----------------------------------------------------------------------------

#include "runtime/target.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// What a user may have meant, by the names that other programs use as well.
std::string NearestTarget(const std::string& text) {
  if (absl::StartsWithIgnoreCase(text, "gpu")) return "; did you mean 'cuda'?";
  const std::string kind = text.substr(0, text.find(':'));
  return DidYouMean(kind, {"cpu", "cuda", "emu", "auto"});
}

}  // namespace

std::string Target::ToString() const {
  switch (kind) {
    case TargetKind::kCpu:
      return "cpu";
    case TargetKind::kCuda:
      return absl::StrCat("cuda:", ordinal);
    case TargetKind::kEmu:
      return "emu";
  }
  return "";
}

absl::StatusOr<std::string> DeviceArch(int ordinal) {
  GSA_ASSIGN_OR_RETURN(const DriverApi* driver, DriverApi::Default());
  GSA_ASSIGN_OR_RETURN(DeviceInfo device, GetDevice(*driver, ordinal));
  return ArchOf(device.major, device.minor);
}

absl::Status CheckDevice(const Target& target, const std::string& arch) {
  GSA_ASSIGN_OR_RETURN(std::string present, DeviceArch(target.ordinal));
  if (arch.empty() || arch == present) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("architecture: expected ", present, ", that of ",
                   target.ToString(), ", or none, got '", arch, "'"));
}

absl::StatusOr<Target> ParseTarget(const std::string& text) {
  Target target;
  if (text.empty() || text == "cpu") return target;
  if (text == "emu") {
    target.kind = TargetKind::kEmu;
    return target;
  }
  if (text == "auto") {
    target.note = "auto";
    return target;
  }
  absl::string_view rest(text);
  if (absl::ConsumePrefix(&rest, "cuda")) {
    target.kind = TargetKind::kCuda;
    if (rest.empty()) return target;
    if (absl::ConsumePrefix(&rest, ":") && !rest.empty() && rest[0] != '-' &&
        rest[0] != '+' && absl::SimpleAtoi(rest, &target.ordinal)) {
      return target;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("target: expected 'cpu', 'cuda', 'cuda:<ordinal>', 'emu' or "
                   "'auto', got '",
                   text, "'", NearestTarget(text)));
}

}  // namespace gsa

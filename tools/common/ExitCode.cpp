//===- ExitCode.cpp - what the exit code of a tool says -------------------===//

#include "tools/common/ExitCode.h"

int gsa::exitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return kExitUsage;
    case absl::StatusCode::kUnimplemented:
      return kExitUnsupported;
    case absl::StatusCode::kUnavailable:
      return kExitDevice;
    default:
      return kExitFailure;
  }
}

//===- Comparison.cpp - a run against the float64 reference ---------------===//

#include "tools/gsa-run/Comparison.h"

namespace gsa {

absl::Status compareWithReference(const std::string&, const RunnerOptions&,
                                  const Plan&, const std::vector<HostTensor>&,
                                  const std::vector<HostTensor>&,
                                  const std::function<void(int64_t)>&,
                                  RunReport*) {
  return absl::UnimplementedError("--compare and --stats: not built yet");
}

}  // namespace gsa

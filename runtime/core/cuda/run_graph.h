// -----------------------------------------------------------------------------
// File: run_graph.h
// -----------------------------------------------------------------------------
//
// A run on one set of buffers, recorded once: a CUDA graph of its launches,
// which one call of the driver submits. A launch costs the host
// microseconds, a graph little more than one launch.
//
//   GSA_ASSIGN_OR_RETURN(std::unique_ptr<RunGraph> graph,
//                        RunGraph::Record(context, [&](cuda::Stream stream) {
//                          return Submit(stream);
//                        }));
//   GSA_RETURN_IF_ERROR(graph->Launch(stream));

#ifndef GSA_RUNTIME_CORE_CUDA_RUN_GRAPH_H_
#define GSA_RUNTIME_CORE_CUDA_RUN_GRAPH_H_

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"

namespace gsa {

class RunGraph {
 public:
  // Records what `submit` puts on the stream that it is given, and on those
  // that wait for it and that it joins again. Nothing of it is done. The
  // context is current; other threads may capture, and submit.
  static absl::StatusOr<std::unique_ptr<RunGraph>> Record(
      std::shared_ptr<const PrimaryContext> context,
      absl::FunctionRef<absl::Status(cuda::Stream)> submit);
  ~RunGraph();
  RunGraph(const RunGraph&) = delete;
  RunGraph& operator=(const RunGraph&) = delete;

  // For one thread at a time. The device does launches of one graph one after
  // the other, on whatever streams.
  absl::Status Launch(cuda::Stream stream) const;

 private:
  RunGraph(std::shared_ptr<const PrimaryContext> context, cuda::GraphExec exec)
      : context_(std::move(context)), exec_(exec) {}

  const std::shared_ptr<const PrimaryContext> context_;
  const cuda::GraphExec exec_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_RUN_GRAPH_H_

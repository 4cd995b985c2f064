// -----------------------------------------------------------------------------
// File: run_graph.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/run_graph.h"

#include <utility>

#include "absl/memory/memory.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// What a capture on `stream` recorded. The capture is ended whatever fails.
absl::StatusOr<cuda::Graph> Capture(
    const DriverApi& driver, cuda::Stream stream,
    absl::FunctionRef<absl::Status(cuda::Stream)> submit) {
  // In this mode no call of another thread breaks it.
  GSA_RETURN_IF_ERROR(
      driver.StreamBeginCapture(stream, cuda::kCaptureModeRelaxed));
  absl::Status submitted = submit(stream);
  absl::StatusOr<cuda::Graph> graph = driver.StreamEndCapture(stream);
  if (submitted.ok()) return graph;
  if (graph.ok() && *graph != nullptr)
    driver.GraphDestroy(*graph).IgnoreError();
  return submitted;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RunGraph>> RunGraph::Record(
    std::shared_ptr<const PrimaryContext> context,
    absl::FunctionRef<absl::Status(cuda::Stream)> submit) {
  const DriverApi& driver = context->driver();
  // Another thread may capture, in a mode that forbids what follows.
  const ScopedRelaxedCapture relaxed(driver);
  GSA_ASSIGN_OR_RETURN(const cuda::Stream stream,
                       driver.StreamCreate(cuda::kStreamNonBlocking));
  const absl::StatusOr<cuda::Graph> graph = Capture(driver, stream, submit);
  driver.StreamDestroy(stream).IgnoreError();
  GSA_RETURN_IF_ERROR(graph.status());
  const absl::StatusOr<cuda::GraphExec> exec = driver.GraphInstantiate(*graph);
  driver.GraphDestroy(*graph).IgnoreError();
  GSA_RETURN_IF_ERROR(exec.status());
  return absl::WrapUnique(new RunGraph(std::move(context), *exec));
}

RunGraph::~RunGraph() {
  ScopedContext scope(context_->driver(), context_->get());
  // Fails only where the context is lost, and what is in it.
  if (scope.status().ok())
    context_->driver().GraphExecDestroy(exec_).IgnoreError();
}

absl::Status RunGraph::Launch(cuda::Stream stream) const {
  return context_->driver().GraphLaunch(exec_, stream);
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// File: plan.h
// -----------------------------------------------------------------------------
//
// Compile once, run many times: a Plan is a gsa module compiled for one target
// and one set of shapes, or all shapes up to bounds. It is immutable and may
// run in many threads at once.
//
//   gsa::CompileOptions options;
//   options.shapes["hidden_states"] = {1, 4096, 512};
//   auto plan = gsa::Plan::Compile(text, "layer.mlir", options);
//   (*plan)->Run({inputs}, {outputs}, workspace, {});

#ifndef GSA_RUNTIME_PLAN_H_
#define GSA_RUNTIME_PLAN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/kernel_event.h"
#include "runtime/core/cuda/toolkit_search.h"
#include "runtime/core/program_cache.h"
#include "runtime/core/tensor.h"
#include "runtime/core/thread_pool.h"
#include "runtime/emu/host_places.h"
#include "runtime/target.h"

namespace gsa {

class Executable;
struct PlanParts;

// An argument or result of a plan: dense, row-major. In a plan for bounds its
// sizes are the largest.
struct TensorSpec {
  std::string name;  // The attribute gsa.name, or "arg0" / "result0".
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  // Of an output that is the new value of an input (gsa.updates), which has its
  // type and shape, the name of that; else empty.
  std::string updates;

  std::string ToString() const;  // "q_proj.weight: f32[512, 512]"
};

// A size that several dimensions of a plan for bounds have in common.
struct SizeClassSpec {
  int64_t bound = 0;
  bool is_static = false;  // always the bound
  std::string place;       // "dimension 1 of 'x'", the first that has it
};

// A phase of compilation as it ends, for dumps and reports.
struct PhaseInfo {
  std::string name;
  double milliseconds = 0;
  // Prints the module (phases of the compiler) or returns the text that the
  // phase made (LLVM IR, assembly); valid during the callback only.
  std::function<std::string()> text;
  std::string extension;  // "mlir", "ll", "s", "cu", "ptx", "cubin", "txt"
};

// What has no effect on the target is an error (runtime/option_errors.h).
struct CompileOptions {
  // "cpu", "cuda", "cuda:<ordinal>", "emu" or "auto", see runtime/target.h.
  std::string target = "cpu";
  // Architecture of kernels, "sm_90a"; empty takes the device's, and sm_80 for
  // the emulation.
  std::string arch;
  // File of measured schedules, which come before those of the library
  // (passes/schedule/ScheduleDatabase.h); empty: none. And whether to use the
  // library's own.
  std::string schedule_database;
  bool shipped_schedules = true;
  // Entry function; empty takes the module's only public function.
  std::string entry;
  // Shapes of arguments by name. An argument with a dynamic size needs one.
  std::map<std::string, std::vector<int64_t>> shapes;
  // Largest shapes of arguments by name, for those that are not in `shapes`: a
  // dynamic size is then each run's to say, up to the one given here. Sizes
  // that the module makes one have one bound. For the CPU.
  std::map<std::string, std::vector<int64_t>> bounds;
  // Threads that the CPU's code is made for; the definitions' is for one.
  int num_threads = 1;
  // Vector register width in bits; 0 takes the machine's.
  int vector_bits = 0;
  // Effort of the optimiser (CPU, emulation), 0 to 3. Less compiles faster.
  int opt_level = 3;
  // Where NVRTC is (`toolkit.only` confines the search for it), and where
  // cuBLASLt is searched.
  ToolkitSearch toolkit;
  // Compiled code on disk: kernels of a GPU - where all of a module's are
  // there, NVRTC is not opened - and objects for this CPU, which are read
  // before any pass runs, unless `keep_texts` or `stop_after` ask for the
  // phases.
  ProgramCacheOptions cache;
  // For the emulation: where its compiler is and its files go, whether to find
  // data races, and after how many seconds a run ends (0: its default).
  HostPlaces host;
  bool thread_sanitizer = false;
  int watchdog_seconds = 0;
  // Whether a plan for a GPU is loaded onto it when it is compiled. If not,
  // Plan::WarmUp does that, or the first run, which then allocates and waits
  // and must not be captured.
  bool warm_up = true;
  // Compile definitions instead of optimised loops: slow, readable.
  bool reference = false;
  // Make LLVM IR, assembly, CUDA C++, PTX and cubins available to `on_phase`.
  bool keep_texts = false;
  // CompileToPhase ends after the phase of that name.
  std::string stop_after;
  // Called after each phase. Must not keep PhaseInfo::text.
  std::function<void(const PhaseInfo&)> on_phase;
  // Called for each kernel of a GPU that NVRTC compiled or that was there, once
  // for each text and kind, after the last phase of the passes; and for the
  // object of a module for the CPU.
  std::function<void(const KernelEvent&)> on_kernel;
};

struct ZoneTime {
  std::string name;
  double milliseconds = 0;
};

// What a caller lends to one run.
struct RunOptions {
  // The stream of a GPU that the run is submitted to (a CUstream); null is the
  // legacy default stream. Must be null elsewhere.
  void* stream = nullptr;
  // Threads; null runs on the calling thread alone. Any size is correct, the
  // plan's number of threads is the fastest.
  ThreadPool* pool = nullptr;
  // If set, receives the time of each zone of the entry function. On a GPU Run
  // then waits for the end of the run; the emulation has no times to give.
  std::vector<ZoneTime>* zone_times = nullptr;
};

// Memory of an output: written by Run, read only if it is that of the input
// which the output updates.
struct MutableTensorView {
  DType dtype = DType::kF32;
  absl::Span<const int64_t> shape;
  void* data = nullptr;
};

// What the cache that `options` name has refused or failed to write in this
// process, a sentence each: nothing of it was an error.
std::vector<std::string> CacheProblems(const CompileOptions& options);

// What a module asks for and gives; dynamic sizes are -1.
struct ModuleInterface {
  std::string entry;
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
};

// Parses and verifies `text` without compiling it. Errors as in Plan::Compile.
absl::StatusOr<ModuleInterface> DescribeModule(const std::string& text,
                                               const std::string& filename,
                                               const std::string& entry);

// The names that CompileOptions::stop_after may have for a target, in the order
// of the phases: "parse" first, then those of passes/Pipelines.h, then what is
// made of their result.
std::vector<std::string> PhaseNames(const Target& target);

// Runs the phases of CompileOptions::target up to `options.stop_after`, with
// `options.on_phase` as in Plan::Compile. Needs no device if options.arch is
// set. InvalidArgument, before anything is compiled, if the target has no such
// phase.
absl::Status CompileToPhase(const std::string& text,
                            const std::string& filename,
                            const CompileOptions& options);

class Plan {
 public:
  // Parses and compiles `text`; `filename` appears in diagnostics.
  // InvalidArgument: the module (message with file, line and column), an option
  // or a shape is wrong. Unimplemented: the module is legal but this target
  // cannot compile it. Unavailable: no driver, no device, no NVRTC. Internal: a
  // pass failed on its own output.
  static absl::StatusOr<std::shared_ptr<const Plan>> Compile(
      const std::string& text, const std::string& filename,
      const CompileOptions& options);

  // For who has the parts already (runtime/plan_parts.h). InvalidArgument if a
  // tensor has more bytes than there are numbers.
  static absl::StatusOr<std::shared_ptr<const Plan>> Make(PlanParts parts);

  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  // Whether runs may have smaller shapes than those of inputs() and outputs().
  bool is_bounded() const { return !size_classes_.empty(); }
  // Bytes of scratch memory that a run needs; may be 0. For the largest shapes.
  int64_t workspace_bytes() const;
  // What addresses must be multiples of, in bytes.
  int64_t tensor_alignment() const;
  int64_t workspace_alignment() const;
  // Where tensors and the workspace must be.
  const Target& target() const { return target_; }
  const std::vector<std::string>& zone_names() const { return zone_names_; }
  int num_threads() const { return num_threads_; }
  // The kernels that Compile asked for; for a CPU the one object of the module.
  // None for the emulation.
  const KernelCounts& kernel_counts() const { return kernel_counts_; }
  // "x86-64 znver4, 512-bit vectors, 2 threads"; "cuda:0, NVIDIA H200, sm_90a";
  // with the reason of an automatic choice.
  std::string target_description() const;

  // Loads what a run needs onto the GPU, where CompileOptions::warm_up left it
  // for later; otherwise there is nothing to do. Thread safe.
  absl::Status WarmUp() const;

  // Runs the plan. Inputs and outputs must match the specs, or, in a plan for
  // bounds, be smaller and agree with each other; an output must overlap no
  // other tensor. One that updates an input may have the very address of that,
  // which is then updated in place; elsewhere it begins as a copy of the input,
  // which stays as it is. The workspace belongs to the run until it ends: on a
  // GPU, where Run only submits work to the stream, that is after it returns.
  // InvalidArgument names the tensor, what it is and what is expected; then
  // nothing has run. Nothing is allocated, also not on the host, where no times
  // are asked for and, on a GPU, the plan has run on these buffers before.
  absl::Status Run(absl::Span<const TensorView> inputs,
                   absl::Span<const MutableTensorView> outputs,
                   absl::Span<char> workspace, const RunOptions& options) const;

 private:
  Plan();

  absl::Status Check(absl::Span<const TensorView> inputs,
                     absl::Span<const MutableTensorView> outputs,
                     absl::Span<char> workspace) const;

  // Sizes that agree in every run, and the class of each dimension; empty in a
  // plan for one set of shapes.
  std::vector<SizeClassSpec> size_classes_;
  std::vector<std::vector<int>> input_classes_, output_classes_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  // Of the dense tensors.
  std::vector<int64_t> input_bytes_;
  std::vector<int64_t> output_bytes_;
  // Of each output the input that it updates, or -1.
  std::vector<int> updates_;
  std::vector<std::string> zone_names_;
  int num_threads_ = 1;
  KernelCounts kernel_counts_;
  Target target_;
  std::unique_ptr<Executable> executable_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_PLAN_H_

// -----------------------------------------------------------------------------
// File: device_program.h
// -----------------------------------------------------------------------------
//
// The flat program that the compiler makes of a module for a device: kernels as
// CUDA C++ text, and the steps that the host submits, in order: to one stream,
// or to a stream for each lane.
// Pure data: no handles, no pointers, no MLIR. The CUDA executor and the host
// emulation run the same program.
//
// Every shape is static, so every size is a number here. All memory that the
// steps touch is one of four kinds:
//
//   input i      given by the caller of a run; never written
//   output i     given by the caller of a run; may be read back by later steps,
//                and may be the memory of the input that it updates
//   workspace    one block of `workspace_bytes`, contents undefined at the
//   start constant i   uploaded once when the executor is made; never written

#ifndef GSA_RUNTIME_CORE_CUDA_DEVICE_PROGRAM_H_
#define GSA_RUNTIME_CORE_CUDA_DEVICE_PROGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "runtime/core/dtype.h"

namespace gsa {

// The alignment in bytes of every pointer given to a run and of the memory of
// each constant.
inline constexpr int64_t kBufferAlignment = 16;
// The alignment of the workspace: kernels may place any tile at offset 0.
inline constexpr int64_t kWorkspaceAlignment = 256;

// An address: `byte_offset` bytes into a buffer. `index` selects the input, the
// output or the constant and is 0 for the workspace.
struct BufferRef {
  enum class Kind : uint8_t { kInput, kOutput, kWorkspace, kConstant };

  Kind kind = Kind::kWorkspace;
  int32_t index = 0;
  int64_t byte_offset = 0;
};

// What a map for the bulk copy engine (TMA, cc 9.0 and later) describes: a
// row-major matrix in global memory and the box that one load copies to shared
// memory. The parameter is a CUtensorMap by value; every run makes it of the
// addresses that the run is given. What a box holds of outside the matrix is
// zeros. The matrix is only read.
struct TensorMapArg {
  BufferRef base;  // of element (0, 0); at a multiple of kBufferAlignment
  DType dtype = DType::kBF16;  // any but bool
  int64_t rows = 0, columns = 0;
  int64_t row_pitch = 0;  // bytes from row to row
  int32_t box_rows = 0, box_columns = 0;
  // 128: the 16-byte chunks of a row of the box are swizzled within 128 bytes
  // (gsa_tile's layout swizzle_128b). 0: the box is row by row.
  int32_t swizzle_bytes = 0;
};

// A kernel parameter: a pointer (64 bits), a scalar of exactly the C++ type, or
// a tensor map. `index` values of the kernel are int32_t, see KernelSource.
using KernelArg =
    std::variant<BufferRef, int32_t, int64_t, float, double, TensorMapArg>;

// What a parameter takes in the list of a kernel's parameters, and the multiple
// of bytes at which it starts there.
int64_t ParameterBytes(const KernelArg& arg);
int64_t ParameterAlignment(const KernelArg& arg);

// Which op a line of a kernel's text came from. The entry also holds for the
// following lines up to that of the next entry.
struct LineMapEntry {
  int32_t cuda_line = 0;  // 1-based
  std::string location;   // "file:line:col", as diagnostics print it
};

// A header that the texts of kernels include by `name`, which the compiler of
// the kernels finds in memory.
struct SourceHeader {
  std::string name;  // as between the quotes of #include, "gsa/device/mma.cuh"
  std::string text;
};

// One kernel: `extern "C" __global__ void <symbol>(...)` within `text`.
struct KernelSource {
  std::string symbol;
  std::string text;                 // what is compiled; equal for equal kernels
  int32_t threads_per_block = 0;    // blockDim.x; y and z are 1
  int64_t dynamic_smem_bytes = 0;   // shared memory given at launch
  std::vector<LineMapEntry> lines;  // ascending in cuda_line; may be empty
  std::string header;  // comment lines for who reads the text; may be empty
  // What the text includes; of each header, what this text needs.
  std::vector<SourceHeader> headers;
  int32_t cluster = 1;  // blocks of a cluster, as the text has them
  std::string image;    // machine code of the text, which is then not needed
  // Grows with the time that the text takes to compile; 0: not known.
  int64_t compile_work = 0;
};

// When a step runs. Steps of one lane run one after the other, those of
// different lanes side by side; lane 0 is the stream that a run is given.
// Before it runs, a step waits for those of other lanes that `waits` names, by
// their index in the program, ascending.
struct StepOrder {
  int32_t lane = 0;
  std::vector<int32_t> waits;
};

// Launches kernels[kernel] over `grid` blocks. `args` are the parameters in the
// order of the kernel's declaration.
struct LaunchStep {
  int32_t kernel = 0;
  std::array<int64_t, 3> grid = {1, 1, 1};  // x, y, z
  std::vector<KernelArg> args;
  // Whether the launch may begin before the step before it on its lane, a
  // launch too, has ended: the kernel waits for that end itself, in each block,
  // before it touches outputs or the workspace. In order is right as well. The
  // step before it in the program is a launch, too, for runs on one stream.
  bool dependent = false;
  int32_t zone = 0;
  StepOrder order = {};
  // Whether its blocks get SMs before those of launches on other lanes that are
  // not urgent. A hint.
  bool urgent = false;
};

// A (batched) matrix product of row-major matrices:
//
//   C[b] = op(A[b]) * op(B[b]) + beta * C[b],   0 <= b < batch
//
// op(A) is m x k, op(B) is k x n, C is m x n. op(X) is X, or its transpose
// where trans_x is set: then A is stored as k x m, B as n x k. ld* is the
// distance in elements between the starts of two rows of the matrix as it is
// stored, so lda >= (trans_a ? m : k), ldb >= (trans_b ? k : n), ldc >= n.
// Matrix b of an operand starts stride * b elements after the first; a stride
// of 0 shares one matrix among the batch (not for C).
//
// A and B have one data type, of f16, bf16 and f32; C has that type or f32. The
// products are summed in float32. With f32 operands they are also multiplied in
// float32 (no TF32). A weight stored [out, in] is B with trans_b.
struct GemmStep {
  BufferRef a, b, c;
  DType a_dtype = DType::kBF16;
  DType b_dtype = DType::kBF16;
  DType c_dtype = DType::kBF16;
  DType compute_dtype = DType::kF32;  // only kF32
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldb = 0, ldc = 0;
  bool trans_a = false, trans_b = false;
  int64_t batch = 1;
  int64_t stride_a = 0, stride_b = 0, stride_c = 0;
  int32_t beta = 0;  // 0 (C is not read) or 1
  int32_t zone = 0;
  StepOrder order = {};
};

// Copies `bytes` bytes; the ranges must not overlap, but may be one, of an
// input and what updates it: then there is nothing to do.
struct CopyStep {
  BufferRef source, destination;
  int64_t bytes = 0;
  int32_t zone = 0;
  StepOrder order = {};
};

// Writes `count` times the low `element_bytes` (1, 2 or 4) bytes of `pattern`.
struct FillStep {
  BufferRef destination;
  uint32_t pattern = 0;
  int32_t element_bytes = 1;
  int64_t count = 0;
  int32_t zone = 0;
  StepOrder order = {};
};

using ProgramStep = std::variant<LaunchStep, GemmStep, CopyStep, FillStep>;

// What a run must be given for an input or an output.
struct BufferInfo {
  std::string name;   // for messages and reports
  int64_t bytes = 0;  // the caller's buffer has at least that many
  // Of an output the input whose new value it is, whose address it may have; -1
  // for one without, and of inputs.
  int32_t updates = -1;
};

// The bytes of a constant, as they lie in device memory.
struct ConstantData {
  std::string name;
  std::vector<uint8_t> bytes;
};

struct DeviceProgram {
  // The architecture that the kernels were generated for, "sm_90a".
  std::string arch;
  std::vector<KernelSource> kernels;
  std::vector<BufferInfo> inputs, outputs;
  std::vector<ConstantData> constants;
  // What the steps use. The scratch of libraries (GEMMs) is not included.
  int64_t workspace_bytes = 0;
  // In the order of first use; a step names its zone by index.
  std::vector<std::string> zone_names;
  // How many lanes the steps have. The steps in their order, on one stream, are
  // the same program.
  int32_t lanes = 1;
  std::vector<ProgramStep> steps;
};

// More lanes than any program has.
inline constexpr int32_t kMaxLanes = 8;

// What a device allows. The defaults hold for every supported architecture.
struct LaunchLimits {
  int64_t max_threads_per_block = 1024;
  // Static and dynamic shared memory of a block together, after opting in:
  // cudaDevAttrMaxSharedMemoryPerBlockOptin. 99 KiB on sm_86, sm_89, sm_120.
  int64_t max_smem_bytes = 99 * 1024;
  std::array<int64_t, 3> max_grid = {2147483647, 65535, 65535};
};

// The zone of a step, and when it runs.
int32_t ZoneOf(const ProgramStep& step);
const StepOrder& OrderOf(const ProgramStep& step);

// The steps by index in an order that lanes and waits allow, for runs one after
// the other. Of the lanes whose next step could run `choose` says which one
// does, given how many they are: a number below that. Lanes ascend.
std::vector<int32_t> OrderSteps(const DeviceProgram& program,
                                const std::function<size_t(size_t)>& choose);

// The place of the op that a line of the kernel's text came from, or "" where
// the line map does not tell.
std::string LocationOfLine(const KernelSource& kernel, int32_t cuda_line);

// "input 3 + 128 bytes", for messages.
std::string ToString(const BufferRef& ref);

// "map of bf16 100x64 every 128 bytes at input 3 + 128 bytes, box 64x64
// swizzle 128", for reports.
std::string ToString(const TensorMapArg& map);

// Checks what cuTensorMapEncodeTiled demands, and nothing of the program: the
// extent of the matrix is for Validate. InvalidArgument names what is over a
// limit, what it has and what is expected.
absl::Status CheckTensorMap(const TensorMapArg& map);

// Checks that every index, offset, extent and size of the program is in range:
// the executors rely on it. InvalidArgument names the step or the kernel, what
// it has and what is expected; ResourceExhausted is for a limit of the device.
absl::Status Validate(const DeviceProgram& program, const LaunchLimits& limits);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_DEVICE_PROGRAM_H_

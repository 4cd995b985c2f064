// -----------------------------------------------------------------------------
// File: device_program.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/device_program.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
// Kernel parameters of all supported architectures (the constant bank).
constexpr int64_t kMaxParameterBytes = 4096;
// CUtensorMap as a parameter, and what cuTensorMapEncodeTiled allows.
constexpr int64_t kTensorMapBytes = 128;
constexpr int64_t kTensorMapAlignment = 64;
constexpr int64_t kMaxTensorMapSize = int64_t{1} << 32;
constexpr int64_t kMaxTensorMapPitch = int64_t{1} << 40;

const char* KindName(BufferRef::Kind kind) {
  switch (kind) {
    case BufferRef::Kind::kInput:
      return "input";
    case BufferRef::Kind::kOutput:
      return "output";
    case BufferRef::Kind::kWorkspace:
      return "workspace";
    case BufferRef::Kind::kConstant:
      return "constant";
  }
  return "buffer of unknown kind";
}

// a * b + c for non-negative numbers; false where it leaves int64_t.
bool MultiplyAdd(int64_t a, int64_t b, int64_t c, int64_t* result) {
  int64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) &&
         !__builtin_add_overflow(product, c, result);
}

// Checks the steps of one program; `where_` names the one being checked.
class Validator {
 public:
  Validator(const DeviceProgram& program, const LaunchLimits& limits)
      : program_(program), limits_(limits) {}

  absl::Status Run();

 private:
  absl::Status CheckBuffers();
  absl::Status CheckKernel(const KernelSource& kernel);
  absl::Status CheckRef(const BufferRef& ref, int64_t bytes, const char* what,
                        bool written);
  absl::Status CheckMap(const TensorMapArg& map, const std::string& what);
  absl::Status CheckLd(const char* name, int64_t ld, int64_t columns);
  absl::Status CheckMatrix(const BufferRef& ref, const char* what, DType dtype,
                           int64_t rows, int64_t columns, int64_t ld,
                           int64_t batch, int64_t stride, bool written);
  absl::Status CheckOrder(const StepOrder& order, int64_t index);
  absl::Status CheckStep(const LaunchStep& step);
  absl::Status CheckStep(const GemmStep& step);
  absl::Status CheckStep(const CopyStep& step);
  absl::Status CheckStep(const FillStep& step);

  template <typename... Args>
  absl::Status Invalid(const Args&... args) {
    return absl::InvalidArgumentError(absl::StrCat(where_, ": ", args...));
  }
  template <typename... Args>
  absl::Status OverLimit(const Args&... args) {
    return absl::ResourceExhaustedError(absl::StrCat(where_, ": ", args...));
  }

  const DeviceProgram& program_;
  const LaunchLimits& limits_;
  std::string where_;
  bool follows_launch_ = false;  // of the step that is checked
  std::array<bool, kMaxLanes> lane_launches_ = {};  // the same, of each lane
};

absl::Status Validator::CheckBuffers() {
  where_ = "program";
  if (program_.arch.empty()) return Invalid("the architecture is not set");
  if (program_.lanes < 1 || program_.lanes > kMaxLanes)
    return Invalid("lanes is ", program_.lanes, ", expected 1 to ", kMaxLanes);
  if (program_.workspace_bytes < 0)
    return Invalid("workspace_bytes is ", program_.workspace_bytes,
                   ", expected at least 0");
  for (const auto* list : {&program_.inputs, &program_.outputs})
    for (const BufferInfo& info : *list)
      if (info.bytes < 0)
        return Invalid("buffer '", info.name, "' has ", info.bytes,
                       " bytes, expected at least 0");
  const auto count = static_cast<int64_t>(program_.inputs.size());
  for (const BufferInfo& info : program_.outputs) {
    if (info.updates == -1) continue;
    if (info.updates < 0 || info.updates >= count)
      return Invalid("output '", info.name, "' updates input ", info.updates,
                     ", expected one of ", count, " inputs, or -1");
    const BufferInfo& input = program_.inputs[info.updates];
    if (info.bytes != input.bytes)
      return Invalid("output '", info.name, "' has ", info.bytes,
                     " bytes and updates input '", input.name, "' of ",
                     input.bytes, ", expected as many");
  }
  return absl::OkStatus();
}

absl::Status Validator::CheckKernel(const KernelSource& kernel) {
  where_ = absl::StrCat("kernel '", kernel.symbol, "'");
  if (kernel.symbol.empty()) return Invalid("the kernel has no symbol");
  if (kernel.text.empty() && kernel.image.empty())
    return Invalid("the kernel has neither text nor machine code");
  if (kernel.threads_per_block < 1)
    return Invalid("threads per block is ", kernel.threads_per_block,
                   ", expected at least 1");
  if (kernel.threads_per_block > limits_.max_threads_per_block)
    return OverLimit("threads per block is ", kernel.threads_per_block,
                     ", the limit is ", limits_.max_threads_per_block);
  if (kernel.dynamic_smem_bytes < 0)
    return Invalid("dynamic shared memory is ", kernel.dynamic_smem_bytes,
                   " bytes, expected at least 0");
  if (kernel.dynamic_smem_bytes > limits_.max_smem_bytes)
    return OverLimit("dynamic shared memory is ", kernel.dynamic_smem_bytes,
                     " bytes, the limit of the device is ",
                     limits_.max_smem_bytes);
  int32_t previous = 0;
  for (const LineMapEntry& entry : kernel.lines) {
    if (entry.cuda_line <= previous)
      return Invalid("line map has line ", entry.cuda_line, " after line ",
                     previous, ", expected ascending lines from 1");
    previous = entry.cuda_line;
  }
  return absl::OkStatus();
}

absl::Status Validator::CheckRef(const BufferRef& ref, int64_t bytes,
                                 const char* what, bool written) {
  int64_t count = 1;
  int64_t size = program_.workspace_bytes;
  switch (ref.kind) {
    case BufferRef::Kind::kInput:
      count = program_.inputs.size();
      break;
    case BufferRef::Kind::kOutput:
      count = program_.outputs.size();
      break;
    case BufferRef::Kind::kConstant:
      count = program_.constants.size();
      break;
    case BufferRef::Kind::kWorkspace:
      break;
    default:
      return Invalid(what, " has buffer kind ", static_cast<int>(ref.kind),
                     ", expected input, output, workspace or constant");
  }
  const char* kind = KindName(ref.kind);
  if (ref.index < 0 || ref.index >= count)
    return Invalid(what, " is ", kind, " ", ref.index, ", the program has ",
                   count, " of that kind");
  if (ref.kind == BufferRef::Kind::kInput)
    size = program_.inputs[ref.index].bytes;
  if (ref.kind == BufferRef::Kind::kOutput)
    size = program_.outputs[ref.index].bytes;
  if (ref.kind == BufferRef::Kind::kConstant)
    size = program_.constants[ref.index].bytes.size();
  if (written && ref.kind != BufferRef::Kind::kOutput &&
      ref.kind != BufferRef::Kind::kWorkspace)
    return Invalid(what, " is ", kind, " ", ref.index,
                   ", expected an output or the workspace: it is written");
  if (ref.byte_offset < 0 || ref.byte_offset > size ||
      bytes > size - ref.byte_offset)
    return Invalid(what, " needs ", bytes, " bytes at byte ", ref.byte_offset,
                   " of ", kind, " ", ref.index, ", which has ", size,
                   " bytes");
  return absl::OkStatus();
}

absl::Status Validator::CheckMap(const TensorMapArg& map,
                                 const std::string& what) {
  const absl::Status status = CheckTensorMap(map);
  if (!status.ok()) return Invalid(what, ": ", status.message());
  const int64_t row_bytes = map.columns * DTypeSize(map.dtype);
  int64_t bytes = 0;
  if (!MultiplyAdd(map.rows - 1, map.row_pitch, row_bytes, &bytes))
    return Invalid(what, ": the size of the matrix is over 2^63 bytes");
  return CheckRef(map.base, bytes, what.c_str(), false);
}

absl::Status Validator::CheckOrder(const StepOrder& order, int64_t index) {
  if (order.lane < 0 || order.lane >= program_.lanes)
    return Invalid("is on lane ", order.lane, ", the program has ",
                   program_.lanes);
  int64_t least = 0;
  for (int32_t wait : order.waits) {
    if (wait < least || wait >= index)
      return Invalid("waits for step ", wait, ", expected steps from ", least,
                     " on and before itself");
    if (OrderOf(program_.steps[wait]).lane == order.lane)
      return Invalid("waits for step ", wait,
                     " of its own lane, expected steps of other lanes");
    least = int64_t{wait} + 1;
  }
  return absl::OkStatus();
}

absl::Status Validator::CheckStep(const LaunchStep& step) {
  if (step.kernel < 0 ||
      step.kernel >= static_cast<int64_t>(program_.kernels.size()))
    return Invalid("launches kernel ", step.kernel, ", the program has ",
                   program_.kernels.size());
  const std::string& symbol = program_.kernels[step.kernel].symbol;
  where_ = absl::StrCat(where_, " (launch of '", symbol, "')");
  for (int axis = 0; axis < 3; ++axis) {
    if (step.grid[axis] < 1)
      return Invalid("grid.", std::string(1, "xyz"[axis]), " is ",
                     step.grid[axis], ", expected at least 1");
    if (step.grid[axis] > limits_.max_grid[axis])
      return OverLimit("grid.", std::string(1, "xyz"[axis]), " is ",
                       step.grid[axis], ", the limit is ",
                       limits_.max_grid[axis]);
  }
  if (step.dependent && !follows_launch_)
    return Invalid("is dependent, expected a launch as the step before");
  if (step.dependent && !lane_launches_[step.order.lane])
    return Invalid(
        "is dependent, expected a launch as the step before on lane ",
        step.order.lane);
  int64_t parameter_bytes = 0;
  for (size_t i = 0; i < step.args.size(); ++i) {
    const KernelArg& arg = step.args[i];
    const int64_t alignment = ParameterAlignment(arg);
    parameter_bytes =
        (parameter_bytes + alignment - 1) / alignment * alignment +
        ParameterBytes(arg);
    const auto* ref = std::get_if<BufferRef>(&arg);
    const auto* map = std::get_if<TensorMapArg>(&arg);
    if (ref == nullptr && map == nullptr) continue;
    const std::string what = absl::StrCat("argument ", i);
    GSA_RETURN_IF_ERROR(ref != nullptr ? CheckRef(*ref, 0, what.c_str(), false)
                                       : CheckMap(*map, what));
  }
  if (parameter_bytes > kMaxParameterBytes)
    return OverLimit("parameters take ", parameter_bytes,
                     " bytes, the limit is ", kMaxParameterBytes);
  return absl::OkStatus();
}

absl::Status Validator::CheckLd(const char* name, int64_t ld, int64_t columns) {
  if (ld < columns)
    return Invalid(name, " is ", ld, ", expected at least ", columns,
                   " (the columns of the stored matrix)");
  return absl::OkStatus();
}

absl::Status Validator::CheckMatrix(const BufferRef& ref, const char* what,
                                    DType dtype, int64_t rows, int64_t columns,
                                    int64_t ld, int64_t batch, int64_t stride,
                                    bool written) {
  int64_t elements = 0;
  int64_t bytes = 0;
  if (!MultiplyAdd(rows - 1, ld, columns, &elements) ||
      !MultiplyAdd(batch - 1, stride, elements, &elements) ||
      !MultiplyAdd(elements, DTypeSize(dtype), 0, &bytes))
    return Invalid("the size of ", what, " is over 2^63 bytes");
  if (ref.byte_offset % kBufferAlignment != 0)
    return Invalid(what, " is at byte ", ref.byte_offset,
                   ", expected a multiple of ", kBufferAlignment);
  return CheckRef(ref, bytes, what, written);
}

absl::Status Validator::CheckStep(const GemmStep& step) {
  absl::StrAppend(&where_, " (gemm)");
  for (DType dtype : {step.a_dtype, step.b_dtype})
    if (dtype != DType::kF16 && dtype != DType::kBF16 && dtype != DType::kF32)
      return Invalid("the operands are ", DTypeName(dtype),
                     ", expected f16, bf16 or f32");
  if (step.a_dtype != step.b_dtype)
    return Invalid("A is ", DTypeName(step.a_dtype), " and B is ",
                   DTypeName(step.b_dtype), ", expected the same type");
  if (step.c_dtype != step.a_dtype && step.c_dtype != DType::kF32)
    return Invalid("C is ", DTypeName(step.c_dtype), ", expected ",
                   DTypeName(step.a_dtype), " or f32");
  if (step.compute_dtype != DType::kF32)
    return Invalid("the sums are ", DTypeName(step.compute_dtype),
                   ", expected f32");
  if (step.beta != 0 && step.beta != 1)
    return Invalid("beta is ", step.beta, ", expected 0 or 1");
  for (int64_t size : {step.m, step.n, step.k, step.batch})
    if (size < 1 || size > kInt32Max)
      return Invalid("m, n, k, batch are ", step.m, ", ", step.n, ", ", step.k,
                     ", ", step.batch, ", expected 1 to ", kInt32Max, " each");
  const int64_t a_rows = step.trans_a ? step.k : step.m;
  const int64_t a_columns = step.trans_a ? step.m : step.k;
  const int64_t b_rows = step.trans_b ? step.n : step.k;
  const int64_t b_columns = step.trans_b ? step.k : step.n;
  GSA_RETURN_IF_ERROR(CheckLd("lda", step.lda, a_columns));
  GSA_RETURN_IF_ERROR(CheckLd("ldb", step.ldb, b_columns));
  GSA_RETURN_IF_ERROR(CheckLd("ldc", step.ldc, step.n));
  for (int64_t stride : {step.stride_a, step.stride_b, step.stride_c})
    if (stride < 0)
      return Invalid("a batch stride is ", stride, ", expected at least 0");
  int64_t c_extent = 0;
  if (!MultiplyAdd(step.m - 1, step.ldc, step.n, &c_extent))
    return Invalid("the size of C is over 2^63 elements");
  if (step.batch > 1 && step.stride_c < c_extent)
    return Invalid("stride_c is ", step.stride_c, ", expected at least ",
                   c_extent, ": the results of a batch may not overlap");
  GSA_RETURN_IF_ERROR(CheckMatrix(step.a, "A", step.a_dtype, a_rows, a_columns,
                                  step.lda, step.batch, step.stride_a, false));
  GSA_RETURN_IF_ERROR(CheckMatrix(step.b, "B", step.b_dtype, b_rows, b_columns,
                                  step.ldb, step.batch, step.stride_b, false));
  return CheckMatrix(step.c, "C", step.c_dtype, step.m, step.n, step.ldc,
                     step.batch, step.stride_c, true);
}

absl::Status Validator::CheckStep(const CopyStep& step) {
  absl::StrAppend(&where_, " (copy)");
  if (step.bytes < 0)
    return Invalid("copies ", step.bytes, " bytes, expected at least 0");
  GSA_RETURN_IF_ERROR(CheckRef(step.source, step.bytes, "the source", false));
  GSA_RETURN_IF_ERROR(
      CheckRef(step.destination, step.bytes, "the destination", true));
  const BufferRef &from = step.source, &to = step.destination;
  if (from.kind == to.kind && from.index == to.index &&
      from.byte_offset < to.byte_offset + step.bytes &&
      to.byte_offset < from.byte_offset + step.bytes)
    return Invalid("copies ", step.bytes, " bytes from ", ToString(from),
                   " to ", ToString(to), ", expected ranges without overlap");
  return absl::OkStatus();
}

absl::Status Validator::CheckStep(const FillStep& step) {
  absl::StrAppend(&where_, " (fill)");
  const int32_t width = step.element_bytes;
  if (width != 1 && width != 2 && width != 4)
    return Invalid("elements have ", width, " bytes, expected 1, 2 or 4");
  int64_t bytes = 0;
  if (step.count < 0 || !MultiplyAdd(step.count, width, 0, &bytes))
    return Invalid("fills ", step.count,
                   " elements, expected at least 0 and under 2^63 bytes");
  if (step.destination.byte_offset % width != 0)
    return Invalid("starts at byte ", step.destination.byte_offset,
                   ", expected a multiple of ", width);
  return CheckRef(step.destination, bytes, "the destination", true);
}

absl::Status Validator::Run() {
  GSA_RETURN_IF_ERROR(CheckBuffers());
  std::set<std::string> symbols;
  for (const KernelSource& kernel : program_.kernels) {
    GSA_RETURN_IF_ERROR(CheckKernel(kernel));
    if (!symbols.insert(kernel.symbol).second)
      return Invalid("two kernels have this symbol");
  }
  for (size_t i = 0; i < program_.steps.size(); ++i) {
    where_ = absl::StrCat("step ", i);
    const ProgramStep& step = program_.steps[i];
    const int32_t zone = ZoneOf(step);
    const int64_t zones = program_.zone_names.size();
    if (zone < 0 || zone >= zones)
      return Invalid("has zone ", zone, ", the program has ", zones);
    GSA_RETURN_IF_ERROR(CheckOrder(OrderOf(step), i));
    GSA_RETURN_IF_ERROR(
        std::visit([&](const auto& typed) { return CheckStep(typed); }, step));
    follows_launch_ = std::holds_alternative<LaunchStep>(step);
    lane_launches_[OrderOf(step).lane] = follows_launch_;
  }
  return absl::OkStatus();
}

}  // namespace

int32_t ZoneOf(const ProgramStep& step) {
  return std::visit([](const auto& typed) { return typed.zone; }, step);
}

const StepOrder& OrderOf(const ProgramStep& step) {
  return std::visit(
      [](const auto& typed) -> const StepOrder& { return typed.order; }, step);
}

std::vector<int32_t> OrderSteps(const DeviceProgram& program,
                                const std::function<size_t(size_t)>& choose) {
  std::vector<std::vector<int32_t>> lanes(program.lanes);
  for (size_t i = 0; i < program.steps.size(); ++i)
    lanes[OrderOf(program.steps[i]).lane].push_back(static_cast<int32_t>(i));
  std::vector<size_t> next(lanes.size(), 0);
  std::vector<bool> done(program.steps.size(), false);
  std::vector<int32_t> order;
  std::vector<size_t> ready;
  while (order.size() < program.steps.size()) {
    ready.clear();
    for (size_t lane = 0; lane < lanes.size(); ++lane) {
      if (next[lane] == lanes[lane].size()) continue;
      const auto& waits = OrderOf(program.steps[lanes[lane][next[lane]]]).waits;
      if (std::all_of(waits.begin(), waits.end(),
                      [&](int32_t wait) { return done[wait]; }))
        ready.push_back(lane);
    }
    const size_t lane = ready[choose(ready.size())];
    const int32_t step = lanes[lane][next[lane]++];
    done[step] = true;
    order.push_back(step);
  }
  return order;
}

std::string LocationOfLine(const KernelSource& kernel, int32_t cuda_line) {
  std::string location;
  for (const LineMapEntry& entry : kernel.lines)
    if (entry.cuda_line <= cuda_line) location = entry.location;
  return location;
}

std::string ToString(const BufferRef& ref) {
  std::string text = KindName(ref.kind);
  if (ref.kind != BufferRef::Kind::kWorkspace)
    absl::StrAppend(&text, " ", ref.index);
  absl::StrAppend(&text, " + ", ref.byte_offset, " bytes");
  return text;
}

std::string ToString(const TensorMapArg& map) {
  return absl::StrCat("map of ", DTypeName(map.dtype), " ", map.rows, "x",
                      map.columns, " every ", map.row_pitch, " bytes at ",
                      ToString(map.base), ", box ", map.box_rows, "x",
                      map.box_columns, " swizzle ", map.swizzle_bytes);
}

int64_t ParameterBytes(const KernelArg& arg) {
  if (std::holds_alternative<TensorMapArg>(arg)) return kTensorMapBytes;
  if (std::holds_alternative<int32_t>(arg)) return 4;
  if (std::holds_alternative<float>(arg)) return 4;
  return 8;
}

int64_t ParameterAlignment(const KernelArg& arg) {
  return std::min(ParameterBytes(arg), kTensorMapAlignment);
}

absl::Status CheckTensorMap(const TensorMapArg& map) {
  const auto invalid = [](const auto&... args) {
    return absl::InvalidArgumentError(absl::StrCat("the tensor map ", args...));
  };
  if (map.dtype == DType::kBool)
    return invalid("has elements of type bool, expected u8, i32, i64, f16, ",
                   "bf16, f32 or f64");
  const int64_t element = DTypeSize(map.dtype);
  for (int64_t size : {map.rows, map.columns})
    if (size < 1 || size > kMaxTensorMapSize)
      return invalid("is of ", map.rows, " rows and ", map.columns,
                     " columns, expected 1 to 2^32 each");
  if (map.row_pitch % 16 != 0 || map.row_pitch >= kMaxTensorMapPitch)
    return invalid("has rows every ", map.row_pitch,
                   " bytes, expected a multiple of 16 below 2^40");
  if (map.row_pitch < map.columns * element)
    return invalid("has rows every ", map.row_pitch, " bytes, expected at ",
                   "least the ", map.columns * element, " of a row");
  for (int32_t size : {map.box_rows, map.box_columns})
    if (size < 1 || size > 256)
      return invalid("has a box of ", map.box_rows, " rows and ",
                     map.box_columns, " columns, expected 1 to 256 each");
  const int64_t box_bytes = map.box_columns * element;
  if (box_bytes % 16 != 0)
    return invalid("has a box with rows of ", box_bytes,
                   " bytes, expected a multiple of 16");
  if (map.swizzle_bytes != 0 && map.swizzle_bytes != 128)
    return invalid("swizzles ", map.swizzle_bytes, " bytes, expected 0 or 128");
  if (map.swizzle_bytes != 0 && box_bytes > map.swizzle_bytes)
    return invalid("has a box with rows of ", box_bytes, " bytes, expected at ",
                   "most the ", map.swizzle_bytes, " that are swizzled");
  if (map.base.byte_offset % kBufferAlignment != 0)
    return invalid("begins at byte ", map.base.byte_offset,
                   ", expected a multiple of ", kBufferAlignment);
  return absl::OkStatus();
}

absl::Status Validate(const DeviceProgram& program,
                      const LaunchLimits& limits) {
  return Validator(program, limits).Run();
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// File: cublaslt_api.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/cublaslt_api.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

using cuda::BlasStatus;

int DataTypeOf(DType dtype) {
  if (dtype == DType::kF16) return cuda::kDataF16;
  if (dtype == DType::kBF16) return cuda::kDataBF16;
  return cuda::kDataF32;
}

// Bytes from the first to the last element of a matrix of the step.
int64_t ExtentBytes(int64_t rows, int64_t columns, int64_t ld, int64_t batch,
                    int64_t stride, DType dtype) {
  return ((batch - 1) * stride + (rows - 1) * ld + columns) *
         static_cast<int64_t>(DTypeSize(dtype));
}

// cuBLASLt's opaque objects, destroyed at the end.
class Descriptors {
 public:
  explicit Descriptors(const CublasLtApi& api) : api_(api) {}
  ~Descriptors() {
    const cuda::CublasLtTable& table = api_.table();
    for (void* layout : {a, b, c})
      if (layout != nullptr) table.MatrixLayoutDestroy(layout);
    if (operation != nullptr) table.MatmulDescDestroy(operation);
  }
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  // Describes `step`, whose Validate() succeeded. a, b, c are the step's.
  absl::Status Init(const GemmStep& step);

  cuda::BlasLtMatmulDesc operation = nullptr;
  cuda::BlasLtLayout a = nullptr, b = nullptr, c = nullptr;

 private:
  absl::Status InitLayout(cuda::BlasLtLayout* layout, DType dtype, int64_t rows,
                          int64_t columns, int64_t ld, int64_t batch,
                          int64_t stride);

  const CublasLtApi& api_;
};

absl::Status Descriptors::InitLayout(cuda::BlasLtLayout* layout, DType dtype,
                                     int64_t rows, int64_t columns, int64_t ld,
                                     int64_t batch, int64_t stride) {
  const cuda::CublasLtTable& table = api_.table();
  // The transpose: as many rows as the stored matrix has columns.
  GSA_RETURN_IF_ERROR(api_.ToStatus(
      table.MatrixLayoutCreate(layout, DataTypeOf(dtype), columns, rows, ld),
      "cublasLtMatrixLayoutCreate"));
  const int32_t count = static_cast<int32_t>(batch);
  GSA_RETURN_IF_ERROR(api_.ToStatus(
      table.MatrixLayoutSetAttribute(*layout, cuda::kLayoutBatchCount, &count,
                                     sizeof(count)),
      "cublasLtMatrixLayoutSetAttribute(batch count)"));
  return api_.ToStatus(
      table.MatrixLayoutSetAttribute(*layout, cuda::kLayoutBatchStride, &stride,
                                     sizeof(stride)),
      "cublasLtMatrixLayoutSetAttribute(batch stride)");
}

absl::Status Descriptors::Init(const GemmStep& step) {
  const cuda::CublasLtTable& table = api_.table();
  const int compute = step.a_dtype == DType::kF32 ? cuda::kComputeF32Pedantic
                                                  : cuda::kComputeF32;
  GSA_RETURN_IF_ERROR(
      api_.ToStatus(table.MatmulDescCreate(&operation, compute, cuda::kDataF32),
                    "cublasLtMatmulDescCreate"));
  // cuBLASLt's A is our B.
  const int32_t first = step.trans_b ? cuda::kOpT : cuda::kOpN;
  const int32_t second = step.trans_a ? cuda::kOpT : cuda::kOpN;
  GSA_RETURN_IF_ERROR(
      api_.ToStatus(table.MatmulDescSetAttribute(operation, cuda::kDescTransA,
                                                 &first, sizeof(first)),
                    "cublasLtMatmulDescSetAttribute(transpose A)"));
  GSA_RETURN_IF_ERROR(
      api_.ToStatus(table.MatmulDescSetAttribute(operation, cuda::kDescTransB,
                                                 &second, sizeof(second)),
                    "cublasLtMatmulDescSetAttribute(transpose B)"));
  GSA_RETURN_IF_ERROR(InitLayout(
      &a, step.a_dtype, step.trans_a ? step.k : step.m,
      step.trans_a ? step.m : step.k, step.lda, step.batch, step.stride_a));
  GSA_RETURN_IF_ERROR(InitLayout(
      &b, step.b_dtype, step.trans_b ? step.n : step.k,
      step.trans_b ? step.k : step.n, step.ldb, step.batch, step.stride_b));
  return InitLayout(&c, step.c_dtype, step.m, step.n, step.ldc, step.batch,
                    step.stride_c);
}

// The handle of a context.
class Handle {
 public:
  static absl::StatusOr<std::shared_ptr<Handle>> Create(
      std::shared_ptr<const CublasLtApi> api,
      std::shared_ptr<const PrimaryContext> context) {
    ScopedContext scope(context->driver(), context->get());
    GSA_RETURN_IF_ERROR(scope.status());
    cuda::BlasLtHandle handle = nullptr;
    GSA_RETURN_IF_ERROR(
        api->ToStatus(api->table().Create(&handle), "cublasLtCreate"));
    return std::shared_ptr<Handle>(
        new Handle(std::move(api), std::move(context), handle));
  }
  ~Handle() {
    ScopedContext scope(context_->driver(), context_->get());
    if (scope.status().ok()) api_->table().Destroy(handle_);
  }

  const CublasLtApi& api() const { return *api_; }
  const std::shared_ptr<const PrimaryContext>& context() const {
    return context_;
  }
  cuda::BlasLtHandle get() const { return handle_; }

 private:
  Handle(std::shared_ptr<const CublasLtApi> api,
         std::shared_ptr<const PrimaryContext> context,
         cuda::BlasLtHandle handle)
      : api_(std::move(api)), context_(std::move(context)), handle_(handle) {}

  std::shared_ptr<const CublasLtApi> api_;
  std::shared_ptr<const PrimaryContext> context_;
  cuda::BlasLtHandle handle_;
};

class CublasLtPlan : public GemmPlan {
 public:
  static absl::StatusOr<std::unique_ptr<GemmPlan>> Create(
      std::shared_ptr<Handle> handle, const GemmStep& step,
      int64_t workspace_limit);

  int64_t workspace_bytes() const override {
    return static_cast<int64_t>(algorithm_.workspace_bytes);
  }
  absl::Status WarmUp() override;
  absl::Status Run(cuda::DevicePtr a, cuda::DevicePtr b, cuda::DevicePtr c,
                   cuda::DevicePtr workspace,
                   cuda::Stream stream) const override {
    return Submit(descriptors_, a, b, c, workspace, stream);
  }

 private:
  CublasLtPlan(std::shared_ptr<Handle> handle, const GemmStep& step)
      : handle_(std::move(handle)), step_(step), descriptors_(handle_->api()) {}

  absl::Status ChooseAlgorithm(int64_t workspace_limit);
  absl::Status Submit(const Descriptors& descriptors, cuda::DevicePtr a,
                      cuda::DevicePtr b, cuda::DevicePtr c,
                      cuda::DevicePtr workspace, cuda::Stream stream) const;
  absl::Status RunOnScratch(const GemmStep& step, cuda::Stream stream) const;

  std::shared_ptr<Handle> handle_;
  GemmStep step_;
  Descriptors descriptors_;
  cuda::BlasLtHeuristicResult algorithm_ = {};
};

absl::StatusOr<std::unique_ptr<GemmPlan>> CublasLtPlan::Create(
    std::shared_ptr<Handle> handle, const GemmStep& step,
    int64_t workspace_limit) {
  auto plan = absl::WrapUnique(new CublasLtPlan(std::move(handle), step));
  const PrimaryContext& context = *plan->handle_->context();
  ScopedContext scope(context.driver(), context.get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_RETURN_IF_ERROR(plan->descriptors_.Init(step));
  GSA_RETURN_IF_ERROR(plan->ChooseAlgorithm(workspace_limit));
  return std::unique_ptr<GemmPlan>(std::move(plan));
}

absl::Status CublasLtPlan::ChooseAlgorithm(int64_t workspace_limit) {
  const CublasLtApi& api = handle_->api();
  const cuda::CublasLtTable& table = api.table();
  cuda::BlasLtPreference preference = nullptr;
  GSA_RETURN_IF_ERROR(api.ToStatus(table.PreferenceCreate(&preference),
                                   "cublasLtMatmulPreferenceCreate"));
  const auto destroy = [&](cuda::BlasLtPreference p) {
    table.PreferenceDestroy(p);
  };
  std::unique_ptr<void, decltype(destroy)> owner(preference, destroy);
  const auto set = [&](int attribute, const auto& value) {
    return api.ToStatus(
        table.PreferenceSetAttribute(preference, attribute, &value,
                                     sizeof(value)),
        absl::StrCat("cublasLtMatmulPreferenceSetAttribute(", attribute, ")"));
  };
  GSA_RETURN_IF_ERROR(set(cuda::kPreferenceMaxWorkspaceBytes,
                          static_cast<uint64_t>(workspace_limit)));
  GSA_RETURN_IF_ERROR(set(cuda::kPreferenceReductionSchemeMask,
                          cuda::kReductionSchemeComputeType));
  // The library assumes 256 unless told.
  for (int attribute :
       {cuda::kPreferenceMinAlignmentA, cuda::kPreferenceMinAlignmentB,
        cuda::kPreferenceMinAlignmentC, cuda::kPreferenceMinAlignmentD})
    GSA_RETURN_IF_ERROR(
        set(attribute, static_cast<uint32_t>(kBufferAlignment)));
  int count = 0;
  const BlasStatus status = table.MatmulAlgoGetHeuristic(
      handle_->get(), descriptors_.operation, descriptors_.b, descriptors_.a,
      descriptors_.c, descriptors_.c, preference, 1, &algorithm_, &count);
  if (status == cuda::kBlasNotSupported ||
      (status == cuda::kBlasSuccess &&
       (count < 1 || algorithm_.state != cuda::kBlasSuccess)))
    return absl::UnimplementedError(absl::StrCat(
        Describe(step_), ": cuBLASLt has no algorithm that needs at most ",
        workspace_limit, " bytes of workspace"));
  return api.ToStatus(status, absl::StrCat("cublasLtMatmulAlgoGetHeuristic of ",
                                           Describe(step_)));
}

absl::Status CublasLtPlan::Submit(const Descriptors& descriptors,
                                  cuda::DevicePtr a, cuda::DevicePtr b,
                                  cuda::DevicePtr c, cuda::DevicePtr workspace,
                                  cuda::Stream stream) const {
  const float alpha = 1.0f;
  const float beta = static_cast<float>(step_.beta);
  const auto pointer = [](cuda::DevicePtr address) {
    return reinterpret_cast<void*>(address);
  };
  const BlasStatus status = handle_->api().table().Matmul(
      handle_->get(), descriptors.operation, &alpha, pointer(b), descriptors.b,
      pointer(a), descriptors.a, &beta, pointer(c), descriptors.c, pointer(c),
      descriptors.c, &algorithm_.algo, pointer(workspace),
      algorithm_.workspace_bytes, stream);
  if (status == cuda::kBlasSuccess) return absl::OkStatus();
  return handle_->api().ToStatus(status, "cublasLtMatmul");
}

absl::Status CublasLtPlan::RunOnScratch(const GemmStep& step,
                                        cuda::Stream stream) const {
  Descriptors descriptors(handle_->api());
  GSA_RETURN_IF_ERROR(descriptors.Init(step));
  // The values do not matter, so the operands share memory.
  const int64_t bytes =
      std::max({ExtentBytes(step.trans_a ? step.k : step.m,
                            step.trans_a ? step.m : step.k, step.lda,
                            step.batch, step.stride_a, step.a_dtype),
                ExtentBytes(step.trans_b ? step.n : step.k,
                            step.trans_b ? step.k : step.n, step.ldb,
                            step.batch, step.stride_b, step.b_dtype),
                ExtentBytes(step.m, step.n, step.ldc, step.batch, step.stride_c,
                            step.c_dtype)});
  const auto& context = handle_->context();
  GSA_ASSIGN_OR_RETURN(DeviceBuffer operands,
                       DeviceBuffer::Allocate(context, bytes));
  GSA_ASSIGN_OR_RETURN(DeviceBuffer workspace,
                       DeviceBuffer::Allocate(context, workspace_bytes()));
  GSA_RETURN_IF_ERROR(
      context->driver().MemsetAsync(operands.get(), 0, 1, bytes, stream));
  const absl::Status status =
      Submit(descriptors, operands.get(), operands.get(), operands.get(),
             workspace.get(), stream);
  // Also after an error: the memory is freed next.
  const absl::Status synchronised = context->driver().StreamSynchronize(stream);
  return status.ok() ? synchronised : status;
}

absl::Status CublasLtPlan::WarmUp() {
  const PrimaryContext& context = *handle_->context();
  ScopedContext scope(context.driver(), context.get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_ASSIGN_OR_RETURN(auto stream, DeviceStream::Create(handle_->context()));
  // The algorithm names the kernel: a few rows load it as well as all of them.
  // Where the library refuses it for them, the whole product runs.
  GemmStep small = step_;
  small.m = std::min<int64_t>(step_.m, 512);
  small.batch = 1;
  if (RunOnScratch(small, stream->get()).ok()) return absl::OkStatus();
  return RunOnScratch(step_, stream->get());
}

class CublasLtGemms : public GemmLibrary {
 public:
  explicit CublasLtGemms(std::shared_ptr<Handle> handle)
      : handle_(std::move(handle)) {}

  absl::StatusOr<std::unique_ptr<GemmPlan>> Plan(
      const GemmStep& step, int64_t workspace_limit) override {
    return CublasLtPlan::Create(handle_, step, workspace_limit);
  }

 private:
  std::shared_ptr<Handle> handle_;
};

}  // namespace

std::string Describe(const GemmStep& step) {
  std::string text = absl::StrCat(
      "gemm [", step.m, ", ", step.k, "] x [", step.k, ", ", step.n, "] ",
      DTypeName(step.a_dtype), " -> ", DTypeName(step.c_dtype));
  if (step.batch > 1) absl::StrAppend(&text, ", batch of ", step.batch);
  return text;
}

absl::StatusOr<std::shared_ptr<const CublasLtApi>> CublasLtApi::Load(
    const ToolkitSearch& search) {
  static const auto& cublaslt =
      *new ToolkitLibrary{"cuBLASLt",
                          {"libcublasLt.so.13", "libcublasLt.so.12"},
                          {"nvidia/cu13/lib", "nvidia/cublas/lib"},
                          "nvidia-cublas"};
  cuda::CublasLtTable table;
  const auto accept = [&table](const DynamicLibrary& library) -> absl::Status {
#define GSA_CUDA_RESOLVE(member, symbol, type, parameters) \
  GSA_RETURN_IF_ERROR(library.Resolve(symbol, &table.member));
    GSA_CUBLASLT_FUNCTIONS(GSA_CUDA_RESOLVE)
#undef GSA_CUDA_RESOLVE
    return absl::OkStatus();
  };
  GSA_ASSIGN_OR_RETURN(DynamicLibrary library,
                       OpenToolkitLibrary(cublaslt, search, accept));
  return std::make_shared<const CublasLtApi>(table, library.path());
}

absl::Status CublasLtApi::ToStatus(BlasStatus status,
                                   const std::string& call) const {
  if (status == cuda::kBlasSuccess) return absl::OkStatus();
  const char* name = table_.GetStatusName(status);
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (status == cuda::kBlasAllocFailed)
    code = absl::StatusCode::kResourceExhausted;
  if (status == cuda::kBlasArchMismatch || status == cuda::kBlasNotSupported)
    code = absl::StatusCode::kUnimplemented;
  return absl::Status(code, absl::StrCat(call, " failed with ",
                                         name ? name : "an unknown error", " (",
                                         status, ") of ", path_));
}

absl::StatusOr<std::shared_ptr<GemmLibrary>> CreateCublasLtGemms(
    std::shared_ptr<const CublasLtApi> api,
    std::shared_ptr<const PrimaryContext> context) {
  GSA_ASSIGN_OR_RETURN(std::shared_ptr<Handle> handle,
                       Handle::Create(std::move(api), std::move(context)));
  return std::shared_ptr<GemmLibrary>(
      std::make_shared<CublasLtGemms>(std::move(handle)));
}

}  // namespace gsa

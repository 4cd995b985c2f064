// -----------------------------------------------------------------------------
// File: kernel_cache.h
// -----------------------------------------------------------------------------
//
// What has been compiled and loaded in this process. Compiled kernels are kept
// until Clear(); modules on a device live as long as somebody uses them. With a
// cache on disk, kernels come from there before they are compiled, and go there
// afterwards; where all of them are there, the compiler is not even opened.
//
// Thread safe. Threads that ask for the same kernel at once share one
// compilation: the others wait and get its result, also where it is an error.
// An error is not kept, so asking again later compiles again.

#ifndef GSA_RUNTIME_CORE_CUDA_KERNEL_CACHE_H_
#define GSA_RUNTIME_CORE_CUDA_KERNEL_CACHE_H_

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/cuda/kernel_event.h"
#include "runtime/core/cuda/nvrtc_compiler.h"
#include "runtime/core/cuda/nvrtc_loader.h"
#include "runtime/core/program_cache.h"

namespace gsa {

struct CachedKernel {
  std::string key;
  CompiledCuda code;
};

// A module in the primary context of a device, unloaded at the end.
class LoadedModule {
 public:
  static absl::StatusOr<std::shared_ptr<LoadedModule>> Load(
      std::shared_ptr<const PrimaryContext> context, const std::string& image);
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  cuda::Module get() const { return module_; }

 private:
  LoadedModule(std::shared_ptr<const PrimaryContext> context,
               cuda::Module module)
      : context_(std::move(context)), module_(module) {}

  std::shared_ptr<const PrimaryContext> context_;
  cuda::Module module_;
};

class KernelCache {
 public:
  using Compiler =
      std::function<absl::StatusOr<CompiledCuda>(const CompileRequest&)>;

  struct Stats {
    int64_t compiles = 0;  // begun, failures included
    int64_t failures = 0;
    int64_t disk_hits = 0;            // read instead
    int64_t hits = 0;                 // found compiled
    int64_t waits = 0;                // found in the making
    double compile_milliseconds = 0;  // summed over compiles, not wall time
    int64_t modules_loaded = 0;
    int64_t module_hits = 0;
  };

  // What a kernel is kept under on disk says who would compile it. Called
  // before and after compiling, since the first answer may be a guess.
  using Identify = std::function<absl::StatusOr<NvrtcIdentity>()>;

  // `compiler_id` names the compiler and its version; it is part of each key.
  KernelCache(std::string compiler_id, Compiler compiler)
      : KernelCache(std::move(compiler_id), std::move(compiler), nullptr, {}) {}
  // The same over a cache on disk; null: none.
  KernelCache(std::string compiler_id, Compiler compiler,
              std::shared_ptr<ProgramCache> programs, Identify identify)
      : compiler_id_(std::move(compiler_id)),
        compiler_(std::move(compiler)),
        programs_(std::move(programs)),
        identify_(std::move(identify)) {}

  // A cache over an NVRTC, which it keeps.
  static std::unique_ptr<KernelCache> ForNvrtc(
      std::shared_ptr<const NvrtcApi> nvrtc);

  // A cache over the NVRTC that `loader` opens for what is not in `programs`.
  static std::unique_ptr<KernelCache> ForLoader(
      std::shared_ptr<NvrtcLoader> loader,
      std::shared_ptr<ProgramCache> programs);

  // The cache of this process for code that is there: it loads modules, and to
  // compile is an error. Never destroyed.
  static KernelCache* ForImages();

  // The cache of this process, over the NVRTC of the standard places. A failure
  // to find one is not kept. Never destroyed.
  static absl::StatusOr<KernelCache*> Default();

  // SHA-256 of the compiler, the architecture, the options, the headers and the
  // text.
  std::string KeyOf(const CompileRequest& request) const;

  // What the request's kernel is kept under on disk: SHA-256 of the key, of all
  // options of that compiler and of its identity.
  std::string ProgramKeyOf(const CompileRequest& request,
                           const NvrtcIdentity& compiler) const;

  // What a report says of a kernel that Get() gave.
  static KernelEvent EventOf(const std::string& symbol,
                             const CompileRequest& request,
                             const CachedKernel& kernel, KernelOrigin origin);

  // The kernel, compiled by this call or before. `origin` may be null.
  // FailedPrecondition: it would have to be compiled, which a cache on disk of
  // the mode kOnly forbids.
  absl::StatusOr<std::shared_ptr<const CachedKernel>> Get(
      const CompileRequest& request, KernelOrigin* origin = nullptr);

  // The kernels of all requests in their order, compiled on up to `num_threads`
  // threads, of which the system may give fewer. The most work begins first,
  // since the time of all is that of the one that ends last, and equal ones in
  // the order of the requests. All are tried; the first error in the order of
  // the requests is returned. `origins` may be null.
  absl::StatusOr<std::vector<std::shared_ptr<const CachedKernel>>> GetAll(
      absl::Span<const CompileRequest> requests, int num_threads,
      std::vector<KernelOrigin>* origins = nullptr);

  // The kernel's module on a device, loaded by this call or in use already.
  absl::StatusOr<std::shared_ptr<LoadedModule>> LoadModule(
      const std::shared_ptr<const PrimaryContext>& context,
      const CachedKernel& kernel);

  Stats stats() const;

  // The cache on disk, or null.
  const std::shared_ptr<ProgramCache>& programs() const { return programs_; }

  // Forgets what is compiled; what is in use stays valid.
  void Clear();

 private:
  // The state of a key that is being compiled or is compiled.
  struct Entry {
    bool done = false;
    absl::Status status;
    std::shared_ptr<const CachedKernel> kernel;
  };

  // From disk, or compiled and put there.
  absl::StatusOr<CompiledCuda> Make(const CompileRequest& request,
                                    KernelOrigin* origin);
  // `key`: for who asks what has been compiled.
  absl::StatusOr<CompiledCuda> Compile(const CompileRequest& request,
                                       const std::string& key);
  std::optional<CompiledCuda> Read(const std::string& key,
                                   const CompileRequest& request,
                                   bool* absent = nullptr);

  const std::string compiler_id_;
  const Compiler compiler_;
  const std::shared_ptr<ProgramCache> programs_;
  const Identify identify_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  Stats stats_;

  // Also held while a module is loaded, so that it is loaded once.
  std::mutex modules_mutex_;
  std::map<std::pair<cuda::Context, std::string>, std::weak_ptr<LoadedModule>>
      modules_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_KERNEL_CACHE_H_

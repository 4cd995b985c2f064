// -----------------------------------------------------------------------------
// File: kernel_cache.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/kernel_cache.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <numeric>
#include <string>
#include <system_error>
#include <thread>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/compilations.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

const char* KindOf(CudaOutput output) {
  return output == CudaOutput::kPtx ? "ptx" : "cubin";
}

ProgramEntry ToEntry(std::string key, const CompiledCuda& compiled,
                     const CompileRequest& request,
                     const NvrtcIdentity& compiler) {
  ProgramEntry entry;
  entry.key = std::move(key);
  entry.kind = KindOf(compiled.output);
  entry.fields = {
      {"name", request.name},
      {"arch", request.arch},
      {"compiler", compiler.ToString()},
      {"options", absl::StrJoin(NvrtcOptions(compiler.major, request), " ")},
      {"milliseconds", absl::StrCat(compiled.milliseconds)},
      {"log", compiled.log.text}};
  entry.payload = compiled.image;
  return entry;
}

// What the log says of a kernel is read from it as after compiling.
CompiledCuda FromEntry(ProgramEntry entry, CudaOutput output) {
  CompiledCuda compiled;
  compiled.output = output;
  compiled.log.text = entry.Field("log");
  compiled.log.messages = ParseMessages(compiled.log.text);
  if (output == CudaOutput::kCubin)
    compiled.kernels = ParseResources(compiled.log.text);
  if (!absl::SimpleAtod(entry.Field("milliseconds"), &compiled.milliseconds))
    compiled.milliseconds = 0;
  compiled.image = std::move(entry.payload);
  return compiled;
}

int64_t WorkOf(const CompileRequest& request) {
  return request.work > 0 ? request.work
                          : static_cast<int64_t>(request.source.size());
}

std::atomic<int64_t>& CompiledKernels() {
  static std::atomic<int64_t> count = 0;
  return count;
}

}  // namespace

int64_t KernelCompilations() { return CompiledKernels(); }

const char* ToString(KernelOrigin origin) {
  switch (origin) {
    case KernelOrigin::kCompiled:
      return "compiled";
    case KernelOrigin::kDisk:
      return "disk";
    case KernelOrigin::kMemory:
      return "memory";
  }
  return "";
}

absl::StatusOr<std::shared_ptr<LoadedModule>> LoadedModule::Load(
    std::shared_ptr<const PrimaryContext> context, const std::string& image) {
  ScopedContext scope(context->driver(), context->get());
  GSA_RETURN_IF_ERROR(scope.status());
  GSA_ASSIGN_OR_RETURN(const cuda::Module module,
                       context->driver().ModuleLoadData(image));
  return std::shared_ptr<LoadedModule>(
      new LoadedModule(std::move(context), module));
}

LoadedModule::~LoadedModule() {
  ScopedContext scope(context_->driver(), context_->get());
  // Fails only where the context is lost, and the module with it.
  if (scope.status().ok())
    context_->driver().ModuleUnload(module_).IgnoreError();
}

std::unique_ptr<KernelCache> KernelCache::ForNvrtc(
    std::shared_ptr<const NvrtcApi> nvrtc) {
  const std::string id = absl::StrCat("nvrtc ", nvrtc->version());
  return std::make_unique<KernelCache>(
      id, [nvrtc = std::move(nvrtc)](const CompileRequest& request) {
        return CompileCuda(*nvrtc, request);
      });
}

std::unique_ptr<KernelCache> KernelCache::ForLoader(
    std::shared_ptr<NvrtcLoader> loader,
    std::shared_ptr<ProgramCache> programs) {
  const auto compile =
      [loader](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
    GSA_ASSIGN_OR_RETURN(std::shared_ptr<const NvrtcApi> nvrtc, loader->Get());
    return CompileCuda(*nvrtc, request);
  };
  return std::make_unique<KernelCache>("nvrtc", compile, std::move(programs),
                                       [loader] { return loader->Identify(); });
}

KernelCache* KernelCache::ForImages() {
  static KernelCache* cache = new KernelCache(
      "none",
      [](const CompileRequest& request) -> absl::StatusOr<CompiledCuda> {
        return absl::FailedPreconditionError(
            absl::StrCat(request.name, ": there is no compiler for it"));
      });
  return cache;
}

absl::StatusOr<KernelCache*> KernelCache::Default() {
  static std::mutex& mutex = *new std::mutex;
  static KernelCache* cache = nullptr;
  std::lock_guard<std::mutex> lock(mutex);
  if (cache == nullptr) {
    GSA_ASSIGN_OR_RETURN(std::shared_ptr<const NvrtcApi> nvrtc,
                         NvrtcApi::Load());
    cache = ForNvrtc(std::move(nvrtc)).release();
  }
  return cache;
}

std::string KernelCache::KeyOf(const CompileRequest& request) const {
  Sha256 hash;
  hash.UpdateField(compiler_id_);
  hash.UpdateField(request.arch);
  hash.UpdateField(KindOf(request.output));
  // The name is in messages and in line information.
  hash.UpdateField(request.name);
  hash.UpdateField(absl::StrCat(request.options.size()));
  for (const std::string& option : request.options) hash.UpdateField(option);
  hash.UpdateField(HeadersDigest(request.headers));
  hash.UpdateField(request.source);
  return hash.HexDigest();
}

std::string KernelCache::ProgramKeyOf(const CompileRequest& request,
                                      const NvrtcIdentity& compiler) const {
  Sha256 hash;
  hash.UpdateField("gsa kernel");
  hash.UpdateField(absl::StrCat(kProgramEntryVersion));
  hash.UpdateField(compiler.ToString());
  for (const std::string& option : NvrtcOptions(compiler.major, request))
    hash.UpdateField(option);
  hash.UpdateField(KeyOf(request));
  return hash.HexDigest();
}

std::optional<CompiledCuda> KernelCache::Read(const std::string& key,
                                              const CompileRequest& request,
                                              bool* absent) {
  std::optional<ProgramEntry> entry =
      programs_->Read(key, KindOf(request.output), absent);
  if (!entry || entry->payload.empty()) return std::nullopt;
  std::lock_guard<std::mutex> lock(mutex_);
  ++stats_.disk_hits;
  return FromEntry(*std::move(entry), request.output);
}

absl::StatusOr<CompiledCuda> KernelCache::Compile(const CompileRequest& request,
                                                  const std::string& key) {
  CompilationEvent event = {KindOf(request.output), request.name, request.arch,
                            key, 0};
  GSA_RETURN_IF_ERROR(CheckCompilation(event));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ++stats_.compiles;
  }
  absl::StatusOr<CompiledCuda> compiled = compiler_(request);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!compiled.ok()) {
      ++stats_.failures;
      return compiled;
    }
    stats_.compile_milliseconds += compiled->milliseconds;
    ++CompiledKernels();
  }
  event.milliseconds = compiled->milliseconds;
  NoteCompilation(event);
  return compiled;
}

absl::StatusOr<CompiledCuda> KernelCache::Make(const CompileRequest& request,
                                               KernelOrigin* origin) {
  *origin = KernelOrigin::kCompiled;
  if (programs_ == nullptr || !programs_->options().enabled())
    return Compile(request, KeyOf(request));
  // Where it cannot be told the compiler cannot be opened, and says why.
  const absl::StatusOr<NvrtcIdentity> guess = identify_();
  if (!guess.ok()) return Compile(request, KeyOf(request));
  const std::string key = ProgramKeyOf(request, *guess);
  *origin = KernelOrigin::kDisk;
  bool absent;
  if (auto found = Read(key, request, &absent)) return *std::move(found);
  const ProgramCache::Claim claim = programs_->Lock(key);
  // Another process may have put it there while this one waited for the claim,
  // or between the look and the claim.
  if (claim.waited() || absent)
    if (auto found = Read(key, request)) return *std::move(found);
  if (programs_->options().mode == CacheMode::kOnly)
    return absl::FailedPreconditionError(absl::StrCat(
        request.name, " (", KindOf(request.output), ", ", request.arch,
        ", key ", key, ") is not in the cache ", programs_->options().directory,
        ", whose mode 'only' forbids to compile it"));
  *origin = KernelOrigin::kCompiled;
  absl::StatusOr<CompiledCuda> compiled = Compile(request, key);
  if (!compiled.ok()) return compiled;
  const absl::StatusOr<NvrtcIdentity> actual = identify_();
  if (actual.ok())
    programs_->Write(
        ToEntry(ProgramKeyOf(request, *actual), *compiled, request, *actual));
  return compiled;
}

KernelEvent KernelCache::EventOf(const std::string& symbol,
                                 const CompileRequest& request,
                                 const CachedKernel& kernel,
                                 KernelOrigin origin) {
  KernelEvent event;
  event.symbol = symbol;
  event.kind = KindOf(request.output);
  event.arch = request.arch;
  event.key = kernel.key;
  event.origin = origin;
  event.milliseconds = kernel.code.milliseconds;
  return event;
}

absl::StatusOr<std::shared_ptr<const CachedKernel>> KernelCache::Get(
    const CompileRequest& request, KernelOrigin* origin) {
  KernelOrigin ignored;
  if (origin == nullptr) origin = &ignored;
  *origin = KernelOrigin::kMemory;
  const std::string key = KeyOf(request);
  std::shared_ptr<Entry> entry;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    std::shared_ptr<Entry>& slot = entries_[key];
    if (slot != nullptr) {
      entry = slot;
      ++(entry->done ? stats_.hits : stats_.waits);
      changed_.wait(lock, [&] { return entry->done; });
      if (!entry->status.ok()) return entry->status;
      return entry->kernel;
    }
    entry = slot = std::make_shared<Entry>();
  }

  absl::StatusOr<CompiledCuda> compiled = Make(request, origin);

  std::lock_guard<std::mutex> lock(mutex_);
  if (compiled.ok()) {
    entry->kernel =
        std::make_shared<CachedKernel>(CachedKernel{key, *std::move(compiled)});
  } else {
    entry->status = compiled.status();
    // Those who wait hold the entry; the next one begins anew. The slot may be
    // another's where Clear() came between.
    const auto slot = entries_.find(key);
    if (slot != entries_.end() && slot->second == entry) entries_.erase(slot);
  }
  entry->done = true;
  changed_.notify_all();
  if (!entry->status.ok()) return entry->status;
  return entry->kernel;
}

absl::StatusOr<std::vector<std::shared_ptr<const CachedKernel>>>
KernelCache::GetAll(absl::Span<const CompileRequest> requests, int num_threads,
                    std::vector<KernelOrigin>* origins) {
  std::vector<std::shared_ptr<const CachedKernel>> kernels(requests.size());
  std::vector<absl::Status> statuses(requests.size());
  std::vector<KernelOrigin> found(requests.size(), KernelOrigin::kMemory);
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return WorkOf(requests[a]) > WorkOf(requests[b]);
  });
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t n = next++; n < order.size(); n = next++) {
      const size_t i = order[n];
      auto kernel = Get(requests[i], &found[i]);
      statuses[i] = kernel.status();
      if (kernel.ok()) kernels[i] = *std::move(kernel);
    }
  };
  const size_t threads =
      std::min<size_t>(std::max(num_threads, 1), requests.size());
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) {
    try {
      others.emplace_back(work);
    } catch (const std::system_error&) {
      break;  // Those that could be started do it, this one at least.
    }
  }
  work();
  for (std::thread& thread : others) thread.join();
  for (const absl::Status& status : statuses) GSA_RETURN_IF_ERROR(status);
  if (origins != nullptr) *origins = std::move(found);
  return kernels;
}

absl::StatusOr<std::shared_ptr<LoadedModule>> KernelCache::LoadModule(
    const std::shared_ptr<const PrimaryContext>& context,
    const CachedKernel& kernel) {
  std::lock_guard<std::mutex> lock(modules_mutex_);
  // An entry that has expired is of no context that lives: its address may have
  // been given to another one since.
  for (auto it = modules_.begin(); it != modules_.end();)
    it = it->second.expired() ? modules_.erase(it) : std::next(it);
  std::weak_ptr<LoadedModule>& slot = modules_[{context->get(), kernel.key}];
  std::shared_ptr<LoadedModule> module = slot.lock();
  const bool hit = module != nullptr;
  if (!hit) {
    GSA_ASSIGN_OR_RETURN(module,
                         LoadedModule::Load(context, kernel.code.image));
    slot = module;
  }
  std::lock_guard<std::mutex> stats_lock(mutex_);
  ++(hit ? stats_.module_hits : stats_.modules_loaded);
  return module;
}

KernelCache::Stats KernelCache::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void KernelCache::Clear() {
  std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
}

}  // namespace gsa

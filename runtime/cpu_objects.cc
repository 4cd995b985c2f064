// -----------------------------------------------------------------------------
// File: cpu_objects.cc
// -----------------------------------------------------------------------------

#include "runtime/cpu_objects.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "mlir/IR/Verifier.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/run_context.h"
#include "runtime/core/sha256.h"
#include "runtime/plan_bytes.h"
#include "runtime/status_adapter.h"

namespace gsa {

// Of everything that decides what code is made; written by the build.
extern const char kGeneratorHash[];

namespace {

constexpr char kKind[] = "object";

// The bytes of the file that `address` was loaded from: updates of a shared
// LLVM may keep its version.
int64_t BytesOfFileOf(const void* address) {
  Dl_info info;
  struct stat file;
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr ||
      stat(info.dli_fname, &file) != 0) {
    return 0;
  }
  return file.st_size;
}

const std::string& CompilerIdentity() {
  static const std::string& identity = *new std::string(absl::StrCat(
      "LLVM " LLVM_VERSION_STRING ", ",
      BytesOfFileOf(reinterpret_cast<const void*>(&llvm::sys::getHostCPUName)),
      " and ", BytesOfFileOf(reinterpret_cast<const void*>(&mlir::verify)),
      " bytes, gsa ", kGeneratorHash));
  return identity;
}

// The caches of this process.
struct Caches {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<ProgramCache>> by_place;
};

}  // namespace

std::string CpuObjectKey(Compilation* compilation,
                         const CpuCodeOptions& options) {
  std::string text;
  {
    llvm::raw_string_ostream os(text);
    compilation->module().print(os);
  }
  Sha256 hash;
  hash.UpdateField("gsa cpu object");
  hash.UpdateField(absl::StrCat(kProgramEntryVersion));
  hash.UpdateField(CompilerIdentity());
  hash.UpdateField(llvm::sys::getProcessTriple());
  hash.UpdateField(mlir::gsa::hostCpuName());
  hash.UpdateField(mlir::gsa::hostCpuFeatures());
  hash.UpdateField(absl::StrCat(options.vector_bits, " ", options.tasks, " ",
                                options.opt_level, " ", options.reference));
  hash.UpdateField(options.schedules);
  hash.UpdateField(compilation->entry());
  hash.UpdateField(absl::StrCat(compilation->shapes().size()));
  for (const std::string& shape : compilation->shapes()) {
    hash.UpdateField(shape);
  }
  hash.UpdateField(text);
  return hash.HexDigest();
}

std::string EncodeCpuProgram(const CpuProgram& program) {
  ByteWriter writer;
  WriteInterface(program, &writer);
  writer.Number(program.workspace_bytes);
  writer.Text(program.object.entrySymbol);
  writer.Text(program.object.cpu);
  writer.Text(program.object.features);
  writer.Text({program.object.bytes.data(), program.object.bytes.size()});
  return writer.Take();
}

bool DecodeCpuProgram(absl::string_view bytes, CpuProgram* program) {
  ByteReader reader(bytes);
  ReadInterface(&reader, program);
  program->workspace_bytes = reader.Number();
  program->object.entrySymbol = std::string(reader.Text());
  program->object.cpu = std::string(reader.Text());
  program->object.features = std::string(reader.Text());
  const absl::string_view object = reader.Text();
  program->object.bytes.assign(object.begin(), object.end());
  return reader.AtEnd() && program->workspace_bytes >= 0 && !object.empty();
}

ProgramEntry CpuEntry(const std::string& key, const std::string& name,
                      const CpuProgram& program, const CpuCodeOptions& options,
                      double milliseconds) {
  ProgramEntry entry;
  entry.key = key;
  entry.kind = kKind;
  entry.fields = {
      {"name", name},
      {"arch", program.object.cpu},
      {"compiler", CompilerIdentity()},
      {"options",
       absl::StrCat(options.vector_bits, "-bit vectors, ", options.tasks,
                    options.tasks == 1 ? " thread" : " threads", ", -O",
                    options.opt_level,
                    options.reference ? ", definitions" : "")},
      {"milliseconds", absl::StrCat(milliseconds)}};
  entry.payload = EncodeCpuProgram(program);
  return entry;
}

bool ReadCpuProgram(ProgramCache* programs, const std::string& key,
                    CpuProgram* program, bool* absent) {
  const std::optional<ProgramEntry> entry = programs->Read(key, kKind, absent);
  if (!entry.has_value()) return false;
  if (!absl::SimpleAtod(entry->Field("milliseconds"), &program->milliseconds)) {
    program->milliseconds = 0;
  }
  return DecodeCpuProgram(entry->payload, program) &&
         program->object.cpu == mlir::gsa::hostCpuName() &&
         program->object.features == mlir::gsa::hostCpuFeatures();
}

ProgramCache* CpuPrograms(const CompileOptions& options) {
  const ProgramCacheOptions& cache = options.cache;
  if (!cache.enabled()) return nullptr;
  static Caches& caches = *new Caches;
  std::lock_guard<std::mutex> lock(caches.mutex);
  std::unique_ptr<ProgramCache>& programs = caches.by_place[absl::StrCat(
      cache.directory, "|", ToString(cache.mode), "|", cache.max_bytes)];
  if (programs == nullptr) programs = std::make_unique<ProgramCache>(cache);
  return programs.get();
}

llvm::StringMap<void*> CpuSymbols() {
  llvm::StringMap<void*> symbols;
  symbols["gsa_cpu_parallel"] = reinterpret_cast<void*>(&gsa_cpu_parallel);
  symbols["gsa_cpu_zone"] = reinterpret_cast<void*>(&gsa_cpu_zone);
  return symbols;
}

absl::StatusOr<std::unique_ptr<Executable>> LoadPackedCpuPlan(
    const PackedPlan& plan) {
  CpuProgram program;
  if (!DecodeCpuProgram(plan.code, &program)) {
    return absl::InvalidArgumentError("its code is none of this library");
  }
  const std::string cpu = mlir::gsa::hostCpuName();
  if (program.object.cpu != cpu ||
      program.object.features != mlir::gsa::hostCpuFeatures()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it is for ", program.object.cpu, ", this processor is ", cpu,
        program.object.cpu == cpu ? " with other features" : ""));
  }
  std::string description = absl::StrCat(
      cpu, ", ", plan.num_threads,
      plan.num_threads == 1 ? " thread" : " threads", ", of a pack");
  llvm::Expected<std::unique_ptr<mlir::gsa::CpuModule>> code =
      mlir::gsa::CpuModule::load(std::move(program.object), CpuSymbols());
  if (!code) return ToStatus(code.takeError(), absl::StatusCode::kInternal);
  return MakeCpuExecutable(std::move(*code), std::move(program.zone_names),
                           program.workspace_bytes, std::move(description));
}

}  // namespace gsa

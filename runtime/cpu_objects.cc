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
#include "runtime/core/sha256.h"

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

// Numbers and strings one after the other, and back.
class Writer {
 public:
  void Number(int64_t value) {
    const auto word = static_cast<uint64_t>(value);
    for (int i = 0; i < 8; ++i) {
      bytes_ += static_cast<char>(word >> (8 * i) & 0xff);
    }
  }
  void Text(absl::string_view text) {
    Number(static_cast<int64_t>(text.size()));
    absl::StrAppend(&bytes_, text);
  }
  void Specs(const std::vector<TensorSpec>& specs) {
    Number(static_cast<int64_t>(specs.size()));
    for (const TensorSpec& spec : specs) {
      Text(spec.name);
      Text(DTypeName(spec.dtype));
      Number(static_cast<int64_t>(spec.shape.size()));
      for (int64_t size : spec.shape) Number(size);
    }
  }
  void Classes(const std::vector<std::vector<int>>& classes) {
    Number(static_cast<int64_t>(classes.size()));
    for (const std::vector<int>& of_tensor : classes) {
      Number(static_cast<int64_t>(of_tensor.size()));
      for (int size_class : of_tensor) Number(size_class);
    }
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the first thing that is not there, nothing is.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool AtEnd() const { return ok_ && bytes_.empty(); }

  int64_t Number() {
    const absl::string_view word = Take(8);
    uint64_t value = 0;
    for (size_t i = 0; i < word.size(); ++i) {
      value |= uint64_t{static_cast<unsigned char>(word[i])} << (8 * i);
    }
    return static_cast<int64_t>(value);
  }
  // A number of things that take at least 8 bytes each.
  size_t Count() {
    const int64_t count = Number();
    if (count < 0 || static_cast<uint64_t>(count) > bytes_.size() / 8) {
      ok_ = false;
    }
    return ok_ ? static_cast<size_t>(count) : 0;
  }
  std::string Text() {
    const int64_t size = Number();
    if (size < 0) ok_ = false;
    return std::string(Take(static_cast<uint64_t>(size)));
  }
  std::vector<TensorSpec> Specs() {
    std::vector<TensorSpec> specs(Count());
    for (TensorSpec& spec : specs) {
      spec.name = Text();
      const absl::StatusOr<DType> dtype = ParseDType(Text());
      if (dtype.ok()) {
        spec.dtype = *dtype;
      } else {
        ok_ = false;
      }
      spec.shape.resize(Count());
      if (spec.shape.size() > kMaxRank) ok_ = false;
      for (int64_t& size : spec.shape) {
        size = Number();
        if (size < 0) ok_ = false;
      }
      // Callers rely on the bytes of a tensor being a number.
      if (ok_ && !CheckedByteSize(spec.dtype, spec.shape).ok()) ok_ = false;
    }
    return specs;
  }

  std::vector<SizeClassSpec> SizeClasses() {
    std::vector<SizeClassSpec> classes(Count());
    for (SizeClassSpec& size : classes) {
      size.bound = Number();
      size.is_static = Number() != 0;
      size.place = Text();
      if (size.bound < 0) ok_ = false;
    }
    return classes;
  }
  // The classes, each below `num_classes`, of the sizes of `specs`; none
  // without classes.
  std::vector<std::vector<int>> Classes(const std::vector<TensorSpec>& specs,
                                        size_t num_classes) {
    std::vector<std::vector<int>> classes(Count());
    if (classes.size() != (num_classes == 0 ? 0 : specs.size())) ok_ = false;
    for (size_t i = 0; i < classes.size() && ok_; ++i) {
      classes[i].resize(Count());
      if (classes[i].size() != specs[i].shape.size()) ok_ = false;
      for (int& size_class : classes[i]) {
        const int64_t number = Number();
        if (number < 0 || static_cast<uint64_t>(number) >= num_classes) {
          ok_ = false;
        } else {
          size_class = static_cast<int>(number);
        }
      }
    }
    return classes;
  }

 private:
  absl::string_view Take(uint64_t size) {
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return "";
    const absl::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  absl::string_view bytes_;
  bool ok_ = true;
};

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
  hash.UpdateField(compilation->entry());
  hash.UpdateField(absl::StrCat(compilation->shapes().size()));
  for (const std::string& shape : compilation->shapes()) {
    hash.UpdateField(shape);
  }
  hash.UpdateField(text);
  return hash.HexDigest();
}

std::string EncodeCpuProgram(const CpuProgram& program) {
  Writer writer;
  writer.Specs(program.inputs);
  writer.Specs(program.outputs);
  writer.Number(static_cast<int64_t>(program.size_classes.size()));
  for (const SizeClassSpec& size : program.size_classes) {
    writer.Number(size.bound);
    writer.Number(size.is_static ? 1 : 0);
    writer.Text(size.place);
  }
  writer.Classes(program.input_classes);
  writer.Classes(program.output_classes);
  writer.Number(static_cast<int64_t>(program.zone_names.size()));
  for (const std::string& name : program.zone_names) writer.Text(name);
  writer.Number(program.workspace_bytes);
  writer.Text(program.object.entrySymbol);
  writer.Text(program.object.cpu);
  writer.Text(program.object.features);
  writer.Text({program.object.bytes.data(), program.object.bytes.size()});
  return writer.Take();
}

bool DecodeCpuProgram(absl::string_view bytes, CpuProgram* program) {
  Reader reader(bytes);
  program->inputs = reader.Specs();
  program->outputs = reader.Specs();
  program->size_classes = reader.SizeClasses();
  const size_t num_classes = program->size_classes.size();
  program->input_classes = reader.Classes(program->inputs, num_classes);
  program->output_classes = reader.Classes(program->outputs, num_classes);
  program->zone_names.resize(reader.Count());
  for (std::string& name : program->zone_names) name = reader.Text();
  program->workspace_bytes = reader.Number();
  program->object.entrySymbol = reader.Text();
  program->object.cpu = reader.Text();
  program->object.features = reader.Text();
  const std::string object = reader.Text();
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

}  // namespace gsa

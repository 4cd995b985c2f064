// -----------------------------------------------------------------------------
// File: pack.cc
// -----------------------------------------------------------------------------

#include "runtime/pack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/cuda/program_bytes.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"
#include "runtime/plan_bytes.h"

namespace gsa {
namespace {

constexpr absl::string_view kMagic = "GSAPACKS";
constexpr size_t kHeaderBytes = 16;
constexpr size_t kDigestBytes = 64;

std::string DigestOf(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

void WritePlan(const PackedPlan& plan, ImageTable* images, ByteWriter* writer) {
  writer->Text(plan.module);
  writer->Text(plan.entry);
  WriteInterface(plan.interface, writer);
  writer->Number(plan.kind == TargetKind::kCuda ? 1 : 0);
  writer->Text(plan.arch);
  writer->Number(plan.num_threads);
  if (plan.kind == TargetKind::kCuda)
    WriteProgram(plan.program, images, writer);
  else
    writer->Text(plan.code);
}

// Whether the buffers of a program are those that the interface tells of: a run
// is checked against the interface alone.
bool Agrees(const std::vector<TensorSpec>& specs,
            const std::vector<BufferInfo>& buffers) {
  if (specs.size() != buffers.size()) return false;
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto bytes = CheckedByteSize(specs[i].dtype, specs[i].shape);
    if (!bytes.ok() || *bytes < buffers[i].bytes) return false;
  }
  return true;
}

// Whether the outputs of both update the same inputs.
bool UpdatesAgree(const PlanInterface& interface,
                  const DeviceProgram& program) {
  for (size_t i = 0; i < program.outputs.size(); ++i) {
    const int32_t updated = program.outputs[i].updates;
    const std::string& name = interface.outputs[i].updates;
    const bool known =
        updated >= 0 && static_cast<size_t>(updated) < interface.inputs.size();
    if (known ? interface.inputs[updated].name != name
              : updated != -1 || !name.empty())
      return false;
  }
  return true;
}

PackedPlan ReadPlan(const ImageTable& images, ByteReader* reader) {
  PackedPlan plan;
  plan.module = std::string(reader->Text());
  plan.entry = std::string(reader->Text());
  ReadInterface(reader, &plan.interface);
  plan.kind =
      reader->NumberIn(0, 1) != 0 ? TargetKind::kCuda : TargetKind::kCpu;
  plan.arch = std::string(reader->Text());
  plan.num_threads = static_cast<int>(
      reader->NumberIn(1, std::numeric_limits<int32_t>::max()));
  if (plan.kind == TargetKind::kCpu) {
    plan.code = std::string(reader->Text());
    return plan;
  }
  plan.program = ReadProgram(images, reader);
  const PlanInterface& interface = plan.interface;
  if (plan.program.arch != plan.arch || !interface.size_classes.empty() ||
      !Agrees(interface.inputs, plan.program.inputs) ||
      !Agrees(interface.outputs, plan.program.outputs) ||
      !UpdatesAgree(interface, plan.program))
    reader->Fail();
  return plan;
}

// Closes a file at the end of a scope.
class ScopedFile {
 public:
  explicit ScopedFile(int fd) : fd_(fd) {}
  ~ScopedFile() {
    if (fd_ >= 0) close(fd_);
  }
  ScopedFile(const ScopedFile&) = delete;
  ScopedFile& operator=(const ScopedFile&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::string PackedPlan::ToString() const {
  return absl::StrCat(
      kind == TargetKind::kCuda ? "cuda " : "cpu ", arch, ", ", module, " @",
      entry, interface.size_classes.empty() ? ", " : ", up to ",
      absl::StrJoin(interface.inputs, ", ",
                    [](std::string* text, const TensorSpec& spec) {
                      absl::StrAppend(text, spec.ToString());
                    }));
}

std::string EncodePack(const Pack& pack) {
  // Codes come before the plans that name them, and are known after these.
  ImageTable images;
  ByteWriter plans;
  plans.Number(static_cast<int64_t>(pack.plans.size()));
  for (const PackedPlan& plan : pack.plans) WritePlan(plan, &images, &plans);
  ByteWriter head;
  head.Number(kPackVersion);
  head.Text(pack.producer);
  images.Write(&head);
  std::string bytes = absl::StrCat(kMagic, head.Take(), plans.Take());
  const std::string digest = DigestOf(bytes);
  return bytes + digest;
}

absl::StatusOr<Pack> DecodePack(absl::string_view bytes,
                                const std::string& name) {
  const auto refuse = [&](absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", name, "' is no pack of gsa-compile: ", what));
  };
  if (!absl::StartsWith(bytes, kMagic))
    return refuse("it begins with something else");
  if (bytes.size() < kHeaderBytes + kDigestBytes)
    return refuse("it is cut off");
  if (bytes.size() > kMaxPackBytes) return refuse("it is too large");
  ByteReader reader(
      bytes.substr(kMagic.size(), bytes.size() - kMagic.size() - kDigestBytes));
  // What another version has behind this number is not known.
  const int64_t version = reader.Number();
  if (version != kPackVersion)
    return absl::FailedPreconditionError(
        absl::StrCat("'", name, "' is a pack of version ", version,
                     ": expected one of version ", kPackVersion,
                     ", which the gsa-compile of this library makes"));
  // Before anything else is believed.
  const size_t end = bytes.size() - kDigestBytes;
  if (DigestOf(bytes.substr(0, end)) != bytes.substr(end))
    return refuse("it was cut off or changed, its digest is another one");
  Pack pack;
  pack.producer = std::string(reader.Text());
  const ImageTable images = ImageTable::Read(&reader);
  const size_t count = reader.Count();
  for (size_t i = 0; i < count && reader.ok(); ++i)
    pack.plans.push_back(ReadPlan(images, &reader));
  if (!reader.AtEnd())
    return refuse("its digest is right and its plans are not");
  return pack;
}

absl::StatusOr<Pack> ReadPack(const std::string& path) {
  const auto failed = [&](absl::string_view what, int error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cannot ", what, " the pack '", path, "': ", std::strerror(error)));
  };
  // A pipe without a writer must not be waited for.
  const ScopedFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed("open", errno);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return failed("look at", errno);
  if (!S_ISREG(info.st_mode))
    return absl::InvalidArgumentError(
        absl::StrCat("the pack '", path, "': expected a file"));
  if (info.st_size > static_cast<int64_t>(kMaxPackBytes))
    return absl::InvalidArgumentError(
        absl::StrCat("the pack '", path, "': expected at most ", kMaxPackBytes,
                     " bytes, got ", info.st_size));
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = read(file.get(), &bytes[filled], bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", errno);
    if (got == 0) break;  // It became shorter: the digest will tell.
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return DecodePack(bytes, path);
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// File: emu_executor.cc
// -----------------------------------------------------------------------------

#include "runtime/emu/emu_executor.h"

#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/subprocess.h"

namespace gsa {
namespace {

// Exit codes of an emulation, as codegen/device/emu/gsa/emu/block.h says.
constexpr int kRace = 66;
constexpr int kMisuse = 70;
constexpr int kHang = 71;

// The largest shared memory of a block of any supported architecture.
constexpr int64_t kMaxSharedBytes = 227 * 1024;

absl::Status WriteBytes(const std::string& path, const void* data,
                        int64_t bytes) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr)
    return absl::InternalError(absl::StrCat("cannot create ", path));
  bool good = bytes == 0 ||
              std::fwrite(data, 1, bytes, file) == static_cast<size_t>(bytes);
  good &= std::fclose(file) == 0;
  if (good) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot write ", bytes, " bytes to ", path));
}

absl::Status ReadBytes(const std::string& path, void* data, int64_t bytes) {
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr)
    return absl::InternalError(absl::StrCat("cannot open ", path));
  bool good = bytes == 0 ||
              std::fread(data, 1, bytes, file) == static_cast<size_t>(bytes);
  std::fclose(file);
  if (good) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot read ", bytes, " bytes from ", path));
}

absl::Status CheckBuffers(const char* what,
                          const std::vector<BufferInfo>& infos,
                          absl::Span<const void* const> buffers) {
  if (buffers.size() != infos.size())
    return absl::InvalidArgumentError(absl::StrCat(
        "got ", buffers.size(), " ", what, "s, expected ", infos.size()));
  for (size_t i = 0; i < infos.size(); ++i)
    if (buffers[i] == nullptr && infos[i].bytes > 0)
      return absl::InvalidArgumentError(
          absl::StrCat(what, " ", i, " (", infos[i].name,
                       ") is null, expected ", infos[i].bytes, " bytes"));
  return absl::OkStatus();
}

absl::Status ToStatus(const SubprocessResult& result, absl::Duration timeout) {
  std::string text = absl::StrCat("\n", result.output);
  if (result.timed_out)
    return absl::DeadlineExceededError(absl::StrCat(
        "emulation does not end within ", absl::FormatDuration(timeout), text));
  switch (result.exit_code) {
    case 0:
      return absl::OkStatus();
    case kRace:
      return absl::AbortedError(
          absl::StrCat("emulation has a data race", text));
    case kMisuse:
      return absl::InternalError(
          absl::StrCat("emulation misuses a device function", text));
    case kHang:
      return absl::DeadlineExceededError(absl::StrCat("emulation hangs", text));
    default:
      return absl::InternalError(
          absl::StrCat("emulation ends with code ", result.exit_code, text));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<const EmuExecutor>> EmuExecutor::Create(
    DeviceProgram program, const EmuOptions& options) {
  LaunchLimits limits;
  limits.max_smem_bytes = kMaxSharedBytes;
  GSA_RETURN_IF_ERROR(Validate(program, limits));
  HostCompiler* compiler = options.host_compiler;
  if (compiler == nullptr) {
    GSA_ASSIGN_OR_RETURN(compiler, HostCompiler::Shared(options.host));
  }
  HostCompilerOptions host;
  host.compiler = options.compiler;
  host.thread_sanitizer = options.thread_sanitizer;
  host.opt_level = options.opt_level;
  host.faults = !options.run.fault.empty();
  GSA_ASSIGN_OR_RETURN(std::string path,
                       compiler->Compile(EmuSource(program), host));
  return std::unique_ptr<const EmuExecutor>(
      new EmuExecutor(std::move(program), options, compiler, std::move(path)));
}

absl::Status EmuExecutor::Run(absl::Span<const void* const> inputs,
                              absl::Span<void* const> outputs) const {
  GSA_RETURN_IF_ERROR(CheckBuffers("input", program_.inputs, inputs));
  std::vector<const void*> results(outputs.begin(), outputs.end());
  GSA_RETURN_IF_ERROR(CheckBuffers("output", program_.outputs, results));
  GSA_ASSIGN_OR_RETURN(TemporaryPath directory, compiler_->MakeRunDirectory());
  return RunIn(directory.path(), inputs, outputs);
}

absl::Status EmuExecutor::RunIn(const std::string& directory,
                                absl::Span<const void* const> inputs,
                                absl::Span<void* const> outputs) const {
  for (size_t i = 0; i < inputs.size(); ++i)
    GSA_RETURN_IF_ERROR(WriteBytes(absl::StrCat(directory, "/in", i), inputs[i],
                                   program_.inputs[i].bytes));
  for (size_t i = 0; i < program_.constants.size(); ++i) {
    const std::vector<uint8_t>& bytes = program_.constants[i].bytes;
    GSA_RETURN_IF_ERROR(WriteBytes(absl::StrCat(directory, "/const", i),
                                   bytes.data(), bytes.size()));
  }
  EmuRunOptions run = options_.run;
  if (run.blocks_at_once == 0 && options_.thread_sanitizer)
    run.blocks_at_once = 2;
  std::string description = EmuDescription(program_, run);
  GSA_RETURN_IF_ERROR(WriteBytes(absl::StrCat(directory, "/program"),
                                 description.data(), description.size()));
  // Stop at the first race: what follows is its consequence.
  GSA_ASSIGN_OR_RETURN(
      SubprocessResult result,
      RunSubprocess({path_, directory},
                    {absl::StrCat("TSAN_OPTIONS=halt_on_error=1:exitcode=",
                                  kRace, ":report_signal_unsafe=0")},
                    options_.timeout));
  GSA_RETURN_IF_ERROR(ToStatus(result, options_.timeout));
  for (size_t i = 0; i < outputs.size(); ++i)
    GSA_RETURN_IF_ERROR(
        ReadBytes(absl::StrCat(directory, "/out", program_.inputs.size() + i),
                  outputs[i], program_.outputs[i].bytes));
  return absl::OkStatus();
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// File: nvrtc_compiler.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/nvrtc_compiler.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// Destroys the program at the end of a compilation.
class ProgramHandle {
 public:
  explicit ProgramHandle(const cuda::NvrtcTable& table) : table_(table) {}
  ~ProgramHandle() {
    if (program_ != nullptr) table_.DestroyProgram(&program_);
  }
  ProgramHandle(const ProgramHandle&) = delete;
  ProgramHandle& operator=(const ProgramHandle&) = delete;

  cuda::NvrtcProgram get() const { return program_; }
  cuda::NvrtcProgram* address() { return &program_; }

 private:
  const cuda::NvrtcTable& table_;
  cuda::NvrtcProgram program_ = nullptr;
};

absl::StatusCode CodeOf(cuda::NvrtcResult result) {
  switch (result) {
    case cuda::kNvrtcOutOfMemory:
      return absl::StatusCode::kResourceExhausted;
    case cuda::kNvrtcInvalidOption:
    case cuda::kNvrtcCompilation:
      return absl::StatusCode::kInvalidArgument;
    case cuda::kNvrtcBuiltinOperationFailure:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status Failure(const NvrtcApi& nvrtc, cuda::NvrtcResult result,
                     const std::string& what, const std::string& log) {
  std::string message =
      absl::StrCat(what, " failed with ", nvrtc.table().GetErrorString(result));
  if (result == cuda::kNvrtcBuiltinOperationFailure ||
      absl::StrContains(log, "nvrtc-builtins"))
    absl::StrAppend(&message, "; ", nvrtc.Describe(),
                    " needs libnvrtc-builtins.so.", nvrtc.version(),
                    " beside it");
  const absl::StatusCode code = absl::StrContains(log, "nvrtc-builtins")
                                    ? absl::StatusCode::kUnavailable
                                    : CodeOf(result);
  if (!log.empty()) absl::StrAppend(&message, "\n", log);
  return absl::Status(code, message);
}

absl::Status CheckArch(const NvrtcApi& nvrtc, const std::string& arch) {
  GSA_ASSIGN_OR_RETURN(const int number, ParseArch(arch));
  const std::vector<int>& known = nvrtc.supported_archs();
  if (std::find(known.begin(), known.end(), number) != known.end())
    return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(
      "architecture ", arch, " is not supported by NVRTC ", nvrtc.Describe(),
      ", which supports sm_", absl::StrJoin(known, ", sm_")));
}

// --minimal leaves out declarations that no kernel uses (textures, the device
// runtime): 5 to 10 ms less before the text is read. NVRTC 12 is not known to
// have it.
constexpr int kMinimalMajor = 13;

absl::Status Create(const NvrtcApi& nvrtc, const CompileRequest& request,
                    ProgramHandle* program) {
  std::vector<const char*> texts, names;
  for (const SourceHeader& header : request.headers) {
    texts.push_back(header.text.c_str());
    names.push_back(header.name.c_str());
  }
  const cuda::NvrtcResult result = nvrtc.table().CreateProgram(
      program->address(), request.source.c_str(), request.name.c_str(),
      static_cast<int>(names.size()), texts.data(), names.data());
  if (result == cuda::kNvrtcSuccess) return absl::OkStatus();
  return Failure(nvrtc, result,
                 absl::StrCat("creating the NVRTC program of ", request.name),
                 "");
}

absl::StatusOr<std::string> ReadLog(const NvrtcApi& nvrtc,
                                    cuda::NvrtcProgram program,
                                    const CompileRequest& request) {
  size_t size = 0;
  cuda::NvrtcResult result = nvrtc.table().GetProgramLogSize(program, &size);
  std::string log(size, '\0');
  if (result == cuda::kNvrtcSuccess && size > 1)
    result = nvrtc.table().GetProgramLog(program, log.data());
  if (result != cuda::kNvrtcSuccess)
    return Failure(nvrtc, result,
                   absl::StrCat("reading the log of ", request.name), "");
  if (!log.empty()) log.pop_back();  // the final zero
  return log;
}

absl::StatusOr<std::string> ReadImage(const NvrtcApi& nvrtc,
                                      cuda::NvrtcProgram program,
                                      const CompileRequest& request) {
  const cuda::NvrtcTable& table = nvrtc.table();
  const bool ptx = request.output == CudaOutput::kPtx;
  size_t size = 0;
  cuda::NvrtcResult result = ptx ? table.GetPTXSize(program, &size)
                                 : table.GetCUBINSize(program, &size);
  std::string image(size, '\0');
  if (result == cuda::kNvrtcSuccess)
    result = ptx ? table.GetPTX(program, image.data())
                 : table.GetCUBIN(program, image.data());
  if (result != cuda::kNvrtcSuccess)
    return Failure(nvrtc, result,
                   absl::StrCat("reading the code of ", request.name), "");
  if (image.size() <= 1)
    return absl::InternalError(absl::StrCat(
        "NVRTC made no ", ptx ? "PTX" : "cubin", " of ", request.name));
  return image;
}

// The number before `unit` in `line`, as in "736 bytes stack frame".
int64_t NumberBefore(absl::string_view line, absl::string_view unit) {
  const size_t end = line.find(unit);
  if (end == absl::string_view::npos || end == 0) return 0;
  const absl::string_view head =
      absl::StripTrailingAsciiWhitespace(line.substr(0, end));
  size_t begin = head.size();
  while (begin > 0 && head[begin - 1] >= '0' && head[begin - 1] <= '9') --begin;
  int64_t number = 0;
  return absl::SimpleAtoi(head.substr(begin), &number) ? number : 0;
}

// The text between two apostrophes after `prefix`.
bool QuotedAfter(absl::string_view line, absl::string_view prefix,
                 std::string* text) {
  const size_t at = line.find(prefix);
  if (at == absl::string_view::npos) return false;
  const absl::string_view rest = line.substr(at + prefix.size());
  const size_t begin = rest.find('\'');
  const size_t end = rest.find('\'', begin + 1);
  if (begin == absl::string_view::npos || end == absl::string_view::npos)
    return false;
  *text = std::string(rest.substr(begin + 1, end - begin - 1));
  return true;
}

// "kernel.cu(7): " at the front of `line`: fills in file and line.
void ParsePlace(absl::string_view place, CompileMessage* message) {
  if (!absl::ConsumeSuffix(&place, "): ")) return;
  const size_t open = place.rfind('(');
  if (open == absl::string_view::npos) return;
  if (!absl::SimpleAtoi(place.substr(open + 1), &message->line)) return;
  message->file = std::string(place.substr(0, open));
}

// "k.cu(7): warning #177-D: variable ..." or "nvrtc: error: ...".
bool ParseFrontEndLine(std::string line, CompileMessage* message) {
  using Severity = CompileMessage::Severity;
  constexpr std::pair<const char*, Severity> kMarks[] = {
      {"catastrophic error: ", Severity::kError},
      {"error: ", Severity::kError},
      {"warning: ", Severity::kWarning},
      {"note: ", Severity::kNote},
  };
  // Messages that can be suppressed have a number.
  for (const char* word : {"error", "warning", "note"}) {
    const size_t at = line.find(absl::StrCat(word, " #"));
    if (at == std::string::npos) continue;
    const size_t hash = at + std::string(word).size();
    const size_t colon = line.find(": ", hash);
    if (colon != std::string::npos) line.erase(hash, colon - hash);
  }
  for (const auto& [mark, severity] : kMarks) {
    const size_t at = line.find(mark);
    if (at == std::string::npos) continue;
    // A mark within the text of something else has no place before it.
    if (at != 0 && !absl::EndsWith(line.substr(0, at), ": ")) continue;
    message->severity = severity;
    ParsePlace(absl::string_view(line).substr(0, at), message);
    message->text = line.substr(at + std::string(mark).size());
    return true;
  }
  return false;
}

// "ptxas application ptx input, line 26; error   : ...", whose line is one of
// the PTX, or advice with a number: "ptxas info    : (C7508) ...".
bool ParsePtxasLine(absl::string_view line, CompileMessage* message) {
  using Severity = CompileMessage::Severity;
  constexpr std::pair<const char*, Severity> kMarks[] = {
      {"fatal   : ", Severity::kError},
      {"error   : ", Severity::kError},
      {"warning : ", Severity::kWarning},
      {"info    : (C", Severity::kWarning},
  };
  for (const auto& [mark, severity] : kMarks) {
    const size_t at = line.find(mark);
    if (at == absl::string_view::npos) continue;
    message->severity = severity;
    message->text = std::string(line);
    return true;
  }
  return false;
}

}  // namespace

std::string HeadersDigest(absl::Span<const SourceHeader> headers) {
  Sha256 hash;
  for (const SourceHeader& header : headers) {
    hash.UpdateField(header.name);
    hash.UpdateField(header.text);
  }
  return hash.HexDigest();
}

std::vector<std::string> NvrtcOptions(int nvrtc_major,
                                      const CompileRequest& request) {
  std::string arch = request.arch;
  if (request.output == CudaOutput::kPtx)
    arch = absl::StrCat("compute_", arch.substr(3));
  std::vector<std::string> options = {absl::StrCat("--gpu-architecture=", arch),
                                      "--std=c++20"};
  if (nvrtc_major >= kMinimalMajor) options.push_back("--minimal");
  if (request.output == CudaOutput::kCubin)
    options.push_back("--ptxas-options=-v");
  options.insert(options.end(), request.options.begin(), request.options.end());
  return options;
}

const KernelResources* CompiledCuda::Find(absl::string_view symbol) const {
  for (const KernelResources& kernel : kernels)
    if (kernel.symbol == symbol) return &kernel;
  return nullptr;
}

absl::StatusOr<int> ParseArch(absl::string_view arch) {
  absl::string_view digits = arch;
  int number = 0;
  const bool prefixed = absl::ConsumePrefix(&digits, "sm_");
  if (!absl::ConsumeSuffix(&digits, "a")) absl::ConsumeSuffix(&digits, "f");
  const bool only_digits =
      !digits.empty() && digits.size() <= 4 &&
      digits.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!prefixed || !only_digits || !absl::SimpleAtoi(digits, &number))
    return absl::InvalidArgumentError(absl::StrCat(
        "architecture is '", arch,
        "', expected sm_ and a number, for example sm_80 or sm_90a"));
  return number;
}

std::vector<CompileMessage> ParseMessages(const std::string& log) {
  std::vector<CompileMessage> messages;
  for (absl::string_view line : absl::StrSplit(log, '\n')) {
    CompileMessage message;
    const bool found = absl::StartsWith(line, "ptxas")
                           ? ParsePtxasLine(line, &message)
                           : ParseFrontEndLine(std::string(line), &message);
    if (found) messages.push_back(std::move(message));
  }
  return messages;
}

std::vector<KernelResources> ParseResources(const std::string& log) {
  std::vector<KernelResources> kernels;
  for (absl::string_view line : absl::StrSplit(log, '\n')) {
    if (!absl::StartsWith(line, "ptxas")) continue;
    KernelResources next;
    if (QuotedAfter(line, "Compiling entry function", &next.symbol)) {
      kernels.push_back(next);
      continue;
    }
    if (kernels.empty()) continue;
    KernelResources& kernel = kernels.back();
    if (absl::StrContains(line, "bytes stack frame")) {
      kernel.stack_bytes += NumberBefore(line, "bytes stack frame");
      kernel.spill_store_bytes += NumberBefore(line, "bytes spill stores");
      kernel.spill_load_bytes += NumberBefore(line, "bytes spill loads");
    } else if (absl::StrContains(line, "Used ")) {
      kernel.registers = static_cast<int32_t>(NumberBefore(line, "registers"));
      kernel.static_smem_bytes = NumberBefore(line, "bytes smem");
    }
  }
  return kernels;
}

absl::StatusOr<CompiledCuda> CompileCuda(const NvrtcApi& nvrtc,
                                         const CompileRequest& request,
                                         CompileLog* log) {
  const auto start = std::chrono::steady_clock::now();
  GSA_RETURN_IF_ERROR(CheckArch(nvrtc, request.arch));
  ProgramHandle program(nvrtc.table());
  GSA_RETURN_IF_ERROR(Create(nvrtc, request, &program));
  const std::vector<std::string> options =
      NvrtcOptions(nvrtc.major_version(), request);
  std::vector<const char*> pointers;
  for (const std::string& option : options) pointers.push_back(option.c_str());
  const cuda::NvrtcResult result = nvrtc.table().CompileProgram(
      program.get(), static_cast<int>(pointers.size()), pointers.data());

  CompiledCuda compiled;
  compiled.output = request.output;
  const absl::StatusOr<std::string> text =
      ReadLog(nvrtc, program.get(), request);
  // Of a compilation that failed the log is a help. Of one that did not, it is
  // what the kernels use.
  if (result == cuda::kNvrtcSuccess) GSA_RETURN_IF_ERROR(text.status());
  if (text.ok()) compiled.log.text = *text;
  compiled.log.messages = ParseMessages(compiled.log.text);
  if (log != nullptr) *log = compiled.log;
  if (result != cuda::kNvrtcSuccess)
    return Failure(
        nvrtc, result,
        absl::StrCat("compiling ", request.name, " for ", request.arch,
                     " with options ", absl::StrJoin(options, " ")),
        compiled.log.text);
  GSA_ASSIGN_OR_RETURN(compiled.image,
                       ReadImage(nvrtc, program.get(), request));
  compiled.kernels = ParseResources(compiled.log.text);
  compiled.milliseconds = std::chrono::duration<double, std::milli>(
                              std::chrono::steady_clock::now() - start)
                              .count();
  return compiled;
}

absl::StatusOr<CompiledCuda> CompileCuda(const CompileRequest& request,
                                         CompileLog* log) {
  static std::mutex& mutex = *new std::mutex;
  static auto& library = *new std::shared_ptr<const NvrtcApi>;
  std::shared_ptr<const NvrtcApi> nvrtc;
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (library == nullptr) {
      GSA_ASSIGN_OR_RETURN(library, NvrtcApi::Load());
    }
    nvrtc = library;
  }
  return CompileCuda(*nvrtc, request, log);
}

}  // namespace gsa

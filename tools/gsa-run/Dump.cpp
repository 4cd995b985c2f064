//===- Dump.cpp - what each phase of a compilation made -------------------===//

#include "tools/gsa-run/Dump.h"

#include <filesystem>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/subprocess.h"

namespace gsa {

namespace fs = std::filesystem;

/// Whether `path` is what add() or disassemble() writes: "03-schedule.mlir".
static bool isDumped(const fs::path& path) {
  static const std::set<std::string> extensions = {
      ".mlir", ".ll", ".s", ".cu", ".ptx", ".cubin", ".sass", ".txt"};
  const std::string name = path.filename().string();
  const size_t digits = name.find_first_not_of("0123456789");
  return digits != std::string::npos && digits >= 2 && name[digits] == '-' &&
         extensions.count(path.extension().string()) != 0;
}

absl::StatusOr<Dump> Dump::create(const std::string& directory,
                                  const std::string& searchPath) {
  if (directory.empty()) return Dump(directory, searchPath);
  auto failed = [&](const char* what, const std::error_code& error) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--dump-dir: cannot ", what, " '", directory, "': ", error.message()));
  };
  std::error_code error;
  fs::create_directory(directory, error);
  if (error) return failed("make", error);
  std::vector<fs::path> earlier;
  fs::directory_iterator files(directory, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error))
    if (isDumped(files->path())) earlier.push_back(files->path());
  if (error) return failed("list", error);
  for (const fs::path& path : earlier) {
    fs::remove(path, error);
    if (error) return failed("empty", error);
  }
  absl::Status writable =
      AtomicFileWriter::Create(absl::StrCat(directory, "/00-parse.mlir"))
          .status();
  if (!writable.ok())
    return absl::InvalidArgumentError(
        absl::StrCat("--dump-dir: ", std::string(writable.message())));
  return Dump(directory, searchPath);
}

/// Writes `stem`.sass from `stem`.cubin; does nothing without a disassembler.
static absl::Status disassemble(const std::string& stem,
                                const std::string& searchPath) {
  const std::string nvdisasm =
      FindProgram({"nvdisasm", "/usr/local/cuda/bin/nvdisasm"}, searchPath);
  const std::string cuobjdump =
      FindProgram({"cuobjdump", "/usr/local/cuda/bin/cuobjdump"}, searchPath);
  if (nvdisasm.empty() && cuobjdump.empty()) return absl::OkStatus();
  const bool first = !nvdisasm.empty();
  GSA_ASSIGN_OR_RETURN(
      SubprocessResult result,
      RunSubprocess({"/bin/sh", "-c", "exec \"$0\" \"$1\" \"$2\" > \"$3\"",
                     first ? nvdisasm : cuobjdump, first ? "-c" : "-sass",
                     stem + ".cubin", stem + ".sass"},
                    {}, absl::Minutes(1)));
  if (result.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("disassembling '", stem, ".cubin' failed: ", result.output));
}

absl::Status Dump::add(const PhaseInfo& phase) {
  if (directory.empty()) return absl::OkStatus();
  const std::string stem =
      absl::StrFormat("%s/%02d-%s", directory, count++, phase.name);
  GSA_RETURN_IF_ERROR(WriteFileAtomically(
      absl::StrCat(stem, ".", phase.extension), phase.text()));
  return phase.extension == "cubin" ? disassemble(stem, searchPath)
                                    : absl::OkStatus();
}

}  // namespace gsa

//===- Dump.cpp - what each phase of a compilation made -------------------===//

#include "tools/gsa-run/Dump.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/subprocess.h"

namespace gsa {

absl::Status Dump::prepare(const std::string& directory) {
  if (directory.empty() || mkdir(directory.c_str(), 0777) == 0 ||
      errno == EEXIST)
    return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--dump-dir: cannot make '", directory, "': ", std::strerror(errno)));
}

/// Writes `stem`.sass from `stem`.cubin; does nothing without a disassembler.
static absl::Status disassemble(const std::string& stem) {
  const std::string nvdisasm =
      FindProgram({"nvdisasm", "/usr/local/cuda/bin/nvdisasm"});
  const std::string cuobjdump =
      FindProgram({"cuobjdump", "/usr/local/cuda/bin/cuobjdump"});
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
  return phase.extension == "cubin" ? disassemble(stem) : absl::OkStatus();
}

}  // namespace gsa

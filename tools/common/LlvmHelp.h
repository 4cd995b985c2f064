//===- LlvmHelp.h - --help of tools that LLVM is linked into ---*- C++ -*-===//
//
// llvm::cl lists whatever is linked into a program: hundreds of options of the
// backends of other machines and of passes of upstream. --help is for people;
// --help-hidden has them all.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_LLVMHELP_H
#define GSA_TOOLS_COMMON_LLVMHELP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"
#include "tools/common/ExitCode.h"
#include "tools/common/StandardStreams.h"

namespace gsa {

/// Whether the arguments ask for the short help.
inline bool asksForHelp(int argc, char** argv) {
  for (llvm::StringRef argument : llvm::ArrayRef(argv, argc).drop_front()) {
    if (argument == "--") return false;
    if (argument == "-h" || argument == "-help" || argument == "--help")
      return true;
  }
  return false;
}

/// Writes the help of `tool` to standard output; the exit code.
inline int printHelp(llvm::StringRef tool, const std::string& text) {
  absl::Status written = writeToStandardOutput(text);
  if (written.ok()) return kExitOk;
  llvm::errs() << tool << ": error: " << std::string(written.message()) << '\n';
  return kExitFailure;
}

/// Hides the options that exist by now from --help: call it first in main,
/// where they are those of static objects of LLVM. `own` are the names of the
/// tool's that are such objects, too.
inline void hideLinkedOptions(llvm::ArrayRef<llvm::StringRef> own = {}) {
  for (auto& [name, option] : llvm::cl::getRegisteredOptions()) {
    bool isOfHelp = name == "help" || name == "version";
    if (!isOfHelp && !llvm::is_contained(own, name) &&
        option->getOptionHiddenFlag() == llvm::cl::NotHidden)
      option->setHiddenFlag(llvm::cl::Hidden);
  }
}

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_LLVMHELP_H

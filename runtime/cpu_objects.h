// -----------------------------------------------------------------------------
// File: cpu_objects.h
// -----------------------------------------------------------------------------
//
// Code of the CPU target on disk: what LLVM made of a module, with all that a
// plan says of itself, so that a hit runs neither a pass nor LLVM. Internal.
//
// The key is the hash of the module as it was given (printed without places),
// entry, shapes, options, measured schedules, CPU and its features, of LLVM,
// and of the sources of this compiler: a change of any pass is another key.

#ifndef GSA_RUNTIME_CPU_OBJECTS_H_
#define GSA_RUNTIME_CPU_OBJECTS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/cpu/CpuJit.h"
#include "runtime/compilation.h"
#include "runtime/core/program_cache.h"
#include "runtime/executable.h"
#include "runtime/pack.h"
#include "runtime/plan.h"
#include "runtime/plan_parts.h"

namespace gsa {

// What a plan for the CPU is made of.
struct CpuProgram : PlanInterface {
  int64_t workspace_bytes = 0;
  mlir::gsa::CpuObject object;  // without its texts
  double milliseconds = 0;      // that it took, of what was read
};

// What LLVM made the code for, beside the module.
struct CpuCodeOptions {
  unsigned vector_bits = 0;
  int tasks = 1;
  unsigned opt_level = 3;
  bool reference = false;
  std::string schedules;  // ScheduleDatabasesDigest
};

// The key of a module that has been parsed and not yet changed.
std::string CpuObjectKey(Compilation* compilation,
                         const CpuCodeOptions& options);

// A program as the payload of an entry.
std::string EncodeCpuProgram(const CpuProgram& program);
// The inverse. False for anything that EncodeCpuProgram did not write.
bool DecodeCpuProgram(absl::string_view bytes, CpuProgram* program);

// An entry of kind "object".
ProgramEntry CpuEntry(const std::string& key, const std::string& name,
                      const CpuProgram& program, const CpuCodeOptions& options,
                      double milliseconds);

// The program of `key`, if it is in the cache and is one for this machine.
bool ReadCpuProgram(ProgramCache* programs, const std::string& key,
                    CpuProgram* program, bool* absent = nullptr);

// The functions of the runtime that compiled code calls.
llvm::StringMap<void*> CpuSymbols();

// A CpuLoader (runtime/load_plan.h): links the object of a packed plan.
absl::StatusOr<std::unique_ptr<Executable>> LoadPackedCpuPlan(
    const PackedPlan& plan);

// The cache of this process over the directory that `options` name; null if
// they name none. Never destroyed.
ProgramCache* CpuPrograms(const CompileOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_CPU_OBJECTS_H_

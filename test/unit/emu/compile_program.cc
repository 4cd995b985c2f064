//===- compile_program.cc - from a module to its program ------------------===//

#include "test/unit/emu/compile_program.h"

#include <memory>
#include <utility>

#include "passes/Pipelines.h"
#include "runtime/compilation.h"
#include "runtime/core/status_macros.h"
#include "runtime/export_program.h"

namespace gsa {

absl::StatusOr<DeviceProgram> CompileProgram(const std::string& text,
                                             const std::string& arch) {
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Compilation> compilation,
                       Compilation::Create(text, "test.mlir", {}));
  mlir::gsa::CudaTargetConfig config;
  config.arch = arch;
  config.entry = compilation->entry();
  config.shapes = compilation->shapes();
  GSA_ASSIGN_OR_RETURN(bool stopped,
                       compilation->Run(mlir::gsa::getCudaPhases(config),
                                        absl::StatusCode::kUnimplemented));
  (void)stopped;
  mlir::FailureOr<DeviceProgram> program =
      ExportDeviceProgram(compilation->module(), compilation->entry(), arch);
  if (mlir::failed(program)) return absl::InternalError("export fails");
  return *std::move(program);
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// File: fuzz_database.cc
// -----------------------------------------------------------------------------
//
// Databases of schedules, which are tuning records as tune.py writes them.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "dialect/Gsa/GsaDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "passes/schedule/ScheduleDatabase.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Attributes of a context are never freed: a new one now and then.
  static mlir::MLIRContext* context = nullptr;
  static int uses = 0;
  if (context == nullptr || ++uses == 1000) {
    delete context;
    context = new mlir::MLIRContext(mlir::MLIRContext::Threading::DISABLED);
    context->loadDialect<mlir::gsa::GsaDialect>();
    uses = 0;
  }
  std::string error;
  const auto database = mlir::gsa::ScheduleDatabase::parse(
      {reinterpret_cast<const char*>(data), size}, "f", context, error);
  // What is refused says why.
  if (mlir::failed(database) && error.empty()) std::abort();
  return 0;
}

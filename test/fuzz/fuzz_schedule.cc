// -----------------------------------------------------------------------------
// File: fuzz_schedule.cc
// -----------------------------------------------------------------------------
//
// Schedules as text. The first character says which op gets the schedule, from
// 'a' on, and the rest is the attribute. What the verifier accepts is asked
// what gsa-cuda-schedule, gsa-cpu-schedule and tuners ask.

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "dialect/Gsa/CpuSchedules.h"
#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaOps.h"
#include "dialect/Gsa/GsaSchedules.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/Support/raw_ostream.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "passes/gsa_to_tile/MeasureKernels.h"
#include "test/fuzz/fuzz_input.h"

namespace mlir::gsa {
namespace {

// An op of each kind that has schedules.
constexpr char kOps[] = R"mlir(
func.func @ops(%q: tensor<1x64x4x64xbf16>, %k: tensor<1x128x2x64xbf16>,
               %list: tensor<1x64x32xi32>, %n: tensor<1x64xi32>,
               %lse: tensor<1x4x64xf32>, %iq: tensor<1x64x4x64xbf16>,
               %ik: tensor<1x128x64xbf16>, %s: tensor<1x64x128xf32>,
               %q1: tensor<1x1x4x64xbf16>, %list1: tensor<1x1x32xi32>,
               %n1: tensor<1x1xi32>, %iq1: tensor<1x1x4x64xbf16>,
               %f: tensor<1x8x2x16xf32>, %iw: tensor<1x64x4xf32>,
               %ib: tensor<4xbf16>, %g: tensor<1x64xf32>) {
  %0:2 = gsa.dense_attention %q, %k, %k
    : (tensor<1x64x4x64xbf16>, tensor<1x128x2x64xbf16>,
       tensor<1x128x2x64xbf16>)
    -> (tensor<1x64x4x64xbf16>, tensor<1x4x64xf32>)
  %1:2 = gsa.gather_attention %q, %k, %k indices %list, %n
    : (tensor<1x64x4x64xbf16>, tensor<1x128x2x64xbf16>,
       tensor<1x128x2x64xbf16>, tensor<1x64x32xi32>, tensor<1x64xi32>)
    -> (tensor<1x64x4x64xbf16>, tensor<1x4x64xf32>)
  %2 = gsa.index_scores %iq, %ik
    : (tensor<1x64x4x64xbf16>, tensor<1x128x64xbf16>) -> tensor<1x64x128xf32>
  %3:3 = gsa.topk %s, %n slots 32
    : (tensor<1x64x128xf32>, tensor<1x64xi32>)
    -> (tensor<1x64x32xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  %4:2 = gsa.row_statistics %s
    : (tensor<1x64x128xf32>) -> (tensor<1x64xf32>, tensor<1x64xi32>)
  %5:3 = gsa.select %iq, %ik policy <fixed, base = 32>
    : (tensor<1x64x4x64xbf16>, tensor<1x128x64xbf16>)
    -> (tensor<1x64x32xi32>, tensor<1x64xi32>, tensor<1x64xi32>)
  %6:3 = gsa.select %iq1, %ik policy <fixed, base = 32>
    : (tensor<1x1x4x64xbf16>, tensor<1x128x64xbf16>)
    -> (tensor<1x1x32xi32>, tensor<1x1xi32>, tensor<1x1xi32>)
  %7:2 = gsa.gather_attention %q1, %k, %k indices %list1, %n1
    : (tensor<1x1x4x64xbf16>, tensor<1x128x2x64xbf16>,
       tensor<1x128x2x64xbf16>, tensor<1x1x32xi32>, tensor<1x1xi32>)
    -> (tensor<1x1x4x64xbf16>, tensor<1x4x1xf32>)
  %8:3 = gsa.gather_attention_grad %q, %k, %k indices %list, %n output_grad %q
      lse %lse row_sums %lse
    : (tensor<1x64x4x64xbf16>, tensor<1x128x2x64xbf16>,
       tensor<1x128x2x64xbf16>, tensor<1x64x32xi32>, tensor<1x64xi32>,
       tensor<1x64x4x64xbf16>, tensor<1x4x64xf32>, tensor<1x4x64xf32>)
    -> (tensor<1x64x4x64xbf16>, tensor<1x128x2x64xbf16>,
        tensor<1x128x2x64xbf16>)
  %9:2 = gsa.dense_attention %f, %f, %f
    : (tensor<1x8x2x16xf32>, tensor<1x8x2x16xf32>, tensor<1x8x2x16xf32>)
    -> (tensor<1x8x2x16xf32>, tensor<1x2x8xf32>)
  %10:4 = gsa.index_kl_grad %iq, %ik weights %iw bias %ib attention %q, %k
      lse %lse loss_grad %g indices %list, %n {temperature = 0.25 : f64}
    : (tensor<1x64x4x64xbf16>, tensor<1x128x64xbf16>, tensor<1x64x4xf32>,
       tensor<4xbf16>, tensor<1x64x4x64xbf16>, tensor<1x128x2x64xbf16>,
       tensor<1x4x64xf32>, tensor<1x64xf32>, tensor<1x64x32xi32>,
       tensor<1x64xi32>)
    -> (tensor<1x64x4x64xbf16>, tensor<1x128x64xbf16>, tensor<1x64x4xf32>,
        tensor<4xbf16>)
  return
}
)mlir";

struct Ops {
  Ops() : context(MLIRContext::Threading::DISABLED) {
    DialectRegistry registry;
    registry.insert<GsaDialect, gsa_tile::GsaTileDialect, func::FuncDialect>();
    registerKernelMeasure(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    module = parseSourceString<ModuleOp>(kOps, &context);
    if (!module) std::abort();
    module->walk([&](ScheduledOpInterface op) { list.push_back(op); });
  }
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<ScheduledOpInterface> list;
};

std::string TextOf(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

void AskCpu(ScheduledOpInterface op, CpuScheduleAttr schedule) {
  for (int64_t bits : {128, 256, 512}) {
    const CpuTarget target{2, bits};
    if (!findCpuRefusal(op, schedule, target).empty()) continue;
    if (!std::isfinite(getCpuCost(op, schedule, target).microseconds()))
      std::abort();
    for (CpuScheduleAttr step : getCpuSteps(op, schedule, target))
      if (!findCpuRefusal(op, step, target).empty()) std::abort();
  }
}

void AskCuda(ScheduledOpInterface op, ScheduleAttrInterface schedule) {
  for (const CudaTarget& target : getCudaTargets()) {
    if (!schedule.findRefusal(op, target).empty()) continue;
    // Lowers the op, if nothing is against that.
    if (!schedule.findIllegality(op, target).isLegal()) continue;
    const double us = schedule.estimateCost(op, target);
    if (!std::isfinite(us) || us < 0) std::abort();
  }
  for (Attribute step : schedule.getSteps())
    if (!isa<ScheduleAttrInterface>(step)) std::abort();
}

void Ask(StringRef input) {
  static ::gsa::fuzz::Renewed<Ops> made(/*uses=*/500);
  Ops& ops = made.Get();
  if (input.empty() || input[0] < 'a') return;
  const std::string text = input.drop_front().str();
  // As a module's text is before the parser reads it.
  if (checkModuleText(text)) return;
  ScopedDiagnosticHandler silent(&ops.context,
                                 [](Diagnostic&) { return success(); });
  const Attribute attribute = parseAttribute(text, &ops.context);
  if (!attribute) return;
  ScheduledOpInterface op =
      ops.list[static_cast<size_t>(input[0] - 'a') % ops.list.size()];
  op->setAttr(kScheduleAttr, attribute);
  const bool valid = succeeded(verify(op));
  op->removeAttr(kScheduleAttr);
  if (!valid) return;
  if (parseAttribute(TextOf(attribute), &ops.context) != attribute)
    std::abort();
  if (auto cpu = dyn_cast<CpuScheduleAttr>(attribute)) AskCpu(op, cpu);
  if (auto cuda = dyn_cast<ScheduleAttrInterface>(attribute)) AskCuda(op, cuda);
}

}  // namespace
}  // namespace mlir::gsa

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mlir::gsa::Ask({reinterpret_cast<const char*>(data), size});
  return 0;
}

//===- Gsa.td - the gsa dialect, umbrella ----------------------*- tablegen -*-===//
//
// Everything that mlir-tblgen generates for the dialect starts from this file.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_TD
#define GSA_DIALECT_GSA_TD

include "dialect/Gsa/GsaDialect.td"
include "dialect/Gsa/GsaAttrs.td"
include "dialect/Gsa/GsaSelectionOps.td"
include "dialect/Gsa/GsaAttentionOps.td"
include "dialect/Gsa/GsaPagedOps.td"
include "dialect/Gsa/GsaPartialOps.td"
include "dialect/Gsa/GsaScheduleAttrs.td"
include "dialect/Gsa/GsaGradSchedules.td"
include "dialect/Gsa/GsaTrainingSchedule.td"

#endif  // GSA_DIALECT_GSA_TD

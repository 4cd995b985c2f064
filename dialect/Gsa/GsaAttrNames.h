//===- GsaAttrNames.h - discardable attributes named gsa.* -----*- C++ -*-===//
//
// Every name once: what modules give, and what one pass tells another. None of
// them changes what an op means.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSA_GSAATTRNAMES_H
#define GSA_DIALECT_GSA_GSAATTRNAMES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::gsa {

struct AttributeRule;

/// String on an argument or result of the entry function: its name outside.
inline constexpr llvm::StringLiteral kNameAttr = "gsa.name";

/// String on a result of the entry function: the name of the argument that it
/// is the new value of, in whose memory it may be. Where results have become
/// arguments, on the argument that is the result.
inline constexpr llvm::StringLiteral kUpdatesAttr = "gsa.updates";

/// On an op that has an optimised lowering, a schedule of its target:
/// #gsa.cpu_schedule, #gsa.attention_schedule, ...
inline constexpr llvm::StringLiteral kScheduleAttr = "gsa.schedule";

/// #gsa.lists on gsa.gather_attention: what gsa-trace-lists knows of its lists.
inline constexpr llvm::StringLiteral kListsAttr = "gsa.lists";

/// Array of strings on the entry function: names of what gsa-mark-zones
/// marked.
inline constexpr llvm::StringLiteral kZonesAttr = "gsa.zones";

/// Unit attribute of an scf.parallel over [0, N) whose iterations are the N
/// tasks handed to the thread pool.
inline constexpr llvm::StringLiteral kTasksAttr = "gsa.tasks";

/// i64 attribute of the entry function: size of its workspace argument.
inline constexpr llvm::StringLiteral kWorkspaceBytesAttr =
    "gsa.workspace_bytes";

/// i64 attribute of the entry function: how many arguments are outputs; they
/// come after the inputs and before the workspace.
inline constexpr llvm::StringLiteral kOutputsAttr = "gsa.outputs";

/// i64 attribute of the entry function: on how many lanes its kernels run side
/// by side on a GPU, from 1 to kMostLanes.
inline constexpr llvm::StringLiteral kLanesAttr = "gsa.lanes";
inline constexpr int64_t kMostLanes = 8;

/// Whether passes alone write the attribute: all of the above but names,
/// updates, schedules and lanes. A module that a user gives to the library has
/// none of them.
bool isAttributeOfPasses(llvm::StringRef name);

/// Where each of them may stand, and as what.
llvm::ArrayRef<AttributeRule> getAttributeRules();

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAATTRNAMES_H

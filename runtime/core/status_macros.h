// -----------------------------------------------------------------------------
// File: status_macros.h
// -----------------------------------------------------------------------------
//
// Early return on a failed absl::Status or absl::StatusOr.
//
//   GSA_RETURN_IF_ERROR(CheckShape(shape));
//   GSA_ASSIGN_OR_RETURN(HostTensor tensor, file.Get("q_proj.weight"));

#ifndef GSA_RUNTIME_CORE_STATUS_MACROS_H_
#define GSA_RUNTIME_CORE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define GSA_STATUS_CONCAT_INNER_(a, b) a##b
#define GSA_STATUS_CONCAT_(a, b) GSA_STATUS_CONCAT_INNER_(a, b)

#define GSA_RETURN_IF_ERROR(expr)                               \
  do {                                                          \
    if (::absl::Status gsa_status_ = (expr); !gsa_status_.ok()) \
      return gsa_status_;                                       \
  } while (false)

// The variable declared by `lhs` stays in scope, so this macro is several
// statements: never use it as the unbraced body of an if.
#define GSA_ASSIGN_OR_RETURN(lhs, expr) \
  GSA_ASSIGN_OR_RETURN_IMPL_(GSA_STATUS_CONCAT_(gsa_or_, __LINE__), lhs, expr)
#define GSA_ASSIGN_OR_RETURN_IMPL_(tmp, lhs, expr) \
  auto tmp = (expr);                               \
  if (!tmp.ok()) return tmp.status();              \
  lhs = std::move(tmp).value()

#endif  // GSA_RUNTIME_CORE_STATUS_MACROS_H_

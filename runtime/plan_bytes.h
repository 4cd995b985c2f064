// -----------------------------------------------------------------------------
// File: plan_bytes.h
// -----------------------------------------------------------------------------
//
// What a plan says of itself as bytes, for files that hold compiled plans.
// Internal.

#ifndef GSA_RUNTIME_PLAN_BYTES_H_
#define GSA_RUNTIME_PLAN_BYTES_H_

#include "runtime/core/byte_stream.h"
#include "runtime/plan_parts.h"

namespace gsa {

void WriteInterface(const PlanInterface& interface, ByteWriter* writer);

// The inverse. With any bytes: sizes, ranks and classes that a Plan can rely
// on, or a reader that is not ok().
void ReadInterface(ByteReader* reader, PlanInterface* interface);

}  // namespace gsa

#endif  // GSA_RUNTIME_PLAN_BYTES_H_

// -----------------------------------------------------------------------------
// File: emu_headers.h
// -----------------------------------------------------------------------------
//
// The headers of the host emulation, as text in the binary.

#ifndef GSA_RUNTIME_EMU_EMU_HEADERS_H_
#define GSA_RUNTIME_EMU_EMU_HEADERS_H_

#include "absl/types/span.h"

namespace gsa {

struct EmbeddedFile {
  const char* name;  // "gsa/device/tile.cuh"
  const char* text;
};

absl::Span<const EmbeddedFile> EmuHeaders();

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_EMU_HEADERS_H_

// -----------------------------------------------------------------------------
// File: emu_headers.h
// -----------------------------------------------------------------------------
//
// The headers of the host emulation, as text in the binary.

#ifndef GSA_RUNTIME_EMU_EMU_HEADERS_H_
#define GSA_RUNTIME_EMU_EMU_HEADERS_H_

namespace gsa {

struct EmbeddedFile {
  const char* name;  // "gsa/device/tile.cuh"
  const char* text;
};

extern const EmbeddedFile kEmuHeaders[];
extern const int kEmuHeadersCount;

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_EMU_HEADERS_H_

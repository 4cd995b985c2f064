// -----------------------------------------------------------------------------
// File: emu_headers.cc
// -----------------------------------------------------------------------------

#include "runtime/emu/emu_headers.h"

namespace gsa {
namespace {

constexpr EmbeddedFile kFiles[] = {
#include "codegen/device/emu.inc"
};

}  // namespace

absl::Span<const EmbeddedFile> EmuHeaders() { return kFiles; }

}  // namespace gsa

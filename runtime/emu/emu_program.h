// -----------------------------------------------------------------------------
// File: emu_program.h
// -----------------------------------------------------------------------------
//
// A device program as what an emulation is made of: a C++ file with the texts
// of the kernels, unchanged, and a description of the steps that its main
// function reads (codegen/device/emu/gsa/emu/program.h tells the form).

#ifndef GSA_RUNTIME_EMU_EMU_PROGRAM_H_
#define GSA_RUNTIME_EMU_EMU_PROGRAM_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/cuda/device_program.h"

namespace gsa {

// The C++ file. `kernels` are symbols and texts; equal texts appear once.
std::string EmuSource(
    const std::vector<std::pair<std::string, std::string>>& kernels);
std::string EmuSource(const DeviceProgram& program);

// How the steps run.
struct EmuRunOptions {
  // When asynchronous copies happen: 0 as late as allowed, 1 at once, other
  // values at random times from that seed. Of programs with lanes also which
  // lane goes on: 0 the last that can, 1 the first that can, else one at
  // random; so what a step should have waited for shows in the results.
  uint64_t seed = 0;
  // Blocks that run at the same time. Two show ThreadSanitizer races between
  // blocks; one is faster. 0: two under ThreadSanitizer, else one.
  int blocks_at_once = 0;
  // "ring_wait", "ring_release", "ring_acquire", "ring_commit", "wrong_slot",
  // "cursor_get", "turn_wait", "turn_pass", "sync", "copy_wait" or "copy_rows":
  // breaks call number `fault_call` of that function in each block, by
  // `fault_warp` or (-1) each warp. For tests.
  std::string fault;
  int fault_call = 0;
  int fault_warp = -1;
};

// The description; `options.blocks_at_once` of 0 counts as 1. Buffers are
// numbered inputs, outputs, constants, workspace; input i is read from the file
// "in<i>", constant i from "const<i>", and output i is written to
// "out<number of its buffer>".
std::string EmuDescription(const DeviceProgram& program,
                           const EmuRunOptions& options);

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_EMU_PROGRAM_H_

// -----------------------------------------------------------------------------
// File: kernels.h
// -----------------------------------------------------------------------------
//
// Kernels as the printer writes them, for tests of the emulation, and what puts
// them into a device program.

#ifndef GSA_TEST_UNIT_EMU_KERNELS_H_
#define GSA_TEST_UNIT_EMU_KERNELS_H_

#include <memory>
#include <string>
#include <vector>

#include "runtime/emu/emu_executor.h"

namespace gsa::testing {

// All kernels of all tests: one text, so that it is compiled once.
extern const char kKernelTexts[];

// The compiler of the tests; its directory is shared by their processes.
HostCompiler* TestCompiler();

// A program with the kernels of kKernelTexts and one step.
struct OneLaunch {
  std::string symbol;
  int warps = 1;
  int64_t smem = 0;
  std::array<int64_t, 3> grid = {1, 1, 1};
  std::vector<KernelArg> args;
  std::vector<int64_t> input_bytes, output_bytes;
};
DeviceProgram MakeProgram(const OneLaunch& launch);

inline BufferRef In(int32_t i, int64_t offset = 0) {
  return {BufferRef::Kind::kInput, i, offset};
}
inline BufferRef Out(int32_t i, int64_t offset = 0) {
  return {BufferRef::Kind::kOutput, i, offset};
}

// Runs the program; `options.host_compiler` is set here.
absl::Status RunProgram(const DeviceProgram& program, EmuOptions options,
                        const std::vector<const void*>& inputs,
                        const std::vector<void*>& outputs);

// The launch of @attend on random data, and a check of what it gives.
class AttendCase {
 public:
  // `entries` listed keys per block of 64 queries, of `keys` keys.
  AttendCase(int blocks, int keys, int entries);

  absl::Status Run(EmuOptions options);
  // The largest difference of an output from double arithmetic; NaN if one is.
  double MaxError() const;

 private:
  double ErrorOfRow(int row) const;

  int blocks_, keys_, entries_;
  std::vector<uint16_t> q_, k_, out_;
  std::vector<int32_t> list_;
  std::vector<float> lse_;
};

}  // namespace gsa::testing

#endif  // GSA_TEST_UNIT_EMU_KERNELS_H_

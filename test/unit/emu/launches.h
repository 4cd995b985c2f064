// -----------------------------------------------------------------------------
// File: launches.h
// -----------------------------------------------------------------------------
//
// The kernels of the self-test on a GPU (test/gpu/selftest) in emulation: many
// launches as one program, each with buffers of its own.

#ifndef GSA_TEST_UNIT_EMU_LAUNCHES_H_
#define GSA_TEST_UNIT_EMU_LAUNCHES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/emu/emu_executor.h"

namespace gsa::testing {

// Numbers as they lie in memory; kU8 stands for signed bytes.
std::vector<uint8_t> Pack(DType dtype, const std::vector<double>& values);
std::vector<uint8_t> Pack(const std::vector<int>& values);

struct KernelShape {
  std::string symbol;
  int warps = 1;
  int64_t smem = 0;
};

class Launches {
 public:
  // The kernels of a file of test/gpu/selftest: all of them, so that they are
  // compiled once.
  Launches(const std::string& file, const std::vector<KernelShape>& kernels);

  BufferRef Input(std::vector<uint8_t> bytes);
  // A buffer that has to hold `want`; NaN where nobody writes. `fill` is what
  // it holds before.
  BufferRef Output(DType dtype, std::vector<double> want, std::string what);
  BufferRef FilledOutput(float fill, std::vector<double> want,
                         std::string what);
  void Add(const std::string& symbol, std::vector<KernelArg> args,
           int64_t blocks = 1);

  // Runs under ThreadSanitizer. "" in `wrong` if all outputs are as they have
  // to be, else the first element that is not.
  absl::Status Run(const EmuRunOptions& run, std::string* wrong);

 private:
  struct Expected {
    DType dtype;
    std::vector<double> want;
    std::string what;
    std::vector<uint8_t> got;
  };

  DeviceProgram program_;
  std::vector<std::vector<uint8_t>> inputs_;
  std::vector<Expected> outputs_;
};

// A seeded fault of one call.
struct LaunchFault {
  const char* function;
  int call;
  int warp;
};
std::string FaultName(const LaunchFault& fault);

// Expects that the launches are right, and that the fault is a race, a hang,
// misuse or a wrong result.
void ExpectCaught(Launches* launches, const LaunchFault& fault);

}  // namespace gsa::testing

#endif  // GSA_TEST_UNIT_EMU_LAUNCHES_H_

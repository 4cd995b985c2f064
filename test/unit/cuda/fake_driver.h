// -----------------------------------------------------------------------------
// File: fake_driver.h
// -----------------------------------------------------------------------------
//
// A CUDA driver of the tests' own: device memory is host memory, copies happen
// at once, kernels are recorded instead of run. Every call is counted, any call
// can be made to fail, and what is not given back is known at the end.

#ifndef GSA_TEST_UNIT_CUDA_FAKE_DRIVER_H_
#define GSA_TEST_UNIT_CUDA_FAKE_DRIVER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/core/cuda/cuda_abi.h"
#include "runtime/core/cuda/nvrtc_compiler.h"

namespace gsa {

// One lives at a time: the functions of a table cannot carry state.
class FakeDriver {
 public:
  // Of streams and launches; the least is 0.
  static constexpr int kGreatestPriority = -5;
  struct Device {
    int major = 9, minor = 0;
    int max_smem = 232448;
  };
  // What the driver reports of a kernel; the symbol must occur in the image.
  struct Kernel {
    std::vector<size_t> parameter_bytes;
    int registers = 32;
    int static_smem = 0;
    int max_threads = 1024;
    int blocks_per_sm = 2;
  };
  struct Launch {
    std::string symbol;
    std::array<unsigned, 3> grid;
    unsigned threads;
    unsigned dynamic_smem;
    cuda::Stream stream;
    // Zero-extended; of a tensor map its first 8 bytes, which are its number
    // in maps().
    std::vector<uint64_t> arguments;
    bool dependent = false;
    int priority = 0;
    // Counts all launches, and which of them streams and events put this one
    // behind.
    int number = 0;
    std::set<int> behind = {};
  };
  // What a capture has recorded: a launch, or something to be done.
  struct Node {
    std::optional<Launch> launch;
    std::function<void()> work;
  };
  // What a tensor map was made of.
  struct Map {
    int type;
    uint64_t address;
    uint64_t columns, rows, row_pitch;
    uint32_t box_columns, box_rows;
    int swizzle;
  };

  FakeDriver();  // one device of capability 9.0
  explicit FakeDriver(std::vector<Device> devices);
  ~FakeDriver();

  cuda::DriverTable Table(bool with_optional_functions = true) const;

  // The `index`-th call from now on (0: the next) fails with `error`, all
  // functions or only those named.
  void FailCall(int index, cuda::Result error, std::string function = "");

  // The names of the functions called since the last TakeCalls(), in order.
  std::vector<std::string> TakeCalls();
  std::vector<Launch> TakeLaunches();
  std::vector<Map> TakeMaps();

  // A stream of device `ordinal` that exists without StreamCreate.
  cuda::Stream StreamOf(int ordinal);

  // What is allocated, loaded, retained or created and not given back.
  std::string Leaks() const;

  std::map<std::string, Kernel> kernels;
  int capture_status = cuda::kCaptureNone;
  // Whether some other thread captures: calls that load or allocate then fail,
  // unless the thread has exchanged its mode.
  bool other_thread_captures = false;
  // Milliseconds between any two events that follow each other.
  float event_distance = 1.0f;

 private:
  friend struct FakeDriverCalls;
  struct ModuleState {
    std::string image;
  };

  mutable std::mutex mutex_;
  std::vector<Device> devices_;
  std::vector<std::string> calls_;
  std::vector<Launch> launches_;
  std::vector<Map> maps_;
  int fail_in_ = -1;
  cuda::Result fail_with_ = cuda::kSuccess;
  std::string fail_function_;

  std::map<cuda::Graph, std::vector<Node>> graphs_;
  std::map<cuda::GraphExec, std::vector<Node>> graph_execs_;
  std::map<uint64_t, std::pair<size_t, int>> memory_;  // -> bytes, device
  std::map<cuda::Module, ModuleState> modules_;
  std::map<cuda::Function, std::string> functions_;
  std::map<std::string, int> max_dynamic_smem_;
  std::map<cuda::Stream, int> streams_;  // -> device
  std::set<cuda::Stream> owned_streams_;
  std::map<cuda::Event, int> events_;  // -> time of the record
  std::map<int, int> retained_;        // device -> count
  // Numbers of launches: done where what comes next to a stream begins, and
  // where an event was recorded.
  std::map<cuda::Stream, std::set<int>> done_;
  std::map<cuda::Event, std::set<int>> recorded_;
  int num_launches_ = 0;
  int clock_ = 0;
  uintptr_t next_handle_ = 0x100000;
};

// The compiler of a KernelCache for that driver, which takes text for an image.
absl::StatusOr<CompiledCuda> TextAsImage(const CompileRequest& request);

}  // namespace gsa

#endif  // GSA_TEST_UNIT_CUDA_FAKE_DRIVER_H_

// -----------------------------------------------------------------------------
// File: faults.h
// -----------------------------------------------------------------------------
//
// Calls that fail: of the driver, NVRTC and cuBLASLt through their tables of
// functions, of the system because the linker puts these wrappers in their
// place (--wrap, of which test/unit/CMakeLists.txt has the names).
//
//   Faults::Arm(Faults::kTables, 3);
//   ... the fourth call of any table fails ...
//   Faults::Disarm();
//   Faults::Failed();  // "cuMemAlloc_v2"

#ifndef GSA_TEST_UNIT_FAULTS_FAULTS_H_
#define GSA_TEST_UNIT_FAULTS_FAULTS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/core/cuda/cuda_abi.h"

namespace gsa {

class Faults {
 public:
  enum Kind : unsigned {
    kDriver = 1,
    kNvrtc = 2,
    kBlas = 4,
    kTables = kDriver | kNvrtc | kBlas,
    kFiles = 8,
    kMemory = 16,  // aligned_alloc
  };
  // What becomes of the call; kPart and kInterrupted are for reads and writes,
  // others happen as ever.
  enum class Effect {
    kFails,        // an error: of memory, or of input and output
    kPart,         // moves one byte
    kNothing,      // moves no byte
    kInterrupted,  // EINTR
  };

  // Counts the calls of `kinds` from now on. The one of that number, from 0,
  // has the effect; with `onwards` all behind it, too. With a name, only calls
  // of that function count.
  static void Arm(unsigned kinds, int index, bool onwards = false,
                  Effect effect = Effect::kFails, const char* name = "");
  static void Disarm();

  // Since Arm: the first call that had an effect, "" for none; all calls.
  static std::string Failed();
  static std::vector<std::string> Calls();

  // For the wrappers: counts a call and says whether it has an effect.
  static bool Hits(Kind kind, const char* name, Effect* effect = nullptr);
};

// The tables with functions that count, and fail with errors of memory. What
// gives something back does so all the same: nobody could do it a second time.
cuda::DriverTable WithFaults(const cuda::DriverTable& table);
cuda::NvrtcTable WithFaults(const cuda::NvrtcTable& table);
cuda::CublasLtTable WithFaults(const cuda::CublasLtTable& table);

// Whether the call gives something back, so that its failure says nothing that
// a caller could use.
bool GivesBack(const std::string& name);

// Descriptors that this process has open.
int OpenFiles();

// Calls `attempt(arm)` again and again, which calls `arm` where counting is to
// begin: the first, the second, ... call fails until there are no more. After
// each, `check` gets the status and the name of the call. Returns their number.
int ForEachFault(
    unsigned kinds,
    const std::function<absl::Status(const std::function<void()>& arm)>&
        attempt,
    const std::function<void(const absl::Status&, const std::string& failed)>&
        check,
    bool onwards = false, Faults::Effect effect = Faults::Effect::kFails);

}  // namespace gsa

#endif  // GSA_TEST_UNIT_FAULTS_FAULTS_H_

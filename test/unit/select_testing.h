// -----------------------------------------------------------------------------
// File: select_testing.h
// -----------------------------------------------------------------------------
//
// gsa.select and gsa.index_scores compiled for any target and held against the
// float64 reference.

#ifndef GSA_TEST_UNIT_SELECT_TESTING_H_
#define GSA_TEST_UNIT_SELECT_TESTING_H_

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "runtime/core/dtype.h"
#include "runtime/core/tensor.h"
#include "runtime/plan.h"
#include "test/reference/Compare.h"
#include "test/reference/IndexScores.h"
#include "test/reference/Select.h"

namespace gsa::testing {

using reference::KPolicy;
using reference::KPolicyKind;
using Doubles = reference::Tensor<double>;
using Ints = reference::Tensor<int32_t>;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One selection problem. `schedule` is the text of an explicit schedule
// attribute, "#gsa.cpu_schedule<...>".
struct Problem {
  int64_t batch = 1, queries = 1, keys = 1, heads = 1, depth = 4;
  DType dtype = DType::kF32;
  reference::SelectOptions options;
  bool has_weights = true, has_bias = true;
  std::string schedule;

  std::string ToString() const;
};

struct Operands {
  Doubles query, key, weights, bias;
};

struct Outputs {
  Ints indices, counts, status;
};

Operands MakeOperands(const Problem& p, std::mt19937* generator);

// "tensor<2x3xf32>".
std::string TypeText(const reference::Shape& shape, const char* element);

// A module with one gsa.select, or one gsa.index_scores.
std::string ModuleText(const Problem& p, bool scores_only);

// The tensor in `dtype`, rounded.
HostTensor ToHost(const Doubles& tensor, DType dtype);
Ints ToInts(const HostTensor& tensor);

// Options of a test for the CPU.
CompileOptions CpuOptions(int tasks, int vector_bits = 0);
// Options of a test for the emulation of sm_90a.
CompileOptions HopperOptions(bool thread_sanitizer = false);

// Compiles `text`, runs it on `inputs` and returns its outputs; none, and a
// failure of the test, if that is not possible. Outputs and workspace start as
// garbage; the pool's size differs from the number of tasks.
std::vector<HostTensor> CompileAndRun(const std::string& text,
                                      const std::vector<HostTensor>& inputs,
                                      const CompileOptions& options);

std::vector<HostTensor> HostInputs(const Problem& p, const Operands& operands,
                                   bool with_normaliser);
reference::IndexOperands ForReference(const Problem& p,
                                      const Operands& operands);

Outputs RunSelect(const Problem& p, const Operands& operands,
                  const CompileOptions& options);

// Expects that gsa.select gives the same bits under both schedules, in the
// emulation.
void ExpectSameSelection(Problem p, const Operands& operands,
                         const std::string& schedule, const std::string& other);

// How far scores may be off.
reference::SelectionTolerance Tolerance(const Problem& p);

// Runs gsa.select and compares; `exact` if no score is rounded.
void CheckSelect(const Problem& p, const Operands& operands,
                 const CompileOptions& options, bool exact = false);

// The same for gsa.index_scores.
void CheckScores(const Problem& p, const Operands& operands,
                 const CompileOptions& options);

// Rows of scores near the largest f32: equal ones have no variance, and those
// of both signs a large one, not NaN, in whatever order they are added.
void CheckLargeScores(const CompileOptions& options);

KPolicy MakePolicy(KPolicyKind kind, int64_t base, int64_t min, int64_t max);

// Rows of few keys, whose budgets are others if variances are those of a
// population and not of a sample.
Problem SampleVarianceProblem();

// Odd sizes, any policy and activation, any element type.
Problem RandomProblem(std::mt19937* generator);

}  // namespace gsa::testing

#endif  // GSA_TEST_UNIT_SELECT_TESTING_H_

// -----------------------------------------------------------------------------
// File: internal.h
// -----------------------------------------------------------------------------
//
// What the files of the C API share: the types behind the handles, and the ways
// in which statuses, exceptions and caller structures cross the border.

#ifndef GSA_RUNTIME_CAPI_INTERNAL_H_
#define GSA_RUNTIME_CAPI_INTERNAL_H_

#include <atomic>
#include <cstddef>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "runtime/capi/gsa.h"
#include "runtime/load_plan.h"
#include "runtime/pack.h"
#include "runtime/plan.h"

struct gsa_status {
  gsa_code code = GSA_UNKNOWN;
  std::string message;
};

struct gsa_plan {
  std::shared_ptr<const gsa::Plan> plan;
  std::string target;
  std::atomic<int64_t> references{1};
};

struct gsa_pack {
  gsa::Pack pack;
  std::vector<std::string> descriptions;  // by plan
};

struct gsa_support {
  std::vector<absl::Status> reasons;
  std::vector<std::string> messages;
};

struct gsa_thread_pool {
  std::unique_ptr<gsa::ThreadPool> pool;
};

namespace gsa {
namespace capi {

// The code that `status` has in the C API.
gsa_code ToCode(absl::StatusCode code);

// The message of `status` as a C string: zero bytes, which text of the caller's
// that it quotes may have, are escaped.
std::string MessageOf(const absl::Status& status);

// Null if `status` is OK. Never fails: without memory for a status it returns
// one that exists already.
gsa_status* ToHandle(const absl::Status& status) noexcept;

// InvalidArgument: "<what>: got a null pointer".
absl::Status NullError(const char* what);

// The status for the exception that is being handled.
gsa_status* CaughtToHandle() noexcept;

// Runs `fn`, which returns absl::Status, and lets no exception out.
template <typename Fn>
gsa_status* Guard(Fn&& fn) noexcept {
  try {
    return ToHandle(fn());
  } catch (...) {
    return CaughtToHandle();
  }
}

// ---- Structures that grow ---------------------------------------------------

// Layout of a structure: the offsets at which its fields end, in order, and how
// many bytes a caller must know at least.
struct Layout {
  const char* name;
  absl::Span<const size_t> ends;
  size_t required;
};

// Where the field ends that starts at `offset`.
#define GSA_FIELD_END(type, field) \
  (offsetof(type, field) + sizeof(static_cast<type*>(nullptr)->field))

// What a message is about: "options", or "input 3". Text is only made for
// messages, since every run reads its tensors.
struct Place {
  const char* name;
  int64_t index = -1;

  std::string ToString() const;
};

// Applies the growth rule of gsa.h to the structure at `source`, whose first
// field is its size: copies the part that both sides know to `target` and sets
// the rest of its `size` bytes to zero. InvalidArgument if the size is refused,
// or differs from `expected_size` if that is not 0.
absl::Status ReadStruct(const Layout& layout, const Place& what,
                        const void* source, size_t expected_size, void* target,
                        size_t size);

template <typename T>
struct LayoutOf;  // Specialised in structs.cc.

// Reads one structure; `what` names it in messages.
template <typename T>
absl::StatusOr<T> Read(const char* what, const T* source);

// Reads as many structures as `target` has, which lie `source->struct_size`
// bytes apart.
template <typename T>
absl::Status ReadArray(const char* what, const T* source, absl::Span<T> target);
// Reads `count` of them; a count that is garbage allocates nothing.
template <typename T>
absl::StatusOr<std::vector<T>> ReadArray(const char* what, const T* source,
                                         size_t count);

// Writes `value` to the caller's structure: the part that both sides know, then
// zeros up to the caller's size.
template <typename T>
absl::Status Write(const char* what, const T& value, T* target);

// Reads named shapes into `*target`; `kind` is "shape" or "bound". Values that
// are wrong go to `errors`; the status is that of null pointers and structures.
absl::Status ReadShapes(const char* kind, const gsa_named_shape* shapes,
                        size_t count,
                        std::map<std::string, std::vector<int64_t>>* target,
                        std::vector<absl::Status>* errors);

// ---- Packs ------------------------------------------------------------------

// What links the code of plans for the CPU, or null: libgsa has one, the
// library that only runs plans has none.
CpuLoader TheCpuLoader();

// ---- Conversions ------------------------------------------------------------

// The word of gsa.h for `dtype`.
uint32_t ToWord(DType dtype);
// The inverse; nothing for words that no tensor of a plan can have.
absl::optional<DType> FromWord(uint32_t word);

}  // namespace capi
}  // namespace gsa

#endif  // GSA_RUNTIME_CAPI_INTERNAL_H_

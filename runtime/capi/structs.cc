// -----------------------------------------------------------------------------
// File: structs.cc
// -----------------------------------------------------------------------------
//
// Caller structures: the growth rule of gsa.h, in one place.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/capi/internal.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace capi {

// A field must end where the next one starts. Otherwise a future field could
// land in bytes that today's callers leave uninitialised.
#define GSA_NO_TAIL_PADDING(type, last) \
  static_assert(GSA_FIELD_END(type, last) == sizeof(type))

#define GSA_LAYOUT(type, required_field, ...)                     \
  template <>                                                     \
  struct LayoutOf<type> {                                         \
    static Layout Get() {                                         \
      static constexpr size_t kEnds[] = {__VA_ARGS__};            \
      return {#type, kEnds, GSA_FIELD_END(type, required_field)}; \
    }                                                             \
  }

GSA_NO_TAIL_PADDING(gsa_tensor, byte_offset);
GSA_LAYOUT(gsa_tensor, shape, GSA_FIELD_END(gsa_tensor, shape),
           GSA_FIELD_END(gsa_tensor, strides),
           GSA_FIELD_END(gsa_tensor, byte_offset));

GSA_NO_TAIL_PADDING(gsa_named_shape, rank);
GSA_LAYOUT(gsa_named_shape, rank, GSA_FIELD_END(gsa_named_shape, rank));

GSA_NO_TAIL_PADDING(gsa_compile_options, schedules);
GSA_LAYOUT(gsa_compile_options, struct_size,
           GSA_FIELD_END(gsa_compile_options, struct_size),
           GSA_FIELD_END(gsa_compile_options, target),
           GSA_FIELD_END(gsa_compile_options, entry),
           GSA_FIELD_END(gsa_compile_options, shapes),
           GSA_FIELD_END(gsa_compile_options, num_shapes),
           GSA_FIELD_END(gsa_compile_options, num_threads),
           GSA_FIELD_END(gsa_compile_options, vector_bits),
           GSA_FIELD_END(gsa_compile_options, reference),
           GSA_FIELD_END(gsa_compile_options, load_later),
           GSA_FIELD_END(gsa_compile_options, arch),
           GSA_FIELD_END(gsa_compile_options, nvrtc),
           GSA_FIELD_END(gsa_compile_options, cache_dir),
           GSA_FIELD_END(gsa_compile_options, cache_mode),
           GSA_FIELD_END(gsa_compile_options, bounds),
           GSA_FIELD_END(gsa_compile_options, num_bounds),
           GSA_FIELD_END(gsa_compile_options, schedules));

GSA_NO_TAIL_PADDING(gsa_differentiate_options, save);
GSA_LAYOUT(gsa_differentiate_options, struct_size,
           GSA_FIELD_END(gsa_differentiate_options, struct_size),
           GSA_FIELD_END(gsa_differentiate_options, function),
           GSA_FIELD_END(gsa_differentiate_options, inputs),
           GSA_FIELD_END(gsa_differentiate_options, num_inputs),
           GSA_FIELD_END(gsa_differentiate_options, outputs),
           GSA_FIELD_END(gsa_differentiate_options, num_outputs),
           GSA_FIELD_END(gsa_differentiate_options, save));

GSA_NO_TAIL_PADDING(gsa_layer_config, dtype);
GSA_LAYOUT(gsa_layer_config, dtype, GSA_FIELD_END(gsa_layer_config, dtype));

GSA_NO_TAIL_PADDING(gsa_tensor_info, updates);
GSA_LAYOUT(gsa_tensor_info, struct_size,
           GSA_FIELD_END(gsa_tensor_info, struct_size),
           GSA_FIELD_END(gsa_tensor_info, name),
           GSA_FIELD_END(gsa_tensor_info, shape),
           GSA_FIELD_END(gsa_tensor_info, rank),
           GSA_FIELD_END(gsa_tensor_info, dtype),
           GSA_FIELD_END(gsa_tensor_info, bytes),
           GSA_FIELD_END(gsa_tensor_info, updates));

GSA_NO_TAIL_PADDING(gsa_kernel_counts, compile_milliseconds);
GSA_LAYOUT(gsa_kernel_counts, struct_size,
           GSA_FIELD_END(gsa_kernel_counts, struct_size),
           GSA_FIELD_END(gsa_kernel_counts, compiled),
           GSA_FIELD_END(gsa_kernel_counts, from_disk),
           GSA_FIELD_END(gsa_kernel_counts, from_memory),
           GSA_FIELD_END(gsa_kernel_counts, compile_milliseconds));

GSA_NO_TAIL_PADDING(gsa_load_options, load_later);
GSA_LAYOUT(gsa_load_options, struct_size,
           GSA_FIELD_END(gsa_load_options, struct_size),
           GSA_FIELD_END(gsa_load_options, target),
           GSA_FIELD_END(gsa_load_options, shapes),
           GSA_FIELD_END(gsa_load_options, num_shapes),
           GSA_FIELD_END(gsa_load_options, load_later));

GSA_NO_TAIL_PADDING(gsa_run_options, num_stage_milliseconds);
GSA_LAYOUT(gsa_run_options, struct_size,
           GSA_FIELD_END(gsa_run_options, struct_size),
           GSA_FIELD_END(gsa_run_options, stream),
           GSA_FIELD_END(gsa_run_options, thread_pool),
           GSA_FIELD_END(gsa_run_options, stage_milliseconds),
           GSA_FIELD_END(gsa_run_options, num_stage_milliseconds));

namespace {

size_t SizeField(const void* source) {
  size_t size;
  std::memcpy(&size, source, sizeof(size));
  return size;
}

// No structure will ever be larger; a guard against sizes that are garbage.
constexpr size_t kMaxStructSize = 4096;

absl::Status CheckSize(const Layout& layout, const Place& what, size_t given,
                       size_t size) {
  bool known =
      given >= layout.required &&
      (given > size || std::find(layout.ends.begin(), layout.ends.end(),
                                 given) != layout.ends.end());
  if (known && given <= kMaxStructSize) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      what.ToString(), ": expected struct_size = sizeof(", layout.name,
      ") = ", size, ", or that of another version, got ", given));
}

}  // namespace

std::string Place::ToString() const {
  return index < 0 ? std::string(name) : absl::StrCat(name, " ", index);
}

absl::Status ReadStruct(const Layout& layout, const Place& what,
                        const void* source, size_t expected_size, void* target,
                        size_t size) {
  size_t given = SizeField(source);
  GSA_RETURN_IF_ERROR(CheckSize(layout, what, given, size));
  if (expected_size != 0 && given != expected_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        what.ToString(), ": expected struct_size = ", expected_size,
        ", that of the array's first element, got ", given));
  }
  const char* bytes = static_cast<const char*>(source);
  for (size_t i = size; i < given; ++i) {
    if (bytes[i] == 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        what.ToString(), ": struct_size = ", given, ", but this library (",
        gsa_version_string(), ") knows the first ", size, " bytes of ",
        layout.name, "; expected zeros after them, got byte ", i, " = ",
        static_cast<int>(static_cast<unsigned char>(bytes[i]))));
  }
  std::memset(target, 0, size);
  std::memcpy(target, source, std::min(given, size));
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<T> Read(const char* what, const T* source) {
  if (source == nullptr) return NullError(what);
  T value;
  GSA_RETURN_IF_ERROR(
      ReadStruct(LayoutOf<T>::Get(), {what}, source, 0, &value, sizeof(T)));
  return value;
}

// Reads element `index` of an array whose elements lie `stride` bytes apart.
template <typename T>
static absl::Status ReadElement(const char* what, const T* source, size_t index,
                                size_t stride, T* target) {
  GSA_RETURN_IF_ERROR(
      ReadStruct(LayoutOf<T>::Get(), {what, static_cast<int64_t>(index)},
                 reinterpret_cast<const char*>(source) + index * stride, stride,
                 target, sizeof(T)));
  if (stride % alignof(T) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, "s: expected a struct_size divisible by ", alignof(T),
                   ", got ", stride));
}

static absl::Status NullArrayError(const char* what, size_t count) {
  return absl::InvalidArgumentError(absl::StrCat(
      what, "s: expected ", count, " of them, got a null pointer"));
}

template <typename T>
absl::Status ReadArray(const char* what, const T* source,
                       absl::Span<T> target) {
  if (target.empty()) return absl::OkStatus();
  if (source == nullptr) return NullArrayError(what, target.size());
  const size_t stride = SizeField(source);
  for (size_t i = 0; i < target.size(); ++i)
    GSA_RETURN_IF_ERROR(ReadElement(what, source, i, stride, &target[i]));
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<std::vector<T>> ReadArray(const char* what, const T* source,
                                         size_t count) {
  std::vector<T> values;
  if (count == 0) return values;
  if (source == nullptr) return NullArrayError(what, count);
  const size_t stride = SizeField(source);
  for (size_t i = 0; i < count; ++i) {
    T value;
    GSA_RETURN_IF_ERROR(ReadElement(what, source, i, stride, &value));
    values.push_back(value);
  }
  return values;
}

template <typename T>
absl::Status Write(const char* what, const T& value, T* target) {
  if (target == nullptr) return NullError(what);
  size_t given = SizeField(target);
  GSA_RETURN_IF_ERROR(CheckSize(LayoutOf<T>::Get(), {what}, given, sizeof(T)));
  std::memset(target, 0, given);
  std::memcpy(target, &value, std::min(given, sizeof(T)));
  std::memcpy(target, &given, sizeof(given));
  return absl::OkStatus();
}

template absl::StatusOr<gsa_compile_options> Read(const char*,
                                                  const gsa_compile_options*);
template absl::StatusOr<gsa_differentiate_options> Read(
    const char*, const gsa_differentiate_options*);
template absl::StatusOr<gsa_layer_config> Read(const char*,
                                               const gsa_layer_config*);
template absl::StatusOr<gsa_load_options> Read(const char*,
                                               const gsa_load_options*);
template absl::StatusOr<gsa_run_options> Read(const char*,
                                              const gsa_run_options*);
template absl::Status ReadArray(const char*, const gsa_tensor*,
                                absl::Span<gsa_tensor>);
template absl::StatusOr<std::vector<gsa_tensor>> ReadArray(const char*,
                                                           const gsa_tensor*,
                                                           size_t);
template absl::StatusOr<std::vector<gsa_named_shape>> ReadArray(
    const char*, const gsa_named_shape*, size_t);
template absl::Status Write(const char*, const gsa_layer_config&,
                            gsa_layer_config*);
template absl::Status Write(const char*, const gsa_kernel_counts&,
                            gsa_kernel_counts*);
template absl::Status Write(const char*, const gsa_tensor_info&,
                            gsa_tensor_info*);

}  // namespace capi
}  // namespace gsa

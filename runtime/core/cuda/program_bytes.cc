// -----------------------------------------------------------------------------
// File: program_bytes.cc
// -----------------------------------------------------------------------------
//
// Each thing is written and read by one function pair, field by field in the
// order of device_program.h. Variants begin with the number of their kind. All
// members are named where a thing is taken apart: with another one of
// device_program.h this does not compile until the format has it as well.

#include "runtime/core/cuda/program_bytes.h"

#include <cstring>
#include <limits>
#include <variant>
#include <vector>

namespace gsa {
namespace {

constexpr int64_t kMost32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kLeast32 = std::numeric_limits<int32_t>::min();

// ---- Writing ----------------------------------------------------------------

class Writer {
 public:
  Writer(ImageTable* images, ByteWriter* out) : images_(images), out_(out) {}

  void Write(const DeviceProgram& program) {
    const auto& [arch, kernels, inputs, outputs, constants, workspace_bytes,
                 zone_names, lanes, steps] = program;
    Write(arch);
    Each(kernels);
    Each(inputs);
    Each(outputs);
    Each(constants);
    Write(workspace_bytes);
    Each(zone_names);
    Write(lanes);
    Each(steps);
  }

 private:
  template <typename T>
  void Each(const std::vector<T>& list) {
    out_->Number(static_cast<int64_t>(list.size()));
    for (const T& one : list) Write(one);
  }
  template <typename... Parts>
  void All(const Parts&... parts) {
    (Write(parts), ...);
  }
  template <typename... Kinds>
  void Write(const std::variant<Kinds...>& value) {
    out_->Number(static_cast<int64_t>(value.index()));
    std::visit([&](const auto& kind) { Write(kind); }, value);
  }
  void Write(const std::string& text) { out_->Text(text); }
  void Write(bool value) { out_->Number(value ? 1 : 0); }
  void Write(int32_t value) { out_->Number(value); }
  void Write(uint32_t value) { out_->Number(value); }
  void Write(int64_t value) { out_->Number(value); }
  void Write(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    out_->Number(bits);
  }
  void Write(double value) {
    int64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    out_->Number(bits);
  }
  void Write(DType dtype) { out_->Text(DTypeName(dtype)); }
  void Write(BufferRef::Kind kind) { out_->Number(static_cast<int64_t>(kind)); }
  // What only a compiler needs is not written.
  void Write(const KernelSource& kernel) {
    const auto& [symbol, text, threads, smem, lines, header, headers, cluster,
                 image, work] = kernel;
    Write(symbol);
    out_->Number(images_->Add(image));
    All(threads, cluster, smem);
  }
  void Write(const BufferInfo& buffer) {
    const auto& [name, bytes, updates] = buffer;
    All(name, bytes, updates);
  }
  void Write(const ConstantData& constant) {
    const auto& [name, bytes] = constant;
    Write(name);
    out_->Text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void Write(const BufferRef& ref) {
    const auto& [kind, index, byte_offset] = ref;
    All(kind, index, byte_offset);
  }
  void Write(const TensorMapArg& map) {
    const auto& [base, dtype, rows, columns, row_pitch, box_rows, box_columns,
                 swizzle_bytes] = map;
    All(base, dtype, rows, columns, row_pitch, box_rows, box_columns,
        swizzle_bytes);
  }
  void Write(const StepOrder& order) {
    const auto& [lane, waits] = order;
    Write(lane);
    Each(waits);
  }
  void Write(const LaunchStep& step) {
    const auto& [kernel, grid, args, dependent, zone, order, urgent] = step;
    All(kernel, grid[0], grid[1], grid[2]);
    Each(args);
    All(dependent, zone, order, urgent);
  }
  void Write(const GemmStep& step) {
    const auto& [a, b, c, a_dtype, b_dtype, c_dtype, compute_dtype, m, n, k,
                 lda, ldb, ldc, trans_a, trans_b, batch, stride_a, stride_b,
                 stride_c, beta, zone, order] = step;
    All(a, b, c, a_dtype, b_dtype, c_dtype, compute_dtype, m, n, k, lda, ldb,
        ldc, trans_a, trans_b, batch, stride_a, stride_b, stride_c, beta, zone,
        order);
  }
  void Write(const CopyStep& step) {
    const auto& [source, destination, bytes, zone, order] = step;
    All(source, destination, bytes, zone, order);
  }
  void Write(const FillStep& step) {
    const auto& [destination, pattern, element_bytes, count, zone, order] =
        step;
    All(destination, pattern, element_bytes, count, zone, order);
  }

  ImageTable* images_;
  ByteWriter* out_;
};

// ---- Reading ----------------------------------------------------------------

class Reader {
 public:
  Reader(const ImageTable& images, ByteReader* in) : images_(images), in_(in) {}

  void Read(DeviceProgram* program) {
    auto& [arch, kernels, inputs, outputs, constants, workspace_bytes,
           zone_names, lanes, steps] = *program;
    Read(&arch);
    Each(&kernels);
    Each(&inputs);
    Each(&outputs);
    Each(&constants);
    Read(&workspace_bytes);
    Each(&zone_names);
    Read(&lanes);
    Each(&steps);
  }

 private:
  // A list, which grows with what is there: a number alone takes no memory.
  template <typename T>
  void Each(std::vector<T>* list) {
    const size_t count = in_->Count();
    for (size_t i = 0; i < count && in_->ok(); ++i) {
      list->emplace_back();
      Read(&list->back());
    }
  }
  template <typename... Parts>
  void All(Parts*... parts) {
    (Read(parts), ...);
  }
  // An alternative of a variant, the one of that number.
  template <size_t kIndex, typename... Kinds>
  void ReadKind(int64_t index, std::variant<Kinds...>* value) {
    if constexpr (kIndex == sizeof...(Kinds)) {
      in_->Fail();
    } else if (index == static_cast<int64_t>(kIndex)) {
      Read(&value->template emplace<kIndex>());
    } else {
      ReadKind<kIndex + 1>(index, value);
    }
  }
  template <typename... Kinds>
  void Read(std::variant<Kinds...>* value) {
    ReadKind<0>(in_->Number(), value);
  }
  void Read(std::string* text) { *text = std::string(in_->Text()); }
  void Read(bool* value) { *value = in_->NumberIn(0, 1) != 0; }
  void Read(int32_t* value) {
    *value = static_cast<int32_t>(in_->NumberIn(kLeast32, kMost32));
  }
  void Read(uint32_t* value) {
    *value = static_cast<uint32_t>(
        in_->NumberIn(0, std::numeric_limits<uint32_t>::max()));
  }
  void Read(int64_t* value) { *value = in_->Number(); }
  void Read(float* value) {
    uint32_t bits;
    Read(&bits);
    std::memcpy(value, &bits, sizeof(bits));
  }
  void Read(double* value) {
    const int64_t bits = in_->Number();
    std::memcpy(value, &bits, sizeof(bits));
  }
  void Read(DType* dtype) {
    const absl::StatusOr<DType> known = ParseDType(in_->Text());
    if (known.ok())
      *dtype = *known;
    else
      in_->Fail();
  }
  void Read(BufferRef::Kind* kind) {
    *kind = static_cast<BufferRef::Kind>(
        in_->NumberIn(0, static_cast<int64_t>(BufferRef::Kind::kConstant)));
  }
  void Read(KernelSource* kernel) {
    auto& [symbol, text, threads, smem, lines, header, headers, cluster, image,
           work] = *kernel;
    Read(&symbol);
    const auto count = static_cast<int64_t>(images_.images().size());
    const int64_t number = in_->NumberIn(0, count - 1);
    if (!in_->ok()) return;
    image = images_.images()[static_cast<size_t>(number)];
    All(&threads, &cluster, &smem);
  }
  void Read(BufferInfo* buffer) {
    auto& [name, bytes, updates] = *buffer;
    All(&name, &bytes, &updates);
  }
  void Read(ConstantData* constant) {
    auto& [name, bytes] = *constant;
    Read(&name);
    const absl::string_view text = in_->Text();
    bytes.assign(text.begin(), text.end());
  }
  void Read(BufferRef* ref) {
    auto& [kind, index, byte_offset] = *ref;
    All(&kind, &index, &byte_offset);
  }
  void Read(TensorMapArg* map) {
    auto& [base, dtype, rows, columns, row_pitch, box_rows, box_columns,
           swizzle_bytes] = *map;
    All(&base, &dtype, &rows, &columns, &row_pitch, &box_rows, &box_columns,
        &swizzle_bytes);
  }
  void Read(StepOrder* order) {
    auto& [lane, waits] = *order;
    Read(&lane);
    Each(&waits);
  }
  void Read(LaunchStep* step) {
    auto& [kernel, grid, args, dependent, zone, order, urgent] = *step;
    All(&kernel, &grid[0], &grid[1], &grid[2]);
    Each(&args);
    All(&dependent, &zone, &order, &urgent);
  }
  void Read(GemmStep* step) {
    auto& [a, b, c, a_dtype, b_dtype, c_dtype, compute_dtype, m, n, k, lda, ldb,
           ldc, trans_a, trans_b, batch, stride_a, stride_b, stride_c, beta,
           zone, order] = *step;
    All(&a, &b, &c, &a_dtype, &b_dtype, &c_dtype, &compute_dtype, &m, &n, &k,
        &lda, &ldb, &ldc, &trans_a, &trans_b, &batch, &stride_a, &stride_b,
        &stride_c, &beta, &zone, &order);
  }
  void Read(CopyStep* step) {
    auto& [source, destination, bytes, zone, order] = *step;
    All(&source, &destination, &bytes, &zone, &order);
  }
  void Read(FillStep* step) {
    auto& [destination, pattern, element_bytes, count, zone, order] = *step;
    All(&destination, &pattern, &element_bytes, &count, &zone, &order);
  }

  const ImageTable& images_;
  ByteReader* in_;
};

}  // namespace

int64_t ImageTable::Add(const std::string& image) {
  const auto [known, is_new] =
      numbers_.emplace(image, static_cast<int64_t>(images_.size()));
  if (is_new) images_.push_back(image);
  return known->second;
}

void ImageTable::Write(ByteWriter* writer) const {
  writer->Number(static_cast<int64_t>(images_.size()));
  for (const std::string& image : images_) writer->Text(image);
}

ImageTable ImageTable::Read(ByteReader* reader) {
  ImageTable table;
  const size_t count = reader->Count();
  for (size_t i = 0; i < count && reader->ok(); ++i)
    table.images_.emplace_back(reader->Text());
  return table;
}

void WriteProgram(const DeviceProgram& program, ImageTable* images,
                  ByteWriter* writer) {
  Writer(images, writer).Write(program);
}

DeviceProgram ReadProgram(const ImageTable& images, ByteReader* reader) {
  DeviceProgram program;
  Reader(images, reader).Read(&program);
  return program;
}

}  // namespace gsa

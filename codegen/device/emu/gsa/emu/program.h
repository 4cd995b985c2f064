//===- program.h - runs the steps of a device program ----------*- C++ -*-===//
//
// The main function of an emulation. The steps are data, so that one compiled
// set of kernels serves all shapes. `emulation <folder>` reads
//
//   folder/program   one item per line, in this order:
//     run <seed> <blocks at once>
//     fault <function> <call> <warp>                          at most once
//     buffer <file or -> <bytes> <writable 0|1> <out 0|1> <name>
//     dependent                                 of the launch that follows
//     launch <kernel> <gx> <gy> <gz> <warps> <cluster> <shared bytes> <n> then
//     n of
//       p <buffer> <offset> | i <int> | l <long long> | f <hex> | d <hex> |
//       t <buffer> <offset> <rows> <columns> <pitch> <box rows>
//         <box columns> <element bytes>                   pitch in elements
//     gemm <a> <b> <c: buffer offset dtype ld stride> <m> <n> <k>
//       <trans a> <trans b> <batch> <beta>
//     copy <source> <offset> <destination> <offset> <bytes>
//     fill <buffer> <offset> <pattern> <element bytes> <count>
//   folder/<file>    the first contents of a buffer; poison where it is "-"
//
// and writes each `out` buffer to folder/out<number of the buffer>.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_EMU_PROGRAM_H
#define GSA_EMU_PROGRAM_H

#include <signal.h>

#include "gsa/device/hopper.cuh"
#include "gsa/device/types.cuh"
#include "gsa/emu/block.h"

namespace gsa::emu {

//===----------------------------------------------------------------------===//
// Calls of kernels
//===----------------------------------------------------------------------===//

struct Argument {
  char kind;  // p, i, l, f, d, t as above
  union {
    void* pointer;
    int integer;
    long long wide;
    float single;
    double number;
    dev::tensor_map map;
  };
};

[[noreturn]] inline void badProgram(const char* what, const char* name) {
  fprintf(stderr, "gsa-emu: program: %s '%s'\n", what, name);
  fflush(stderr);
  _exit(kBadProgram);
}

template <typename T>
struct ArgumentOf;
template <typename T>
struct ArgumentOf<T*> {
  static constexpr char kind = 'p';
  static T* take(const Argument& a) { return static_cast<T*>(a.pointer); }
};
template <>
struct ArgumentOf<int> {
  static constexpr char kind = 'i';
  static int take(const Argument& a) { return a.integer; }
};
template <>
struct ArgumentOf<long long> {
  static constexpr char kind = 'l';
  static long long take(const Argument& a) { return a.wide; }
};
template <>
struct ArgumentOf<float> {
  static constexpr char kind = 'f';
  static float take(const Argument& a) { return a.single; }
};
template <>
struct ArgumentOf<double> {
  static constexpr char kind = 'd';
  static double take(const Argument& a) { return a.number; }
};

template <>
struct ArgumentOf<dev::tensor_map> {
  static constexpr char kind = 't';
  static dev::tensor_map take(const Argument& a) { return a.map; }
};

/// Calls `kernel` with `arguments` of just the kinds that it declares.
template <typename... Parameters>
void callKernel(const char* name, void (*kernel)(Parameters...),
                const Argument* arguments, int count) {
  const char kinds[] = {ArgumentOf<Parameters>::kind..., 0};
  bool fits = count == static_cast<int>(sizeof...(Parameters));
  for (int i = 0; fits && i < count; ++i) fits = arguments[i].kind == kinds[i];
  if (!fits) badProgram("arguments do not fit those of the kernel", name);
  int i = 0;
  // Braces: evaluated left to right.
  struct Call {
    Call(void (*kernel)(Parameters...), Parameters... values) {
      kernel(values...);
    }
  } call{kernel, ArgumentOf<Parameters>::take(arguments[i++])...};
  (void)call;
  (void)i;
}

struct Kernel {
  const char* name;
  void (*call)(const Argument* arguments, int count);
};

/// The entry of a kernel in the table that main gets.
#define GSA_EMU_KERNEL(NAME)                                   \
  {#NAME, [](const gsa::emu::Argument* arguments, int count) { \
     gsa::emu::callKernel(#NAME, &::NAME, arguments, count);   \
   }}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

struct Buffer {
  char name[256];
  char* begin;
  int64_t bytes;
  bool isOut;
};

/// Matrices of a product; dtype is f16, bf16 or f32.
struct Matrix {
  char* address;
  char dtype[8];
  long long ld, stride;
};

GSA_EMU_PRIVATE inline float readFloat(const Matrix& matrix, int64_t i) {
  using namespace gsa::dev;
  if (matrix.dtype[0] == 'b')
    return to_float(reinterpret_cast<const bf16*>(matrix.address)[i]);
  if (matrix.dtype[1] == '1')
    return to_float(reinterpret_cast<const f16*>(matrix.address)[i]);
  return reinterpret_cast<const float*>(matrix.address)[i];
}

GSA_EMU_PRIVATE inline void writeFloat(const Matrix& matrix, int64_t i,
                                       float value) {
  using namespace gsa::dev;
  if (matrix.dtype[0] == 'b')
    reinterpret_cast<bf16*>(matrix.address)[i] = to_bf16(value);
  else if (matrix.dtype[1] == '1')
    reinterpret_cast<f16*>(matrix.address)[i] = to_f16(value);
  else
    reinterpret_cast<float*>(matrix.address)[i] = value;
}

/// sums[n] += left * right[n]
GSA_EMU_PRIVATE inline void addScaledRow(float* sums, float left,
                                         const float* right, int64_t n) {
  for (int64_t j = 0; j < n; ++j) sums[j] += left * right[j];
}

/// C = op(A) op(B) + beta C, summed in float with k ascending.
inline void multiply(const Matrix& a, const Matrix& b, const Matrix& c,
                     const long long (&size)[3], const int (&transposed)[2],
                     long long batch, int beta) {
  auto [m, n, k] = size;
  std::vector<float> right(static_cast<size_t>(k * n)), sums(n);
  for (int64_t i = 0; i < batch; ++i) {
    for (int64_t p = 0; p < k; ++p)
      for (int64_t j = 0; j < n; ++j)
        right[p * n + j] = readFloat(
            b, i * b.stride + (transposed[1] ? j * b.ld + p : p * b.ld + j));
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t j = 0; j < n; ++j) sums[j] = 0;
      for (int64_t p = 0; p < k; ++p) {
        float left = readFloat(
            a, i * a.stride + (transposed[0] ? p * a.ld + r : r * a.ld + p));
        addScaledRow(sums.data(), left, right.data() + p * n, n);
      }
      for (int64_t j = 0; j < n; ++j) {
        int64_t at = i * c.stride + r * c.ld + j;
        writeFloat(c, at, beta ? sums[j] + readFloat(c, at) : sums[j]);
      }
    }
  }
}

class Program {
 public:
  Program(const char* folder, const Kernel* kernels, int count)
      : folder(folder), kernels(kernels), kernelCount(count) {}

  void run() {
    file = open("program", "r");
    char word[16];
    while (fscanf(file, "%15s", word) == 1) {
      if (!strcmp(word, "run"))
        readRun();
      else if (!strcmp(word, "fault"))
        readFault();
      else if (!strcmp(word, "buffer"))
        readBuffer();
      else if (!strcmp(word, "dependent"))
        info.dependent = true;
      else if (!strcmp(word, "launch"))
        runLaunch();
      else if (!strcmp(word, "gemm"))
        runGemm();
      else if (!strcmp(word, "copy"))
        runCopy();
      else if (!strcmp(word, "fill"))
        runFill();
      else
        badProgram("unknown item", word);
    }
    fclose(file);
    for (size_t i = 0; i < buffers.size(); ++i)
      if (buffers[i].isOut) writeBuffer(static_cast<int>(i));
  }

 private:
  FILE* open(const char* name, const char* mode) {
    std::vector<char> path(strlen(folder) + strlen(name) + 2);
    snprintf(path.data(), path.size(), "%s/%s", folder, name);
    FILE* opened = fopen(path.data(), mode);
    if (!opened) badProgram("cannot open", path.data());
    return opened;
  }

  void expect(int read, int count, const char* item) {
    if (read != count) badProgram("cannot read item", item);
  }

  void readRun() {
    unsigned long long seed;
    expect(fscanf(file, "%llu %d", &seed, &info.blocksAtOnce), 2, "run");
    info.seed = seed;
  }

  void readFault() {
    static char function[32];
    int call, warp;
    expect(fscanf(file, "%31s %d %d", function, &call, &warp), 3, "fault");
#ifdef GSA_EMU_FAULT
    seededFault = {function, call, warp};
#else
    badProgram("compiled without GSA_EMU_FAULT, cannot break", function);
#endif
  }

  void readBuffer() {
    Buffer buffer;
    char source[32];
    long long bytes;
    int writable, isOut;
    expect(fscanf(file, "%31s %lld %d %d %255[^\n]", source, &bytes, &writable,
                  &isOut, buffer.name),
           5, "buffer");
    // What lies around a buffer is in no extent.
    constexpr int64_t kGap = 4096;
    int64_t whole = (bytes + 3 * kGap) & ~(kGap - 1);
    auto* memory = static_cast<char*>(aligned_alloc(kGap, whole));
    if (!memory) badProgram("out of memory for buffer", buffer.name);
    poison(memory, whole);
    buffer.begin = memory + kGap;
    buffer.bytes = bytes;
    buffer.isOut = isOut;
    if (strcmp(source, "-") != 0) {
      FILE* contents = open(source, "rb");
      if (fread(buffer.begin, 1, bytes, contents) != static_cast<size_t>(bytes))
        badProgram("too short", source);
      fclose(contents);
    }
    buffers.push_back(buffer);
    const char* name = strdup(buffer.name);
    extents.push_back(
        {name, buffer.begin, buffer.begin + bytes, writable != 0});
  }

  void writeBuffer(int number) {
    char name[32];
    snprintf(name, sizeof(name), "out%d", number);
    FILE* contents = open(name, "wb");
    size_t bytes = buffers[number].bytes;
    bool good = fwrite(buffers[number].begin, 1, bytes, contents) == bytes;
    if (fclose(contents) != 0 || !good) badProgram("cannot write", name);
  }

  char* readAddress() {
    int number;
    long long offset;
    expect(fscanf(file, "%d %lld", &number, &offset), 2, "address");
    if (number < 0 || number >= static_cast<int>(buffers.size()))
      badProgram("unknown buffer of item", "address");
    return buffers[number].begin + offset;
  }

  dev::tensor_map readMap() {
    dev::tensor_map map;
    map.data = readAddress();
    expect(
        fscanf(file, "%lld %lld %lld %d %d %d", &map.rows, &map.columns,
               &map.pitch, &map.box_rows, &map.box_columns, &map.element_bytes),
        6, "tensor map");
    return map;
  }

  void readArgument(Argument& argument) {
    expect(fscanf(file, " %c", &argument.kind), 1, "argument");
    if (argument.kind == 'p') {
      argument.pointer = readAddress();
    } else if (argument.kind == 'i') {
      expect(fscanf(file, "%d", &argument.integer), 1, "int");
    } else if (argument.kind == 'l') {
      expect(fscanf(file, "%lld", &argument.wide), 1, "long long");
    } else if (argument.kind == 't') {
      argument.map = readMap();
    } else {
      unsigned long long bits;
      expect(fscanf(file, "%llx", &bits), 1, "number");
      if (argument.kind == 'f')
        argument.single = dev::bit_cast<float>(static_cast<uint32_t>(bits));
      else
        argument.number = dev::bit_cast<double>(uint64_t{bits});
    }
  }

  void runLaunch() {
    int number, count;
    expect(fscanf(file, "%d %d %d %d %d %d %d %d", &number, &info.grid[0],
                  &info.grid[1], &info.grid[2], &info.warps, &info.cluster,
                  &info.sharedBytes, &count),
           8, "launch");
    if (number < 0 || number >= kernelCount)
      badProgram("unknown kernel of item", "launch");
    std::vector<Argument> arguments(count);
    for (Argument& argument : arguments) readArgument(argument);
    const Kernel& kernel = kernels[number];
    info.kernel = kernel.name;
    launch(info, [&] { kernel.call(arguments.data(), count); });
    info.dependent = false;
  }

  Matrix readMatrix() {
    Matrix matrix;
    matrix.address = readAddress();
    expect(
        fscanf(file, "%7s %lld %lld", matrix.dtype, &matrix.ld, &matrix.stride),
        3, "matrix");
    return matrix;
  }

  void runGemm() {
    Matrix a = readMatrix(), b = readMatrix(), c = readMatrix();
    long long size[3], batch;
    int transposed[2], beta;
    expect(fscanf(file, "%lld %lld %lld %d %d %lld %d", &size[0], &size[1],
                  &size[2], &transposed[0], &transposed[1], &batch, &beta),
           7, "gemm");
    multiply(a, b, c, size, transposed, batch, beta);
  }

  void runCopy() {
    char* source = readAddress();
    char* destination = readAddress();
    long long bytes;
    expect(fscanf(file, "%lld", &bytes), 1, "copy");
    memcpy(destination, source, bytes);
  }

  void runFill() {
    char* destination = readAddress();
    unsigned pattern;
    int size;
    long long count;
    expect(fscanf(file, "%u %d %lld", &pattern, &size, &count), 3, "fill");
    for (long long i = 0; i < count; ++i)
      memcpy(destination + i * size, &pattern, size);
  }

  const char* folder;
  const Kernel* kernels;
  int kernelCount;
  FILE* file = nullptr;
  LaunchInfo info;
  std::vector<Buffer> buffers;
};

/// The parent's time is up: says where the warps are.
inline void onTerminate(int) {
  dumpWarps("time is up");
  _exit(kHang);
}

inline int runMain(int argc, char** argv, const Kernel* kernels, int count) {
  if (argc != 2) badProgram("usage: emulation <folder>, not that of", argv[0]);
  signal(SIGTERM, onTerminate);
  Program(argv[1], kernels, count).run();
  return 0;
}

}  // namespace gsa::emu

#endif  // GSA_EMU_PROGRAM_H

//===- CpuJit.h - machine code for a module of the LLVM dialect -----------===//
//
// Translates a module that `gsa-cpu-lowering` produced to LLVM IR, optimises
// it for one CPU, and links the object into this process with ORC. Knows
// nothing of the runtime: the functions that compiled code may call arrive as
// addresses.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_CPU_CPUJIT_H
#define GSA_CODEGEN_CPU_CPUJIT_H

#include <memory>
#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "mlir/IR/BuiltinOps.h"

namespace llvm::orc {
class LLJIT;
}

namespace mlir::gsa {

struct CpuCodegenOptions {
  /// LLVM's name of the CPU ("znver4", "x86-64-v3"); empty: this machine's.
  std::string cpu;
  /// LLVM's feature string ("+avx2,-avx512f"); empty: this machine's when
  /// `cpu` is empty, otherwise those that `cpu` implies.
  std::string features;
  /// 0 to 3, as in -O.
  unsigned optLevel = 3;
  /// Preferred width of vector registers, in bits.
  unsigned vectorBits = 512;
  /// Keep the optimised LLVM IR or the assembly as text.
  bool keepLlvmIr = false;
  bool keepAssembly = false;
  /// Functions that compiled code may call besides the C library's memcpy
  /// family and libm, by symbol name ("gsa_cpu_parallel").
  llvm::StringMap<void*> symbols;
};

/// What the compiler made of one module: relocatable code and its texts.
/// Depends on the CPU it was compiled for, but on no address.
struct CpuObject {
  /// ELF relocatable object.
  llvm::SmallVector<char, 0> bytes;
  /// Name of the entry's wrapper, see CpuModule::Entry.
  std::string entrySymbol;
  /// CPU and features used; an object must not run on a CPU without them.
  std::string cpu;
  std::string features;
  /// Empty unless asked for.
  std::string llvmIr;
  std::string assembly;
};

/// Compiles `module`, which must hold only LLVM dialect ops and exactly one
/// function with `llvm.emit_c_interface`, the entry. Several modules may be
/// compiled at the same time, in different contexts.
llvm::Expected<CpuObject> compileCpuObject(ModuleOp module,
                                           const CpuCodegenOptions& options);

/// Code linked into this process; freed with the object. All methods may be
/// called from several threads, and so may the entry, with different buffers.
class CpuModule {
 public:
  /// One pointer per argument of the entry: to the memref descriptor of a
  /// memref argument, to the value of a scalar.
  using Entry = void (*)(void* const* args);

  /// compileCpuObject, then load.
  static llvm::Expected<std::unique_ptr<CpuModule>> compile(
      ModuleOp module, const CpuCodegenOptions& options);

  /// Links an object compiled before. Fails when it needs a function that is
  /// neither in `symbols` nor in the C library's list.
  static llvm::Expected<std::unique_ptr<CpuModule>> load(
      CpuObject object, const llvm::StringMap<void*>& symbols);

  ~CpuModule();
  CpuModule(const CpuModule&) = delete;
  CpuModule& operator=(const CpuModule&) = delete;

  Entry entry() const { return entryPoint; }
  const CpuObject& object() const { return compiled; }

 private:
  CpuModule();

  CpuObject compiled;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  Entry entryPoint = nullptr;
};

/// Name and feature string of this machine's CPU as LLVM sees it.
std::string hostCpuName();
std::string hostCpuFeatures();

/// Widest vector register of this machine that the compiler uses: 512, 256 or
/// 128 bits.
unsigned hostVectorBits();

}  // namespace mlir::gsa

#endif  // GSA_CODEGEN_CPU_CPUJIT_H

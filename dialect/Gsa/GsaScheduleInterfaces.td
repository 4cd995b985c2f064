//===- GsaScheduleInterfaces.td - schedules and scheduled ops --*- tablegen -*-===//
//
// What gsa-cuda-schedule, verifiers, lowerings and tuners ask of an op and of a
// schedule. A new kind of schedule implements the one, an op that admits it
// names it in the other; no pass is edited (docs/guides/add-a-schedule.md).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSASCHEDULEINTERFACES_TD
#define GSA_DIALECT_GSASCHEDULEINTERFACES_TD

include "mlir/IR/OpBase.td"

def Gsa_ScheduleAttrInterface : AttrInterface<"ScheduleAttrInterface"> {
  let cppNamespace = "::mlir::gsa";
  let description = [{
    How an op runs on a GPU. Ops have static shapes, but for `findMisfit` and
    `findOpMisfit`.
  }];
  let methods = [
    InterfaceMethod<[{
        Why no device can run `op` with the schedule, whatever its sizes; empty
        if one may. Asked through `findOpMisfit`, which knows of lengths.
      }], "::std::string", "findMisfit", (ins "::mlir::Operation *":$op)>,
    InterfaceMethod<[{
        Why sizes or architecture rule the schedule out, without regard to what
        a kernel takes; empty if they do not. Lowerings ask this.
      }], "::std::string", "findRefusal",
      (ins "::mlir::Operation *":$op,
           "const ::mlir::gsa::CudaTarget &":$target)>,
    InterfaceMethod<[{
        Well-formed schedules one step away, legal or not: one number is the
        next larger or smaller one, with what must change with it.
      }], "::llvm::SmallVector<::mlir::Attribute>", "getSteps", (ins)>,
    InterfaceMethod<[{
        Microseconds by a formula of bytes and operations over the rates of the
        target; see GsaScheduleCost.cpp. To order schedules, never to promise a
        time.
      }], "double", "estimateCost",
      (ins "::mlir::Operation *":$op,
           "const ::mlir::gsa::CudaTarget &":$target)>,
    InterfaceMethod<[{
        The same kernel by kernel and by what bounds each of them.
      }], "::mlir::gsa::ScheduleCost", "getCost",
      (ins "::mlir::Operation *":$op,
           "const ::mlir::gsa::CudaTarget &":$target), "",
      [{
        return ::mlir::gsa::ScheduleCost::ofWhole(
            $_attr.estimateCost(op, target));
      }]>,
    InterfaceMethod<[{
        Schedules of the kernels that the op becomes; none if the schedule is of
        one kernel.
      }], "::llvm::SmallVector<::mlir::Attribute>", "getParts", (ins), "",
      "return {};">,
    StaticInterfaceMethod<[{
        Schedules of this kind that are worth trying for `op`, best first, legal
        or not. The last ones are small enough for every op without a limit.
      }], "::llvm::SmallVector<::mlir::Attribute>", "enumerate",
      (ins "::mlir::Operation *":$op,
           "const ::mlir::gsa::CudaTarget &":$target)>,
    StaticInterfaceMethod<[{
        Why `enumerate` lists nothing for `op`; empty if it lists something.
      }], "::std::string", "explainNone",
      (ins "::mlir::Operation *":$op,
           "const ::mlir::gsa::CudaTarget &":$target), "",
      [{ return ("not for these sizes on " + target.arch).str(); }]>,
    StaticInterfaceMethod<[{
        Whether the kernels of this kind read a number of keys from the `lengths`
        of an op. Kinds that say nothing do not: such an op is then none for
        them.
      }], "bool", "takesLengths", (ins), "", "return false;">,
    StaticInterfaceMethod<[{
        Whether the kernels of this kind read keys and values that are rows of a
        gsa.paged_rows from its pages. Kinds that say nothing do not.
      }], "bool", "takesPages", (ins), "", "return false;">
  ];
  let extraClassDeclaration = [{
    /// What the kernels of `op` take with this schedule: the op is lowered, or
    /// was before.
    const ::mlir::gsa::Footprint &getFootprint(
        ::mlir::Operation *op, const ::mlir::gsa::CudaTarget &target) const;

    /// Why no device can run `op` with the schedule: lengths that its kind does
    /// not take, or `findMisfit`. Verifiers ask this.
    ::std::string findOpMisfit(::mlir::Operation *op) const;

    /// The whole of legality: misfits, refusals, and that the kernels fit.
    ::mlir::gsa::ScheduleVerdict findIllegality(
        ::mlir::Operation *op, const ::mlir::gsa::CudaTarget &target) const;

    /// Legal schedules one step away.
    ::llvm::SmallVector<::mlir::Attribute> getNeighbours(
        ::mlir::Operation *op, const ::mlir::gsa::CudaTarget &target) const;
  }];
}

def Gsa_ScheduledOpInterface : OpInterface<"ScheduledOpInterface"> {
  let cppNamespace = "::mlir::gsa";
  let description = [{
    An op that runs by a schedule, its discardable attribute `gsa.schedule`. Of
    several kinds that an op admits each is a different algorithm.
  }];
  let methods = [
    InterfaceMethod<"Kinds of schedule that the op admits on a device; none if "
                    "it has no kernel there.",
                    "::llvm::SmallVector<::mlir::gsa::ScheduleKind>",
                    "getScheduleKinds", (ins "::mlir::gsa::Device":$device)>,
    InterfaceMethod<"The sizes that a schedule is chosen for.",
                    "::mlir::gsa::ScheduleProblem", "getScheduleProblem">,
    InterfaceMethod<"Numbers of keys that the device alone knows; null if the "
                    "op has none.",
                    "::mlir::Value", "getLengths", (ins), "", "return {};">
  ];
}

#endif  // GSA_DIALECT_GSASCHEDULEINTERFACES_TD

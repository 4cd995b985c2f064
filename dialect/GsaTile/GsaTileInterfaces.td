//===- GsaTileInterfaces.td - what passes ask of ops -----------*- tablegen -*-===//
//
// The printer and the passes of passes/tile know ops through these alone: a new
// copy, barrier or product needs no pass edited. The dialect says what an op is
// called; the printer of codegen/cuda decides nothing beyond names.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_INTERFACES_TD
#define GSA_TILE_INTERFACES_TD

include "mlir/IR/OpBase.td"

class GsaTile_OpInterface<string name> : OpInterface<name> {
  let cppNamespace = "::mlir::gsa_tile";
}

def GsaTile_CudaEmitOpInterface : GsaTile_OpInterface<"CudaEmitOpInterface"> {
  let description = [{
    An op that prints as CUDA C++. `emitCuda` prints exactly one statement
    through the emitter, or gives the expression of its only result to it, and
    fails with a diagnostic at the op otherwise. Ops of upstream dialects get
    the interface as external models.
  }];
  let methods = [
    InterfaceMethod<"Prints the op.", "::llvm::LogicalResult", "emitCuda",
                    (ins "::mlir::gsa_tile::CudaEmitter &":$emitter)>
  ];
}

//===----------------------------------------------------------------------===//
// Who runs an op
//===----------------------------------------------------------------------===//

def GsaTile_TeamOpInterface : GsaTile_OpInterface<"TeamOpInterface"> {
  let description = [{
    An op that the warps of a team run together, or that asks for the number of
    a warp within it. Warps of other teams do not run it.
  }];
  let methods = [
    InterfaceMethod<"The warps that run the op.",
                    "::mlir::gsa_tile::TeamAttr", "getTeam">
  ];
}

def GsaTile_BarrierOpInterface : GsaTile_OpInterface<"BarrierOpInterface"> {
  let description = [{
    All warps of a team meet: what they did to shared memory before is seen by
    all of them behind it.
  }];
  let methods = [
    InterfaceMethod<"The warps that meet.", "::mlir::gsa_tile::TeamAttr",
                    "getTeam">,
    InterfaceMethod<"Number of the hardware barrier, 0 to 15.", "uint64_t",
                    "getBarrier">
  ];
}

//===----------------------------------------------------------------------===//
// What takes time beside the program
//===----------------------------------------------------------------------===//

def GsaTile_FillOpInterface : GsaTile_OpInterface<"FillOpInterface"> {
  let description = [{
    Fills a tile in shared memory by the warps of a team. The engine says what
    writes, and so how its end is noticed: by a barrier, by arrivals of cp.async
    or by the bytes that a barrier in memory counts. A copy by the bulk engine
    names the barrier; pipelining gives it, with `setArrival`.
  }];
  let methods = [
    InterfaceMethod<"The tile.", "::mlir::Value", "getTarget">,
    InterfaceMethod<"What writes it.", "::mlir::gsa_tile::CopyEngine",
                    "getEngine">,
    InterfaceMethod<
        "Reports the bytes to the full barrier of a ring's slot.", "void",
        "setArrival", (ins "::mlir::Value":$ring, "::mlir::Value":$iteration),
        "", "(void)ring; (void)iteration;">,
    InterfaceMethod<"The ring whose barrier counts the bytes, or null.",
                    "::mlir::Value", "getArrival", (ins), "",
                    "return ::mlir::Value();">
  ];
}

def GsaTile_AsyncOpInterface : GsaTile_OpInterface<"AsyncOpInterface"> {
  let description = [{
    Goes on using its operands after it was issued, until a wait of its kind.
  }];
  let methods = [
    InterfaceMethod<"Which waits end it; none if it is not asynchronous.",
                    "::mlir::gsa_tile::AsyncKind", "getAsyncKind">
  ];
}

def GsaTile_AsyncWaitOpInterface
    : GsaTile_OpInterface<"AsyncWaitOpInterface"> {
  let methods = [
    InterfaceMethod<"What the op waits for.", "::mlir::gsa_tile::AsyncKind",
                    "getAsyncKind">,
    InterfaceMethod<"Groups that may still be in flight behind it.", "uint64_t",
                    "getPending", (ins), "", "return 0;">
  ];
}

def GsaTile_AsyncCommitOpInterface
    : GsaTile_OpInterface<"AsyncCommitOpInterface"> {
  let description = "Makes a group of what was issued since the last one.";
  let methods = [
    InterfaceMethod<"What the group is of.", "::mlir::gsa_tile::AsyncKind",
                    "getAsyncKind">
  ];
}

def GsaTile_ProductOpInterface : GsaTile_OpInterface<"ProductOpInterface"> {
  let description = [{
    `acc += lhs * rhs`. The accumulator is a fragment, the left operand a
    fragment or a tile, the right operand a tile.
  }];
  let methods = [
    InterfaceMethod<"The fragment that is added to.", "::mlir::Value",
                    "getAccumulator", (ins), "", "return $_op.getAcc();">,
    InterfaceMethod<"Left operand.", "::mlir::Value", "getLeft", (ins), "",
                    "return $_op.getLhs();">,
    InterfaceMethod<"Right operand.", "::mlir::Value", "getRight", (ins), "",
                    "return $_op.getRhs();">,
    InterfaceMethod<"What computes it.", "::mlir::gsa_tile::ProductUnit",
                    "getUnit">
  ];
}

def GsaTile_FenceOpInterface : GsaTile_OpInterface<"FenceOpInterface"> {
  let description = [{
    Orders what came before it, in this warp, with what other units do after it:
    registers with products that read or write them asynchronously, or shared
    memory with the asynchronous proxy (tensor cores, bulk copies).
  }];
  let methods = [
    InterfaceMethod<"Whether registers are ordered, those that ordinary "
                    "instructions wrote if they are operands, or shared memory.",
                    "bool", "isOfRegisters">
  ];
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

def GsaTile_RingOpInterface : GsaTile_OpInterface<"RingOpInterface"> {
  let description = [{
    A step of the life of a ring's slot: acquire, (fill,) commit by those who
    fill, wait, (read,) release by those who read.
  }];
  let methods = [
    InterfaceMethod<"Which step.", "::mlir::gsa_tile::RingStep", "getStep">,
    InterfaceMethod<"The ring.",
                    "::mlir::TypedValue<::mlir::gsa_tile::RingType>",
                    "getRing">,
    InterfaceMethod<"Which use of the ring, from 0.", "::mlir::Value",
                    "getIteration">,
    InterfaceMethod<"What a commit's arrival comes after, beside what the warp "
                    "did before.", "::mlir::gsa_tile::AsyncKind",
                    "getAsyncKind", (ins), "",
                    "return ::mlir::gsa_tile::AsyncKind::None;">
  ];
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

def GsaTile_SharedAllocOpInterface
    : GsaTile_OpInterface<"SharedAllocOpInterface"> {
  let description = "Bytes of shared memory with a place that a pass chooses.";
  let methods = [
    InterfaceMethod<"Size in bytes.", "int64_t", "getSharedBytes">,
    InterfaceMethod<"What the offset is a multiple of, in bytes.", "int64_t",
                    "getSharedAlignment">,
    InterfaceMethod<"Whether other warps may use it at any time, so that it "
                    "shares its bytes with nothing.", "bool", "isBarrier">,
    InterfaceMethod<"The place in bytes, if it has one.",
                    "::std::optional<uint64_t>", "getOffset">,
    InterfaceMethod<"Sets the place.", "void", "setOffsetAttr",
                    (ins "::mlir::IntegerAttr":$offset)>
  ];
}

def GsaTile_RegisterAllocOpInterface
    : GsaTile_OpInterface<"RegisterAllocOpInterface"> {
  let description = "Storage in the registers of each warp that runs it.";
  let methods = [
    InterfaceMethod<"32-bit registers of a thread.", "int64_t",
                    "getThreadRegisters">
  ];
}

#endif  // GSA_TILE_INTERFACES_TD

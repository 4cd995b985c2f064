//===- GsaTileDialect.td - dialect, attributes, base class -----*- tablegen -*-===//

#ifndef GSA_TILE_DIALECT_TD
#define GSA_TILE_DIALECT_TD

include "dialect/GsaTile/GsaTileInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def GsaTile_Dialect : Dialect {
  let name = "gsa_tile";
  let cppNamespace = "::mlir::gsa_tile";
  let summary = "Kernels on tiles; one op is one call of one device function";
  let description = [{
    The exit dialect: what it says is what is printed. A `gsa_tile.kernel` is
    code of one warp; its body is run by every warp of every block, and roles
    split it by teams of warps. An op prints as one call of the function
    `gsa::dev::<mnemonic>` of the device headers, whose text is in the op's
    record.

    Storage is not a value: a fragment, a row vector, a tile in shared memory
    and a ring are made once and then changed by ops, in program order. So
    asynchronous instructions may keep registers in flight, loops carry
    nothing and one op stays one statement. What order matters is told by
    memory effects on four resources: registers, shared memory, global memory
    and barriers.

    Scalars, loops and branches are `arith`, `math` and `scf` ops. `index`
    prints as `int` (32 bits); `gsa_tile.at` forms addresses in 64 bits.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  // What lowerings tell the passes on kernels: PipelineAttrs.h.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

//===----------------------------------------------------------------------===//
// Enums and attributes
//===----------------------------------------------------------------------===//

class GsaTile_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::mlir::gsa_tile";
  let genSpecializedAttr = 0;
}
class GsaTile_EnumAttr<GsaTile_Enum enum, string mnemonic>
    : EnumAttr<GsaTile_Dialect, enum, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}
class GsaTile_Attr<string name, string attrMnemonic>
    : AttrDef<GsaTile_Dialect, name> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

def GsaTile_Access : GsaTile_Enum<"Access", "what a kernel does to an array", [
    I32EnumAttrCase<"Read", 0, "read">,
    I32EnumAttrCase<"Write", 1, "write">]>;

def GsaTile_SmemLayout : GsaTile_Enum<"SmemLayout",
    "order of elements of a tile in shared memory", [
    /// Row by row.
    I32EnumAttrCase<"Linear", 0, "linear">,
    /// Row by row, 16-byte chunks of a row permuted by exclusive or with the
    /// row number, so that ldmatrix and cp.async meet no bank conflict.
    I32EnumAttrCase<"Swizzle", 1, "swizzle">,
    /// Panels of 128 bytes of columns, each with the 128-byte swizzle that
    /// wgmma descriptors and tensor maps name.
    I32EnumAttrCase<"Swizzle128B", 2, "swizzle_128b">]>;

def GsaTile_FragLayout : GsaTile_Enum<"FragLayout",
    "how a tile is spread over the registers of a warp", [
    /// Result of mma.sync m16n8, 16 rows per warp; also that of wgmma m64,
    /// whose four warps hold 16 of the 64 rows each.
    I32EnumAttrCase<"Acc", 0, "acc">,
    /// Left operand of mma.sync m16n8k16: 16 rows per warp.
    I32EnumAttrCase<"Lhs", 1, "lhs">]>;

def GsaTile_RowKind : GsaTile_Enum<"RowKind",
    "how the position of a row becomes its address", [
    /// base + position * pitch
    I32EnumAttrCase<"Strided", 0, "strided">,
    /// Rows of rows: two pitches.
    I32EnumAttrCase<"TwoLevel", 1, "two_level">,
    /// The entry of an index list is the number of the row.
    I32EnumAttrCase<"Listed", 2, "listed">,
    /// A page table says where the pages of rows are.
    I32EnumAttrCase<"Paged", 3, "paged">,
    /// Two kinds of rows, 8 of each in turn.
    I32EnumAttrCase<"Interleaved", 4, "interleaved">]>;

def GsaTile_RowAccess : GsaTile_Enum<"RowAccess", "what is done to rows", [
    I32EnumAttrCase<"Read", 0, "read">,
    I32EnumAttrCase<"Write", 1, "write">,
    /// Only added to, by whole rows and in any order.
    I32EnumAttrCase<"Accumulate", 2, "accumulate">]>;

def GsaTile_CopyEngine : GsaTile_Enum<"CopyEngine",
    "what writes a tile in shared memory", [
    /// Ordinary stores of the warps that copy.
    I32EnumAttrCase<"Stores", 0, "stores">,
    /// cp.async of each lane.
    I32EnumAttrCase<"CpAsync", 1, "cp_async">,
    /// The bulk copy engine, of rows or of boxes of a tensor map.
    I32EnumAttrCase<"Bulk", 2, "bulk">]>;

def GsaTile_StreamOrder : GsaTile_Enum<"StreamOrder",
    "how the consumer groups of a stream follow each other", [
    /// Each at its own pace.
    I32EnumAttrCase<"Free", 0, "free">,
    /// One after another between `turn_wait` and `turn_pass`.
    I32EnumAttrCase<"PingPong", 1, "ping_pong">]>;

// Answers of interfaces; no attributes.
def GsaTile_AsyncKind : GsaTile_Enum<"AsyncKind",
    "what goes on after an op was issued", [
    I32EnumAttrCase<"None", 0, "none">,
    /// cp.async: until the warps that issued it wait.
    I32EnumAttrCase<"Copy", 1, "copy">,
    /// The bulk engine's copies into shared memory: until their bytes arrive.
    I32EnumAttrCase<"Bulk", 2, "bulk">,
    /// Products of a warpgroup.
    I32EnumAttrCase<"Product", 3, "product">,
    /// The bulk engine's sums into global memory.
    I32EnumAttrCase<"Reduce", 4, "reduce">]>;
def GsaTile_ProductUnit : GsaTile_Enum<"ProductUnit", "what multiplies", [
    I32EnumAttrCase<"Fma", 0, "fma">,
    I32EnumAttrCase<"MmaSync", 1, "mma_sync">,
    I32EnumAttrCase<"Wgmma", 2, "wgmma">]>;
def GsaTile_RingStep : GsaTile_Enum<"RingStep", "a step of a ring's slot", [
    I32EnumAttrCase<"Acquire", 0, "ring_acquire">,
    I32EnumAttrCase<"Commit", 1, "ring_commit">,
    I32EnumAttrCase<"Wait", 2, "ring_wait">,
    I32EnumAttrCase<"Release", 3, "ring_release">]>;

def GsaTile_Activation : GsaTile_Enum<"Activation", "activation function", [
    I32EnumAttrCase<"Identity", 0, "identity">,
    I32EnumAttrCase<"Sigmoid", 1, "sigmoid">,
    /// (tanh x + 1) / 2
    I32EnumAttrCase<"Tanh", 2, "tanh">,
    /// x sigmoid(x)
    I32EnumAttrCase<"Silu", 3, "silu">,
    I32EnumAttrCase<"Relu", 4, "relu">,
    /// tanh x by one instruction; 2 sigmoid(x) - 1 is that of x / 2
    I32EnumAttrCase<"FastTanh", 5, "fast_tanh">]>;
def GsaTile_ActivationAttr
    : GsaTile_EnumAttr<GsaTile_Activation, "activation">;

def GsaTile_TeamAttr : GsaTile_Attr<"Team", "team"> {
  let summary = "consecutive warps of a block that run an op together";
  let description = [{
    Warps `first` to `first + count - 1`. Prints as `team<first, count>`.
    Constraints: (C1) `first >= 0`, `count >= 1`, `first + count <= 32`.
    Example: `#gsa_tile.team<4, 8>`.
  }];
  let parameters = (ins "int64_t":$first, "int64_t":$count);
  let assemblyFormat = "`<` $first `,` $count `>`";
}

def GsaTile_RoleAttr : GsaTile_Attr<"Role", "role"> {
  let summary = "a team with a task of its own";
  let description = [{
    `registers` is the budget per thread that the team asks for with setmaxnreg
    (sm_90a and later; whole warpgroups); 0 asks for nothing.
    Example: `#gsa_tile.role<"load", team = <0, 4>, registers = 40>`.
  }];
  let parameters = (ins StringRefParameter<>:$name, "TeamAttr":$team,
                        DefaultValuedParameter<"int64_t", "0">:$registers);
  let assemblyFormat = [{
    `<` $name `,` struct($team, $registers) `>`
  }];
}
def GsaTile_RoleArrayAttr : TypedArrayAttrBase<GsaTile_RoleAttr, "roles">;

def GsaTile_PipelineAttr : GsaTile_Attr<"Pipeline", "pipeline"> {
  let summary = "who fills the tiles of a stream, and who reads them";
  let description = [{
    The first `loaders` warps of the block fill, the others read, in `groups`
    groups of equally many warps, each with rows of its own. Without loaders all
    warps fill, meet, read and meet. `order` says whether groups take turns.

    Constraints: (C1) `loaders >= 0`, `groups >= 1`; (C2) `ping_pong` has two or
    more groups, of whole warpgroups, and loaders.
    Example: `#gsa_tile.pipeline<loaders = 4, groups = 2, order = ping_pong>`.
  }];
  let parameters = (ins "int64_t":$loaders,
                        DefaultValuedParameter<"int64_t", "1">:$groups,
                        DefaultValuedParameter<"::mlir::gsa_tile::StreamOrder",
                            "::mlir::gsa_tile::StreamOrder::Free">:$order);
  let assemblyFormat = "`<` struct(params) `>`";
}

def GsaTile_StepAttr : GsaTile_Attr<"Step", "step"> {
  let summary = "when a step of the host program runs";
  let description = [{
    `number` counts the steps of the host function in their order. Steps of one
    `lane` run one after the other, those of different lanes side by side; lane 0
    is the stream of the caller. Before it runs, a step waits for the steps of
    other lanes that `waits` names, and so for all that those waited for.

    `parts` says of which iterations of unrolled loops the step is: pairs of a
    loop's number and an iteration's. Iterations of one loop write
    different parts of the buffers that they share (`gsa_tile.independent`).

    Constraints: (C1) `number` and `lane` are not negative; (C2) `waits` ascend,
    from 0 on, and are smaller than `number`; (C3) `parts` are pairs of numbers
    that are not negative.
    Example: `#gsa_tile.step<7, lane = 1 waits = [3, 5] parts = [0, 2]>`.
  }];
  let parameters = (ins "int64_t":$number, "int64_t":$lane,
                        OptionalArrayRefParameter<"int64_t">:$waits,
                        OptionalArrayRefParameter<"int64_t">:$parts);
  let assemblyFormat = [{
    `<` $number `,` `lane` `=` $lane (`waits` `=` `[` $waits^ `]`)?
    (`parts` `=` `[` $parts^ `]`)? `>`
  }];
}

//===----------------------------------------------------------------------===//
// Resources and the base of ops
//===----------------------------------------------------------------------===//

def GsaTile_Registers : Resource<"::mlir::gsa_tile::RegisterResource">;
def GsaTile_Shared : Resource<"::mlir::gsa_tile::SharedResource">;
def GsaTile_Global : Resource<"::mlir::gsa_tile::GlobalResource">;
def GsaTile_Barrier : Resource<"::mlir::gsa_tile::BarrierResource">;

/// No attributes but those of the record and discardable ones with a prefix.
def GsaTile_KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::mlir::gsa";
}

/// Base of all ops.
///
/// `call` is the text that the op prints, without the semicolon: a call of a
/// function of gsa::dev in which
///   {name}       is an operand's expression or an attribute's C++ spelling,
///   {name...}    a comma-separated list of a variadic operand,
///   {name:type}  the C++ type of an operand or result,
///   {name:elem}  the C++ element type of it.
/// An op with a result prints `auto <name> = <call>;`. An empty `call` means
/// that the op prints statements; then, and with `emitsItself`, where it leaves
/// out parts of the call, it defines emitCuda.
class GsaTile_Op<string mnemonic, string call, list<Trait> traits = [],
                 bit emitsItself = !empty(call)>
    : Op<GsaTile_Dialect, mnemonic, !listconcat(
          [GsaTile_KnownAttributes,
           DeclareOpInterfaceMethods<GsaTile_CudaEmitOpInterface>], traits)> {
  list<string> argumentNames = !foreach(
      i, !range(!size(arguments)), !getdagname(arguments, i));
  list<string> resultNames = !foreach(
      i, !range(!size(results)), !getdagname(results, i));
  code extraOpDeclaration = "";
  let extraClassDeclaration = [{
    /// Text of the call; see GsaTile_Op in GsaTileDialect.td.
    static ::llvm::StringRef getDeviceCall() { return "}] # call # [{"; }
    /// Names of operands and attributes, in the order of the record.
    static ::llvm::ArrayRef<::llvm::StringRef> getArgumentNames();
    static ::llvm::ArrayRef<::llvm::StringRef> getResultNames();
  }] # extraOpDeclaration;
  code extraOpDefinition = "";
  let extraClassDefinition = [{
    ::llvm::ArrayRef<::llvm::StringRef> $cppClass::getArgumentNames() {
      static const ::std::vector<::llvm::StringRef> names = {}] #
      !if(!empty(argumentNames), "",
          "\"" # !interleave(argumentNames, "\", \"") # "\"") # [{};
      return names;
    }
    ::llvm::ArrayRef<::llvm::StringRef> $cppClass::getResultNames() {
      static const ::std::vector<::llvm::StringRef> names = {}] #
      !if(!empty(resultNames), "",
          "\"" # !interleave(resultNames, "\", \"") # "\"") # [{};
      return names;
    }
  }] # !if(emitsItself, "", [{
    ::llvm::LogicalResult $cppClass::emitCuda(
        ::mlir::gsa_tile::CudaEmitter &emitter) {
      return emitter.emitCall({
          getOperation(), getDeviceCall(), getArgumentNames(),
          getResultNames(),
          [&](unsigned i) -> ::mlir::ValueRange { return getODSOperands(i); }});
    }
  }]) # extraOpDefinition;
}

#endif  // GSA_TILE_DIALECT_TD

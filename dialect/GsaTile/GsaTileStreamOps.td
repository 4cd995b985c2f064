//===- GsaTileStreamOps.td - the loop over tiles ---------------*- tablegen -*-===//
//
// What a lowering says of its main loop; gsa-tile-pipeline makes loops, buffers
// and rings of it. None of these ops prints.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_STREAM_OPS_TD
#define GSA_TILE_STREAM_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

def GsaTile_TileRingOp : GsaTile_Op<"tile_ring", "",
    [MemoryEffects<[MemAlloc<GsaTile_Shared>, MemAlloc<GsaTile_Barrier>]>]> {
  let summary = "Room for the tiles of streams";
  let description = [{
    One block's tiles and barriers, made once, at the top of the kernel. With
    loaders a barrier of all warps comes between it and the first stream.
    Constraint: (C1) stands in the kernel's own block.
  }];
  let results = (outs GsaTile_TileRingType:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def GsaTile_StreamOp : GsaTile_Op<"stream", "", [
    RecursiveMemoryEffects, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "The loop over tiles: one part fills them, another reads them";
  let description = [{
    For i = 0, 1, ..., `count` - 1, in this order: `load` fills the tiles of all
    rings, `compute` reads them. Both regions have the arguments i and the tiles
    of the rings. Which stage of a ring a tile is, when it may be filled and when
    it has been is not said here: `load` runs ahead as far as stages allow.
    `count`, the same in all warps, may come from memory.

    In `load`, a ring is acquired before the first op that fills one of its
    tiles and committed behind the last one. In `compute` the tiles of a ring
    are full from its `await`, or from the start, to its `release`, or to the
    end: products in flight on a tile have been waited for there.

    A group of consumers that has nothing to do with a tile skips the work, not
    the tile: it waits for it and releases it like the others.

    Constraints:
    - (C1) both regions have the arguments i and the rings' tiles.
    - (C2) one ring at least, of `tile_ring`, each once; every tile is filled, by
      ops at the top of `load`, by the engine of its ring and by the warps that
      fill.
    - (C3) `compute` fills no tile; `load` has neither fragments nor barriers
      nor steps; no stream stands in another.
    - (C4) loaders leave the kernel's other warps in `groups` equal groups.
    - (C5) without loaders rings have one stage, filled by stores or cp.async.
    - (C6) turns are taken with `ping_pong` alone: `turn_wait` and `turn_pass`
      follow each other at the top of `compute`, of the pipeline's groups and
      one barrier.
    - (C7) `await` and `release` stand at the top of `compute` or of its `lagged`
      ops, in this order and once for a ring at most, and no op uses its tiles
      before or behind them.
    - (C8) with `lagged` ops there are loaders; a ring's tiles are used in lagged
      ops alone, in both regions, or in none; and a lagged op uses nothing that
      its region makes of its own tile.
    Example: test/dialect/gsa_tile/stream.mlir.
  }];
  let arguments = (ins Index:$count, Variadic<GsaTile_TileRingType>:$rings,
                       GsaTile_PipelineAttr:$pipeline);
  let regions = (region SizedRegion<1>:$load, SizedRegion<1>:$compute);
  let assemblyFormat = [{
    `below` $count $pipeline `rings` `(` $rings `:` type($rings) `)`
    attr-dict-with-keyword `load` $load `compute` $compute
  }];
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$count,
                                 "::mlir::ValueRange":$rings,
                                 "::mlir::gsa_tile::PipelineAttr":$pipeline)>];
  let extraOpDeclaration = [{
    /// The block arguments of a region that are tiles of ring `ring`.
    ::mlir::ValueRange getTiles(::mlir::Region &region, unsigned ring);
    /// The same of a copy of a region's block.
    ::mlir::ValueRange getTiles(::mlir::Block &block, unsigned ring);
    /// The warps that fill and those that read, of the kernel's.
    ::mlir::gsa_tile::TeamAttr getLoaders();
    ::mlir::gsa_tile::TeamAttr getConsumers();
    /// The first barrier of its turns, 0 if it has none.
    uint64_t getTurnBarrier();
    /// Whether it has lagged ops, and whether they use the tiles of a ring.
    bool isLagged();
    bool isLagged(unsigned ring);
    /// Whether a value differs from tile to tile: an argument of a region, or
    /// made of one, or by what has effects.
    bool isOfTile(::mlir::Value value);
  }];
}

def GsaTile_LaggedOp : GsaTile_Op<"lagged", "", [
    RecursiveMemoryEffects, HasParent<"StreamOp">,
    SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "The part of a stream's region that is one tile behind";
  let description = [{
    What stands around it is done for tile i together with what stands in it for
    tile i - 1, in the order of the text: its argument is that number, and tiles
    that it uses are those of that tile. So products of one tile are in flight
    while the next one is loaded and weighed. The first time it is left out, and
    behind the last tile the lagged ops alone are done once more, for that tile.
    Constraints: (C1) see stream, C8; (C2) not nested in another; (C3) one
    argument, an index.
  }];
  let hasVerifier = 1;
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins)>];
}

/// A tile of a stream, as an argument of its `compute` region.
class GsaTile_TileStepOp<string mnemonic> : GsaTile_Op<mnemonic, "",
    [MemoryEffects<[MemRead<GsaTile_Barrier>, MemWrite<GsaTile_Barrier>]>,
     ParentOneOf<["StreamOp", "LaggedOp"]>]> {
  let arguments = (ins GsaTile_SmemType:$tile);
  let assemblyFormat = "$tile attr-dict `:` type($tile)";
}

def GsaTile_AwaitOp : GsaTile_TileStepOp<"await"> {
  let summary = "The tiles of a tile's ring are full from here on";
}

def GsaTile_ReleaseOp : GsaTile_TileStepOp<"release"> {
  let summary = "The tiles of a tile's ring have been read";
}

#endif  // GSA_TILE_STREAM_OPS_TD

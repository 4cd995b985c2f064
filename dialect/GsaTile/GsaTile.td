//===- GsaTile.td - the gsa_tile dialect -----------------------*- tablegen -*-===//

#ifndef GSA_TILE_TD
#define GSA_TILE_TD

include "dialect/GsaTile/GsaTileCandidateOps.td"
include "dialect/GsaTile/GsaTileCopyOps.td"
include "dialect/GsaTile/GsaTileHopperOps.td"
include "dialect/GsaTile/GsaTileHostOps.td"
include "dialect/GsaTile/GsaTileMathOps.td"
include "dialect/GsaTile/GsaTileReduceOps.td"
include "dialect/GsaTile/GsaTileScoreOps.td"
include "dialect/GsaTile/GsaTileSelectOps.td"
include "dialect/GsaTile/GsaTileStreamOps.td"
include "dialect/GsaTile/GsaTileStructureOps.td"
include "dialect/GsaTile/GsaTileSyncOps.td"
include "dialect/GsaTile/GsaTileTrainingOps.td"
include "dialect/GsaTile/GsaTileUnionOps.td"

#endif  // GSA_TILE_TD

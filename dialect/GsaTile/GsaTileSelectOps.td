//===- GsaTileSelectOps.td - row statistics and top-k ----------*- tablegen -*-===//

#ifndef GSA_TILE_SELECT_OPS_TD
#define GSA_TILE_SELECT_OPS_TD

include "dialect/GsaTile/GsaTileTypes.td"

#endif  // GSA_TILE_SELECT_OPS_TD

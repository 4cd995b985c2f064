// RUN: gsa-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(gsa_tile.kernel(gsa-tile-ablate{drop-roles=load}))'

// Roles are there after gsa-tile-assign-roles.

// expected-error @+1 {{gsa-tile-ablate: option 'drop-roles': @plain has no roles, got 'load'; order: after gsa-tile-assign-roles}}
gsa_tile.kernel @plain() attributes {warps = 1 : i64} {
  gsa_tile.return
}

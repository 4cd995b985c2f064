// The smallest module with a kernel.
gsa_tile.kernel @nothing() attributes {warps = 1 : i64} {
  gsa_tile.return
}

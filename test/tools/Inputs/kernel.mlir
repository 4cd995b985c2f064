// The smallest module with a kernel.
gsa_tile.kernel @nothing threads 32 {
  gsa_tile.return
}

// REQUIRES: gsa-run
// RUN: gsa-run %s

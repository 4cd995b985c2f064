// RUN: gsa-opt %s
// RUN: gsa-run %s

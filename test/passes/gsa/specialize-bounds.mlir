// RUN: gsa-opt %s --gsa-specialize-shapes="entry=attend shapes=?2x?5x4x16,?2x?9x2x16,?2x?9x2x8,?2" | FileCheck %s
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=attend shapes=?2x?5x4x16,2x9x2x16,?2x?9x2x8,?2" | FileCheck %s --check-prefix=FIXED

// Sizes after ? stay dynamic and are noted as bounds, of arguments and then of
// results.
// CHECK-LABEL: func.func @attend(
// CHECK-SAME: tensor<?x?x4x16xf32>
// CHECK-SAME: -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>)
// CHECK-SAME: gsa.bounds = [array<i64: 2, 5, 4, 16>, array<i64: 2, 9, 2, 16>, array<i64: 2, 9, 2, 8>, array<i64: 2>, array<i64: 2, 5, 4, 8>, array<i64: 2, 4, 5>]

// What one argument fixes is fixed where an op sees it.
// FIXED-LABEL: func.func @attend(
// FIXED-SAME: %{{.*}}: tensor<2x9x2x16xf32>
func.func @attend(%q: tensor<?x?x4x16xf32>, %k: tensor<?x?x2x16xf32>,
                  %v: tensor<?x?x2x8xf32>, %n: tensor<?xi32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>) {
  %o, %lse = gsa.dense_attention %q, %k, %v lengths %n
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x8xf32>,
         tensor<?xi32>) -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x?x4x8xf32>, tensor<?x4x?xf32>
}

// Sizes that agree have one bound, or the size that one of them has.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=attend shapes=?2x?5x4x16,?2x?9x2x16,?2x?8x2x8,?2" 2>&1 | FileCheck %s --check-prefix=BOUND
// BOUND: error: 'func.func' op argument #2: expected the bound 9 in dimension 1, which agrees with that of another argument, got 8
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=attend shapes=?2x?5x4x16,2x9x2x16,?2x?8x2x8,?2" 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: error: 'func.func' op argument #2: expected the size 9 in dimension 1, which agrees with that of another argument, got 8

// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=attend shapes=?2x?5x4x16,?2x?281474976710656x2x16,?2x?9x2x8,?2" 2>&1 | FileCheck %s --check-prefix=LARGE
// LARGE: error: 'func.func' op expected tensors of at most 2^48 elements, got shape '?2x?281474976710656x2x16' of argument 1

// Where sizes cannot be followed there is no plan.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=insert shapes=?8,?4" 2>&1 | FileCheck %s --check-prefix=OP
// OP: error: 'tensor.insert_slice' op has sizes that only a run knows, in a plan for bounds: expected ops of gsa and linalg, and arithmetic on tensors, or static sizes
func.func @insert(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?xf32>
  %all = tensor.insert_slice %y into %x[0] [%n] [1] : tensor<?xf32> into tensor<?xf32>
  return %all : tensor<?xf32>
}

// A slice takes all of a dimension, or a part that is known.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=slice shapes=?8,?4" 2>&1 | FileCheck %s --check-prefix=SLICE
// SLICE: error: 'tensor.extract_slice' op takes a part of dimension 0 that only a run knows, in a plan for bounds: expected all of it, or a static size
func.func @slice(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?xf32>
  %part = tensor.extract_slice %x[0] [%n] [1] : tensor<?xf32> to tensor<?xf32>
  return %part : tensor<?xf32>
}

// Pages of a pool and of each sequence have bounds; keys and values lie in one
// pool here, and so one table says how many rows both have.
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=pages shapes=?2x?5x4x16,?9x8x2x24,?2x?3,?2" | FileCheck %s --check-prefix=PAGES
// PAGES-LABEL: func.func @pages(
// PAGES-SAME: gsa.bounds = [array<i64: 2, 5, 4, 16>, array<i64: 9, 8, 2, 24>, array<i64: 2, 3>, array<i64: 2>, array<i64: 2, 5, 4, 8>, array<i64: 2, 4, 5>]
func.func @pages(%q: tensor<?x?x4x16xf32>, %pool: tensor<?x8x2x24xf32>,
                 %table: tensor<?x?xi32>, %n: tensor<?xi32>)
    -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>) {
  %c0 = arith.constant 0 : index
  %p = tensor.dim %pool, %c0 : tensor<?x8x2x24xf32>
  %kp = tensor.extract_slice %pool[0, 0, 0, 0] [%p, 8, 2, 16] [1, 1, 1, 1]
      : tensor<?x8x2x24xf32> to tensor<?x8x2x16xf32>
  %vp = tensor.extract_slice %pool[0, 0, 0, 16] [%p, 8, 2, 8] [1, 1, 1, 1]
      : tensor<?x8x2x24xf32> to tensor<?x8x2x8xf32>
  %k = gsa.paged_rows %kp, %table
      : (tensor<?x8x2x16xf32>, tensor<?x?xi32>) -> tensor<?x?x2x16xf32>
  %v = gsa.paged_rows %vp, %table
      : (tensor<?x8x2x8xf32>, tensor<?x?xi32>) -> tensor<?x?x2x8xf32>
  %o, %lse = gsa.dense_attention %q, %k, %v lengths %n
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x8xf32>,
         tensor<?xi32>) -> (tensor<?x?x4x8xf32>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x?x4x8xf32>, tensor<?x4x?xf32>
}

// A run compares sizes, and a number of rows is none of them.
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=pages_and_rows shapes=?2x?5x4x16,?9x8x2x16,?2x?3,?2x?24x2x16,?2" 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: error: 'gsa.paged_rows' op has a number of pages that only a run knows, in a plan for bounds: expected all keys in pages
func.func @pages_and_rows(%q: tensor<?x?x4x16xf32>, %kp: tensor<?x8x2x16xf32>,
                          %table: tensor<?x?xi32>, %v: tensor<?x?x2x16xf32>,
                          %n: tensor<?xi32>)
    -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>) {
  %k = gsa.paged_rows %kp, %table
      : (tensor<?x8x2x16xf32>, tensor<?x?xi32>) -> tensor<?x?x2x16xf32>
  %o, %lse = gsa.dense_attention %q, %k, %v lengths %n
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>,
         tensor<?xi32>) -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x?x4x16xf32>, tensor<?x4x?xf32>
}

// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=two_sizes shapes=?2x?5x4x16,?9x8x2x16,?9x4x2x16,?2x?3,?2" 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: error: 'gsa.paged_rows' op has a number of pages that only a run knows, in a plan for bounds: expected pages of one size, got 'tensor<?x4x2x16xf32>' and 'tensor<?x8x2x16xf32>'
func.func @two_sizes(%q: tensor<?x?x4x16xf32>, %kp: tensor<?x8x2x16xf32>,
                     %vp: tensor<?x4x2x16xf32>, %table: tensor<?x?xi32>,
                     %n: tensor<?xi32>)
    -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>) {
  %k = gsa.paged_rows %kp, %table
      : (tensor<?x8x2x16xf32>, tensor<?x?xi32>) -> tensor<?x?x2x16xf32>
  %v = gsa.paged_rows %vp, %table
      : (tensor<?x4x2x16xf32>, tensor<?x?xi32>) -> tensor<?x?x2x16xf32>
  %o, %lse = gsa.dense_attention %q, %k, %v lengths %n
      : (tensor<?x?x4x16xf32>, tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>,
         tensor<?xi32>) -> (tensor<?x?x4x16xf32>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x?x4x16xf32>, tensor<?x4x?xf32>
}

// With a static number of pages bf16 is as good as any.
// RUN: gsa-opt %s --gsa-specialize-shapes="entry=bf16_pages shapes=?2x?5x4x16,9x8x2x16,?2x?3,?2" | FileCheck %s --check-prefix=KNOWN
// KNOWN-LABEL: func.func @bf16_pages(
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=bf16_pages shapes=?2x?5x4x16,?9x8x2x16,?2x?3,?2" 2>&1 | FileCheck %s --check-prefix=BF16
// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=bf16_pages shapes=?2x?5x4x16,?9x8x2x16,?2x3,?2" 2>&1 | FileCheck %s --check-prefix=BF16
// BF16: error: 'gsa.paged_rows' op has a pool of bf16 whose number of pages only a run knows, in a plan for bounds: expected a static number of pages, or elements of f16, f32 or f64, got 'tensor<?x8x2x16xbf16>'
func.func @bf16_pages(%q: tensor<?x?x4x16xbf16>, %kp: tensor<?x8x2x16xbf16>,
                      %table: tensor<?x?xi32>, %n: tensor<?xi32>)
    -> (tensor<?x?x4x16xbf16>, tensor<?x4x?xf32>) {
  %k = gsa.paged_rows %kp, %table
      : (tensor<?x8x2x16xbf16>, tensor<?x?xi32>) -> tensor<?x?x2x16xbf16>
  %o, %lse = gsa.dense_attention %q, %k, %k lengths %n
      : (tensor<?x?x4x16xbf16>, tensor<?x?x2x16xbf16>, tensor<?x?x2x16xbf16>,
         tensor<?xi32>) -> (tensor<?x?x4x16xbf16>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x?x4x16xbf16>, tensor<?x4x?xf32>
}

// RUN: not gsa-opt %s --gsa-specialize-shapes="entry=twice shapes=?8" 2>&1 | FileCheck %s --check-prefix=RESULT
// RESULT: error: 'func.func' op result #0: the size of dimension 0 does not follow from the argument shapes
func.func @twice(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %more = arith.addi %n, %n : index
  %empty = tensor.empty(%more) : tensor<?xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  return %filled : tensor<?xf32>
}

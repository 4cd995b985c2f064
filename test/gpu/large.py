#!/usr/bin/env python3
"""More elements than 2^31, and offsets above 4 GiB.

    python3 test/gpu/large.py --library build/portable/lib/libgsa.so

Whatever counts an element or a byte in 32 bits reads or writes another place
there: so each module's last rows are compared with float64, and the first ones,
where a write that wrapped would land. Needs 60 GiB of device memory. With --target
cpu the modules are small, and only the script is tried out.
"""

import argparse
import math
import sys

from checks import Checks, add_arguments, device_of

import gsa_capi  # noqa: I001 (checks knows where it is)
import modules  # noqa: E402
import torch

import long_context

HEADS, GROUPS, DIM, INDEX_HEADS, INDEX_DIM = 32, 8, 128, 4, 64
MARGIN = 4e-6


class Large:
    def __init__(self, library, target):
        self.library, self.target = library, target
        self.device = device_of(target)
        self.small = self.device.type != "cuda"
        self.checks = Checks()
        self.generator = torch.Generator(self.device).manual_seed(7)

    def normal(self, *shape, dtype=torch.bfloat16):
        # A block of rows at a time: one call has to stay below 2^31 numbers.
        x = torch.empty(shape, dtype=dtype, device=self.device)
        for rows in x.view(shape[0] * shape[1], -1).split(1 << 16) if \
                len(shape) > 2 else [x]:
            rows.normal_(generator=self.generator)
        return x

    def run(self, name, text, inputs):
        """The outputs; every tensor counts for the figures."""
        plan = self.library.compile(text, target=self.target)
        outputs = plan.new_outputs(self.device)
        for output in outputs:
            output.view(torch.uint8).fill_(0xA5)
        plan.run(inputs, outputs)
        if not self.small:
            torch.cuda.synchronize()
        largest = max([*inputs, *outputs], key=lambda x: x.numel())
        widest = max([*inputs, *outputs], key=lambda x: x.nbytes)
        print(f"       {name}: {largest.numel() / 2**31:.2f} * 2^31 elements, "
              f"{widest.nbytes / 2**30:.1f} GiB, workspace "
              f"{plan.workspace_bytes / 2**20:.0f} MiB", flush=True)
        self.checks.figure("largest number of elements", largest.numel())
        self.checks.figure("largest offset in bytes", widest.nbytes)
        return outputs

    def rows(self, name, case, outputs, batches, rows, slots, visible=None):
        errors = []
        for b in batches:
            of = [x[b:b + 1] if x.dim() > 1 else x for x in case]
            got = [x[b:b + 1] for x in outputs]
            for row in rows:
                errors += [f"sequence {b}, {error}" for error in
                           long_context.check_row(row, of, got, slots, MARGIN,
                                                  visible)[0]]
        self.checks.expect(name, not errors, "; ".join(errors[:4]))

    def prefill(self, batch, n, slots):
        """Queries, outputs and lists of a batch."""
        case = [self.normal(batch, n, HEADS, DIM),
                self.normal(batch, n, GROUPS, DIM),
                self.normal(batch, n, GROUPS, DIM),
                self.normal(batch, n, INDEX_HEADS, INDEX_DIM),
                self.normal(batch, n, INDEX_DIM),
                self.normal(batch, n, INDEX_HEADS),
                self.normal(INDEX_HEADS, dtype=torch.float32),
                self.normal(batch, n, HEADS, DIM)]
        outputs = self.run("prefill", modules.sparse_core(n, slots=slots,
                                                          batch=batch), case)
        rows = [0, 1, slots - 1, slots, n // 2, n - 2, n - 1]
        self.rows(f"prefill of {batch} x {n}", case, outputs,
                  [0, batch // 2, batch - 1], rows, slots)

    def decode(self, keys, slots):
        """A cache of so many keys."""
        case = [self.normal(1, 1, HEADS, DIM), self.normal(1, keys, GROUPS, DIM),
                self.normal(1, keys, GROUPS, DIM),
                self.normal(1, 1, INDEX_HEADS, INDEX_DIM),
                self.normal(1, keys, INDEX_DIM), self.normal(1, 1, INDEX_HEADS),
                self.normal(INDEX_HEADS, dtype=torch.float32),
                self.normal(1, 1, HEADS, DIM)]
        # Keys at the end of the cache that a row has to take.
        case[4][0, -slots // 2:] = case[3][0, 0, 0] * 2
        length = torch.tensor([keys], dtype=torch.int32, device=self.device)
        outputs = self.run("decode", modules.decode(keys, slots=slots),
                           [*case, length])
        self.rows(f"one query and {keys} keys", case, outputs, [0], [0], slots,
                  keys)

    def dense(self, batch, n):
        q = self.normal(batch, n, HEADS, DIM)
        k, v = self.normal(batch, n, GROUPS, DIM), self.normal(batch, n, GROUPS,
                                                               DIM)
        out, lse = self.run("dense", modules.dense(n, batch=batch), [q, k, v])
        worst = 0.0
        for b in (0, batch // 2, batch - 1):
            want, want_lse = attention(*(x[b].double() for x in (q, k, v)))
            worst = max(worst, relative(out[b], want),
                        (lse[b].double() - want_lse).abs().max().item())
        self.checks.expect(f"dense attention of {batch} x {n}", worst < 8e-3,
                           f"error {worst:.1e}")

    def gradients(self, batch, n, slots):
        """Of attention over lists of the `slots` last keys."""
        q, grad = (self.normal(batch, n, HEADS, DIM) for _ in range(2))
        k, v = (self.normal(batch, n, GROUPS, DIM) for _ in range(2))
        t = torch.arange(n, device=self.device)[:, None]
        keys = t - slots + 1 + torch.arange(slots, device=self.device)
        first = (slots - 1 - t).clamp(min=0)
        keys = torch.gather(keys, 1, (first + torch.arange(
            slots, device=self.device)).clamp(max=slots - 1))
        counts = (t[:, 0] + 1).clamp(max=slots)
        keys = torch.where(torch.arange(slots, device=self.device)
                           < counts[:, None], keys, -1)
        lists = keys.int().expand(batch, n, slots).contiguous()
        lengths = counts.int().expand(batch, n).contiguous()
        seen = (t >= t.T) & (t - t.T < slots)
        lse = torch.full((batch, HEADS, n), 9.0, device=self.device)
        sums = torch.zeros_like(lse)
        checked, want = (0, batch - 1), {}
        for b in checked:
            leaves = [x[b].double().requires_grad_() for x in (q, k, v)]
            out, logs = attention(*leaves, seen)
            out.backward(grad[b].double())
            want[b] = [x.grad for x in leaves]
            lse[b] = logs.detach()
            sums[b] = (out.detach() * grad[b]).sum(-1).T
        got = self.run("gradients", modules.sparse_backward(
            n, slots=slots, batch=batch),
            [q, k, v, lists, lengths, grad, lse, sums])
        worst = max(relative(x[b], w) for b in checked
                    for x, w in zip(got, want[b]))
        self.checks.expect(f"gradients of {batch} x {n}", worst < 1.5e-2,
                           f"error {worst:.1e}")

    def scores(self, n, slots):
        """A matrix of scores in memory, and selection from it."""
        iq, ik = (self.normal(1, n, INDEX_HEADS, INDEX_DIM),
                  self.normal(1, n, INDEX_DIM))
        iw = self.normal(1, n, INDEX_HEADS)
        bias = self.normal(INDEX_HEADS, dtype=torch.float32)
        budget = torch.full((1, n), slots, dtype=torch.int32, device=self.device)
        scores, indices, counts, _ = self.run(
            "scores", scores_text(n, slots), [iq, ik, iw, bias, budget])
        good = True
        for row in (0, slots - 1, n // 2, n - 2, n - 1):
            want = long_context.reference_scores(row, row + 1, iq, ik, iw, bias)
            good &= bool((scores[0, row, :row + 1] - want[:row + 1]).abs().max()
                         < 1e-4) and bool((scores[0, row, row + 1:] ==
                                           float("-inf")).all())
            count = min(slots, row + 1)
            # Equal scores: the lower index.
            order = torch.sort(-scores[0, row, :row + 1], stable=True).indices
            chosen = order[:count].sort().values
            good &= counts[0, row].item() == count and torch.equal(
                indices[0, row, :count].long(), chosen)
        self.checks.expect(f"a matrix of {n} x {n} scores", good)


def attention(q, k, v, seen=None):
    """Of one sequence: out [N, H, D] and lse [H, N]; causal, or what `seen`
    says."""
    n, ratio = q.shape[0], q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(ratio, 1) for x in (k, v))
    logits = torch.einsum("nhd,mhd->hnm", q, k) / math.sqrt(q.shape[-1])
    if seen is None:
        seen = torch.ones(n, n, dtype=torch.bool, device=q.device).tril()
    logits = logits.masked_fill(~seen, float("-inf"))
    weights = torch.softmax(logits, -1)
    return torch.einsum("hnm,mhd->nhd", weights, v), torch.logsumexp(logits, -1)


def relative(got, want):
    return ((got.double() - want).norm() / want.norm()).item()


def scores_text(n, slots):
    iq = f"tensor<1x{n}x{INDEX_HEADS}x{INDEX_DIM}xbf16>"
    ik, iw = f"tensor<1x{n}x{INDEX_DIM}xbf16>", f"tensor<1x{n}x{INDEX_HEADS}xbf16>"
    bias, row = f"tensor<{INDEX_HEADS}xf32>", f"tensor<1x{n}xi32>"
    matrix, lists = f"tensor<1x{n}x{n}xf32>", f"tensor<1x{n}x{slots}xi32>"
    return f"""
func.func @main(%iq: {iq} {{gsa.name = "iq"}}, %ik: {ik} {{gsa.name = "ik"}},
                %iw: {iw} {{gsa.name = "iw"}}, %bias: {bias} {{gsa.name = "bias"}},
                %k: {row} {{gsa.name = "k"}})
    -> ({matrix} {{gsa.name = "scores"}}, {lists} {{gsa.name = "indices"}},
        {row} {{gsa.name = "counts"}}, {row} {{gsa.name = "status"}}) {{
  %scores = gsa.index_scores %iq, %ik weights %iw bias %bias
      : ({iq}, {ik}, {iw}, {bias}) -> {matrix}
  %indices, %counts, %status = gsa.topk %scores, %k slots {slots}
      : ({matrix}, {row}) -> ({lists}, {row}, {row})
  return %scores, %indices, %counts, %status : {matrix}, {lists}, {row}, {row}
}}
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_arguments(parser)
    arguments = parser.parse_args()
    large = Large(gsa_capi.Library(arguments.library), arguments.target)
    runs = [(large.prefill, (9, 131072, 2048), (3, 40, 8)),
            (large.decode, (2_200_000, 2048), (200, 16)),
            (large.dense, (600, 1024), (3, 20)),
            (large.gradients, (600, 1024, 256), (3, 20, 6)),
            (large.scores, (50_000, 512), (30, 7))]
    for run, sizes, few in runs:
        try:
            run(*(few if large.small else sizes))
        except (gsa_capi.GsaError, torch.OutOfMemoryError) as error:
            large.checks.expect(f"{run.__name__} of {sizes}", False,
                                str(error).split("\n", 1)[0])
        if not large.small:
            torch.cuda.empty_cache()
    return large.checks.end()


if __name__ == "__main__":
    sys.exit(main())

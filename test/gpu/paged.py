#!/usr/bin/env python3
"""Keys, values and index keys in pages of a pool on a GPU.

    python3 test/gpu/paged.py --library libgsa.so

Every output over pages has the bits of that over the same rows one behind the other:
for pages of each size and in any order, for few queries and for chunks of prompts,
for sequences of any length, from none, in one batch. Cells that no sequence uses are
NaN, and numbers of pages behind a sequence are none. One pool is so large that its
pages are more than 4 GiB from its first one.

Last, what pages cost: the time of a decoding step over pages and over rows, as CUDA
graphs, caches cold.
"""

import argparse
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench", "gpu"))
import bench_decode  # noqa: E402
import decode  # noqa: E402
import gsa_capi  # noqa: E402
import modules  # noqa: E402

SLOTS = 512
LENGTHS = [0, 1, 63, SLOTS, SLOTS + 1, 1601, 9999]
NAN = float("nan")


def make_pages(rows, lengths, page, pool_pages, device, first=0):
    """The case over pages, its pages no lower than `first` in the pool."""
    batch, keys = rows[1].shape[:2]
    count = keys // page
    order = torch.randperm(pool_pages - first, device=device) + first
    table = order[:batch * count].reshape(batch, count).to(torch.int32)
    case = list(rows)
    for i in (1, 2, 4):
        cache = rows[i].clone()
        for b, n in enumerate(lengths):
            cache[b, n:] = NAN
        pool = torch.full((pool_pages, page, *cache.shape[2:]), NAN,
                          dtype=cache.dtype, device=device)
        pool[table.reshape(-1).long()] = cache.reshape(batch * count, page,
                                                       *cache.shape[2:])
        case[i] = pool
    wrong = torch.tensor([-1, 1 << 30, pool_pages], dtype=torch.int32,
                         device=device)
    for b, n in enumerate(lengths):
        used = -(-n // page)
        table[b, used:] = wrong[torch.arange(count - used, device=device) % 3]
    return case, table


class Test(decode.Test):
    def outputs_of(self, text, inputs):
        outputs = self.library.compile(text, target="cuda:0").run(inputs)
        torch.cuda.synchronize()
        return outputs

    def compare(self, page, queries, lengths, pool_pages=None, first=0):
        device, batch = torch.device("cuda", 0), len(lengths)
        keys = -(-max(lengths) // page) * page
        count = batch * (keys // page)
        pool_pages = pool_pages or count + 5
        rows = decode.make_case(batch, queries, keys, device)
        number = torch.tensor(lengths, dtype=torch.int32, device=device)
        case, table = make_pages(rows, lengths, page, pool_pages, device, first)
        plain = self.outputs_of(modules.decode(keys, batch, queries, slots=SLOTS),
                         rows + [number])
        paged = self.outputs_of(modules.decode(keys, batch, queries, slots=SLOTS,
                                        pages=(page, pool_pages)),
                         case + [number, table])
        self.expect(all(map(torch.equal, plain, paged)),
                    f"pages of {page} of {pool_pages}, {queries} queries: "
                    + ", ".join(f"{name} {torch.equal(a, b)}" for name, a, b in
                                zip(("attended", "lse", "indices", "counts",
                                     "status"), plain, paged)))

    def missing(self):
        """Numbers that are no page below the length: NaN, and counted."""
        device, page, keys = torch.device("cuda", 0), 64, 8192
        rows = decode.make_case(1, 1, keys, device)
        case, table = make_pages(rows, [keys], page, keys // page, device)
        table[0, 3], table[0, 100] = -5, keys // page
        number = torch.tensor([keys], dtype=torch.int32, device=device)
        got = self.outputs_of(modules.decode(keys, slots=SLOTS,
                                      pages=(page, keys // page)),
                       case + [number, table])
        indices, status = got[2][0, 0], got[4].item()
        unseen = ((indices // page == 3) | (indices // page == 100)).any().item()
        self.expect(status == 2 * page and not unseen
                    and bool(got[0].isfinite().all()),
                    f"two pages that are not in the pool: status {status}")

    def times(self, keys, batch, pages):
        device, slots = torch.device("cuda", 0), 2048
        generator = torch.Generator(device=device).manual_seed(1)
        sets = 6 if batch == 1 else 2
        for page in (None, *pages):
            size = keys if page is None else -(-keys // page) * page
            runs = []
            plan = None
            for _ in range(sets):
                case = bench_decode.make_case(size, batch, generator, device)
                case[8].fill_(keys)
                if page:
                    count = batch * size // page
                    table = torch.randperm(count, device=device).to(torch.int32)
                    for i in (1, 2, 4):
                        case[i] = case[i].reshape(count, page, *case[i].shape[2:])
                    case.append(table.reshape(batch, size // page))
                if plan is None:
                    plan = self.library.compile(modules.decode(
                        size, batch, slots=slots,
                        pages=page and (page, count)), target="cuda:0")
                    workspace = plan.new_workspace(device)
                outputs = plan.new_outputs(device)
                runs.append(lambda c=case, o=outputs: plan.run(c, o, workspace))
            time = bench_decode.measure(bench_decode.capture(runs), 5, 40 * sets)
            kernels = bench_decode.meter.median_kernel_times(runs, 3)
            print(f"time   {keys} keys x {batch}, "
                  f"{'rows' if page is None else f'pages of {page}'}: {time:.1f} us; "
                  + ", ".join(f"{k['kernel']} {k['ms'] * 1e3:.1f}"
                              for k in kernels), flush=True)
            del runs, case, plan, outputs
            torch.cuda.empty_cache()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--no-times", action="store_true")
    arguments = parser.parse_args()
    test = Test(gsa_capi.Library(arguments.library))
    for page, queries in ((16, 1), (64, 1), (784, 3), (1600, 8), (128, 33),
                          (32, 100)):
        test.compare(page, queries, LENGTHS)
    # 1.2 million rows of 2 KiB: pages lie up to 4.6 GiB behind the first.
    test.compare(1600, 1, [40000, 3], pool_pages=1500, first=1440)
    test.missing()
    if not arguments.no_times:
        for batch in (1, 8):
            test.times(131072, batch, (64, 784) if batch == 1 else (64,))
    print("PASSED" if test.failures == 0 else f"FAILED: {test.failures}")
    return bool(test.failures)


if __name__ == "__main__":
    sys.exit(main())

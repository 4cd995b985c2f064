"""Checks of the GPU tests' scripts: one line for each, figures, and the end.

    checks = Checks()
    checks.expect("another stream", torch.equal(a, b), "max 1e-3")
    checks.figure("runs without growth of memory", 100000)
    sys.exit(checks.end())
"""

import os
import sys

import steps

sys.path.insert(0, os.path.join(steps.ROOT, "bench", "gpu"))


class Checks:
    def __init__(self):
        self.failures = 0

    def expect(self, name, good, what=""):
        self.failures += not good
        print(f"{'ok    ' if good else 'FAILED'} {name} {what}".rstrip(),
              flush=True)
        return good

    def figure(self, name, value):
        """A number of figures.py."""
        print(f"figure {name} {value}", flush=True)

    def end(self):
        print(f"{self.failures} failed")
        return int(self.failures > 0)


def add_arguments(parser):
    """--library, and --target: "cpu" tries a script out on small sizes."""
    parser.add_argument("--library", required=True, help="path of libgsa.so")
    parser.add_argument("--target", default="cuda:0",
                        help="cuda:0, or cpu for small sizes on this machine")


def device_of(target):
    import torch
    return torch.device(target)


def same_bits(a, b):
    """Whether two tensors have the same bytes, NaN or not."""
    import torch
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(
        a.contiguous().view(torch.uint8), b.contiguous().view(torch.uint8))

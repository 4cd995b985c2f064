"""The schedules that an op may have, and their kernels compiled: what of a
search needs no GPU.

    target = Target("cuda", arch="sm_90a")
    ops = explain("build/dev", "core.mlir", target)
    kernels = Kernels("build/dev", "core.mlir", target, "cache", ops[0], 16)
    kernels.begin(schedules)
    path = kernels.wait(schedules[0])  # a database of one record
"""

import concurrent.futures
import dataclasses
import glob
import hashlib
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

import records
import tuning

# What ptxas says of a kernel that uses local memory, and of one that is right
# and slower than its text says.
LOCAL = re.compile(r"([1-9]\d*) bytes (stack frame|spill stores|spill loads)")
LOSS = "Potential Performance Loss"
# Times the least estimate: the model is wrong by less.
FAR = 3.0
# Of an entry of a cache of programs (runtime/core/program_entry.h).
ENTRY = b"GSAENTRY"
DIGEST_BYTES = 64

# Zones of the entry function that are ops with a schedule; gsa-mark-zones has
# all.
ZONES = {"gsa.select": "select", "gsa.index_scores": "index_scores",
         "gsa.topk": "topk", "gsa.gather_attention": "sparse_attention",
         "gsa.dense_attention": "dense_attention"}


@dataclasses.dataclass
class Target:
    """What is searched for: "cuda", for a GPU of `arch`, or "cpu", this
    processor with `threads` threads."""
    name: str
    arch: str = ""
    threads: int = 1

    def arguments(self):
        """Of every program that compiles for it or explains."""
        if self.name == "cuda":
            return ["--target=cuda", f"--arch={self.arch}"]
        return ["--target=cpu", f"--threads={self.threads}"]


def explain(build, module, target):
    """The ops of the module as gsa-explain describes them, the legal schedules
    of each with it."""
    done = subprocess.run(
        [os.path.join(build, "bin/gsa-explain"), module, *target.arguments(),
         "--no-shipped-schedules", "--legal", "--json"],
        capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return [op for op in json.loads(done.stdout)["ops"] if "legal" in op]


def zone_of(op, ops):
    """The zone whose time is that of `op`, one of the ops of a module."""
    zone = ZONES.get(op["op"])
    if zone is None:
        sys.exit(f"gsa-tune: error: {op['op']} at {op['location']}: expected an "
                 f"op whose time a plan tells, one of {', '.join(ZONES)}")
    same = [other["location"] for other in ops
            if ZONES.get(other["op"]) == zone]
    if len(same) > 1:
        sys.exit(f"gsa-tune: error: {op['op']}: expected one in the module, got "
                 f"those at {', '.join(same)}: their times are told together")
    return zone


def worth_trying(op, most):
    """The default, then up to `most` of those that the model takes for fast: in
    turn one of each estimate, since it has one for all that differ in what it
    does not see, from the least estimate up to FAR times that."""
    groups = {}
    for legal in op["legal"]:
        if legal["schedule"] != op["schedule"]:
            groups.setdefault(f"{legal['us']:.3g}", []).append(legal)
    least = min((legal["us"] for legal in op["legal"]), default=0)
    near = [group for group in groups.values()
            if group[0]["us"] <= FAR * least]
    turns = itertools.zip_longest(*near)
    others = [legal["schedule"] for turn in turns for legal in turn if legal]
    return [op["schedule"]] + others[:most]


def read_entry(path):
    """(SHA-256 of the code, what ptxas said of it) of an entry of a cache."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:len(ENTRY)] != ENTRY:
        return "", ""
    begin = len(ENTRY) + 8
    size = struct.unpack_from("<I", data, len(ENTRY) + 4)[0]
    header = json.loads(data[begin:begin + size])
    code = data[begin + size:len(data) - DIGEST_BYTES]
    return hashlib.sha256(code).hexdigest(), header["fields"].get("log", "")


def find_fault(log):
    """Why a kernel with this log takes no part; "" if nothing speaks against
    it."""
    if local := LOCAL.search(log):
        return f"uses local memory: {local[0]}"
    if LOSS in log:
        return next(line.strip() for line in log.split("\n") if LOSS in line)
    return ""


class Kernels:
    """Compiles candidates in processes of their own, before they are asked for:
    kernels go to the cache, and what ptxas said of them is looked up there."""

    def __init__(self, build, module, target, cache_dir, op, processes):
        self.build, self.module, self.target = build, module, target
        self.cache_dir, self.op = cache_dir, op
        self.folder = tempfile.TemporaryDirectory()
        self.pool = concurrent.futures.ThreadPoolExecutor(processes)
        self.jobs, self.files = {}, {}
        self.logs, self.entries = {}, set()  # By the code; that were read.

    def begin(self, candidates):
        for candidate in candidates:
            path = os.path.join(self.folder.name, f"{len(self.files)}.jsonl")
            with open(path, "w") as file:
                file.write(records.record(self.op["class"], candidate, 1, 1,
                                          "none") + "\n")
            self.files[candidate] = path
            self.jobs[candidate] = self.pool.submit(self._compile, path)

    def _compile(self, path):
        """What is wrong, or "". Code is then in the cache; of each kernel of a
        GPU it is in a folder, too."""
        if self.target.name == "cuda":
            command = ["gsa-run", self.module, "--stop-after=code", "-q",
                       f"--dump-dir={path.removesuffix('.jsonl')}"]
        else:
            command = ["gsa-compile", self.module, "-o", path + ".pack"]
        done = subprocess.run(
            [os.path.join(self.build, "bin", command[0]), *command[1:],
             *self.target.arguments(), f"--schedules={path}",
             f"--cache-dir={self.cache_dir}"],
            capture_output=True, text=True)
        if not done.returncode:
            return ""
        return done.stderr.strip().split("\n")[0] or f"code {done.returncode}"

    def _log_of(self, code):
        if code not in self.logs:
            entries = set(glob.glob(os.path.join(self.cache_dir, "*.gsa")))
            for path in entries - self.entries:
                digest, log = read_entry(path)
                self.logs[digest] = log
            self.entries |= entries
        return self.logs.get(code)

    def wait(self, candidate):
        """The file of the candidate, or tuning.Unfit. The default takes part
        whatever ptxas says of it: it is what one gets."""
        if reason := self.jobs[candidate].result():
            raise tuning.Unfit(reason)
        path = self.files[candidate]
        if candidate != self.op["schedule"]:
            for cubin in glob.glob(path.removesuffix(".jsonl") + "/*.cubin"):
                self._check(cubin)
        return path

    def _check(self, cubin):
        with open(cubin, "rb") as file:
            log = self._log_of(hashlib.sha256(file.read()).hexdigest())
        name = os.path.basename(cubin)
        if log is None:
            raise tuning.Unfit(f"{name}: its entry is not in the cache")
        if fault := find_fault(log):
            raise tuning.Unfit(f"{name}: {fault}")

    def end(self):
        self.pool.shutdown(cancel_futures=True)
        self.folder.cleanup()

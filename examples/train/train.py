#!/usr/bin/env python3
"""Trains a byte-level language model with Gated Sparse Attention.

    train.py --out run [--kind gsa] [--steps 300] [--resume]

Kinds: dense and gated attend to all tokens, without and with gates; sparse and
gsa select. Their indexers learn beside the model, by losses of their own: for
--warm-up steps attention is dense and the loss over all keys, then both are
over the selected ones. Steps are optimiser steps.

In --out: log.jsonl, one object a line; checkpoint.pt, from which --resume goes
on bit for bit (on a CPU, with as many threads); at the end observed.json and,
with matplotlib, picture.png. docs/guides/train.md is the guide.
"""

import argparse
import contextlib
import json
import math
import os
import sys
import time

import torch

import model as models
import observe
import text


def arguments_of(given):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--out", required=True, help="folder of the run")
    add("--kind", default="gsa", choices=list(models.KINDS))
    add("--size", default="tiny", choices=list(models.SIZES))
    add("--text", default=["licenses"], nargs="+",
        help=f"{', '.join(text.PLACES)}, or files")
    add("--steps", type=int, default=300)
    add("--warm-up", type=int, default=100,
        help="steps of dense attention at the start, of kinds that select")
    add("--context", type=int, default=256, help="tokens of a sequence")
    add("--keys", type=int, default=32, help="budget of a query that selects")
    add("--batch", type=int, default=4, help="sequences of a pass")
    add("--accumulate", type=int, default=2, help="passes of a step")
    add("--rate", type=float, default=3e-3, help="largest learning rate")
    add("--index-rate", type=float, default=3e-3, help="that of the indexers")
    add("--dtype", default="f32", choices=["f32", "bf16"],
        help="bf16: autocast, with parameters in f32")
    add("--device", default="cpu")
    add("--threads", type=int, help="of torch on the CPU")
    add("--seed", type=int, default=0)
    add("--report", type=int, default=10, help="steps between log entries")
    add("--evaluate", type=int, default=100, help="steps between evaluations, "
        "after which a checkpoint is written")
    add("--stop", type=int, help="step to stop after, as if interrupted")
    add("--resume", action="store_true")
    return parser.parse_args(given)


# What a run may be resumed with other values of.
FREE = ("out", "threads", "report", "evaluate", "stop", "resume")


class Run:
    def __init__(self, arguments):
        self.arguments, self.step = arguments, 0
        torch.manual_seed(arguments.seed)
        self.model = models.Model(models.layer_config(
            arguments.kind, arguments.size, arguments.context,
            arguments.keys)).to(arguments.device)
        self.selects = models.KINDS[arguments.kind][1]
        # Groups, since each has its own rate, and its gradient its own norm.
        self.groups = [(self.model.other_parameters(), arguments.rate)]
        if self.selects:
            self.groups.append((self.model.indexer_parameters(),
                                arguments.index_rate))
        self.optimizer = torch.optim.AdamW(
            [{"params": group} for group, _ in self.groups],
            betas=(0.9, 0.95), weight_decay=0.1)
        self.learned, self.held_out = text.read(arguments.text)

    def stage(self):
        """What the layers get as index_loss."""
        if not self.selects:
            return None
        return "all" if self.step < self.arguments.warm_up else "selected"

    def rate(self, largest):
        """Up over 5 % of the steps, down to a tenth by a cosine."""
        a, rise = self.arguments, max(1, self.arguments.steps // 20)
        if self.step < rise:
            return largest * (self.step + 1) / rise
        past = (self.step - rise) / max(1, a.steps - rise)
        return largest * (0.55 + 0.45 * math.cos(math.pi * past))

    def losses(self, data, number):
        """(cross entropy, KL of the indexers) of batch `number`."""
        a = self.arguments
        tokens, targets = text.batch(data, number, size=a.batch,
                                     context=a.context, seed=a.seed)
        context = contextlib.nullcontext() if a.dtype == "f32" else \
            torch.autocast(a.device.split(":")[0], torch.bfloat16)
        with context:
            return self.model(tokens.to(a.device), targets.to(a.device),
                              index_loss=self.stage())

    def advance(self):
        """One optimiser step; returns the mean losses of its passes."""
        count, sums = self.arguments.accumulate, [0.0, 0.0]
        for group, (_, largest) in zip(self.optimizer.param_groups, self.groups):
            group["lr"] = self.rate(largest)
        self.optimizer.zero_grad()
        for part in range(count):
            loss, index_loss = self.losses(self.learned,
                                           self.step * count + part)
            # No parameter has gradients of both.
            ((loss + index_loss) / count).backward()
            for i, value in enumerate((loss, index_loss)):
                sums[i] += value.item() / count
        for parameters, _ in self.groups:
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        self.step += 1
        if not all(map(math.isfinite, sums)):
            raise SystemExit(f"step {self.step}: the losses are {sums}, expected "
                             f"finite ones; try a smaller --rate")
        return sums

    @torch.no_grad()
    def evaluate(self):
        """The mean losses of four batches of held-out text."""
        self.model.eval()
        each = [[value.item() for value in self.losses(self.held_out, number)]
                for number in range(4)]
        self.model.train()
        return [sum(values) / len(each) for values in zip(*each)]

    def settings(self):
        return {name: value for name, value in vars(self.arguments).items()
                if name not in FREE}

    def save(self, path):
        """A file that is whole, or the one that was there."""
        torch.save({"settings": self.settings(), "step": self.step,
                    "model": self.model.state_dict(),
                    "optimizer": self.optimizer.state_dict()}, path + ".new")
        os.replace(path + ".new", path)

    def load(self, path):
        if not os.path.exists(path):
            raise SystemExit(f"--resume: got no {path}, expected the checkpoint "
                             f"of a run")
        saved = torch.load(path, map_location=self.arguments.device,
                           weights_only=True)
        for name, value in self.settings().items():
            if saved["settings"][name] != value:
                raise SystemExit(
                    f"--resume: {name}: got {value}, expected "
                    f"{saved['settings'][name]}, which the checkpoint was made "
                    f"with")
        self.step = saved["step"]
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])


def bits(nats):
    return nats / math.log(2)


class Log:
    """log.jsonl and what is printed. A resumed run forgets entries behind its
    checkpoint."""

    def __init__(self, path, step):
        self.path, kept = path, []
        if step and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                kept = [line for line in file if json.loads(line)["step"] <= step]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(kept)

    def add(self, **entry):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def progress(run, begin, first, loss, index_loss):
    """One line, which on a terminal stays in its place."""
    a = run.arguments
    done = run.step - first
    per_step = (time.perf_counter() - begin) / max(done, 1)
    bar = "#" * (20 * run.step // a.steps)
    line = (f"[{bar:<20}] {run.step}/{a.steps}  {bits(loss):.3f} bits/byte"
            + (f"  index KL {index_loss:.3f} ({run.stage()})"
               if run.selects else "")
            + f"  {per_step:.2f} s/step, {per_step * (a.steps - run.step):.0f} s "
              f"left")
    print(line, end="\r" if sys.stdout.isatty() else "\n", flush=True)


def main(given=None):
    arguments = arguments_of(given)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    run = Run(arguments)
    os.makedirs(arguments.out, exist_ok=True)
    checkpoint = os.path.join(arguments.out, "checkpoint.pt")
    if arguments.resume:
        run.load(checkpoint)
    log = Log(os.path.join(arguments.out, "log.jsonl"), run.step)
    count = sum(p.numel() for p in run.model.parameters())
    print(f"{arguments.kind}: {count} parameters, {len(run.learned)} bytes to "
          f"learn, {len(run.held_out)} held out")
    begin, first = time.perf_counter(), run.step
    stop = min(arguments.steps, arguments.stop or arguments.steps)
    while run.step < stop:
        stage = run.stage()
        loss, index_loss = run.advance()
        if run.step % arguments.report == 0 or run.step == stop:
            log.add(step=run.step, stage=stage, loss=loss,
                    index_loss=index_loss)
            progress(run, begin, first, loss, index_loss)
        if run.step % arguments.evaluate == 0 or run.step == stop:
            loss, index_loss = run.evaluate()
            log.add(step=run.step, stage=run.stage(), held_out=loss,
                    held_out_index=index_loss)
            print(f"\nheld out at {run.step}: {bits(loss):.3f} bits/byte")
            run.save(checkpoint)
    if run.step == arguments.steps:
        tokens, _ = text.batch(run.held_out, 0, size=1,
                               context=arguments.context, seed=arguments.seed)
        observe.write(run.model, tokens.to(arguments.device), run.selects,
                      log.path, arguments.out)
    return run


if __name__ == "__main__":
    main()

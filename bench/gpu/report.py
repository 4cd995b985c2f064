#!/usr/bin/env python3
"""Writes the GPU tables of docs/performance.md from bench/results/gpu.jsonl.

    python3 bench/gpu/report.py [--json FILE] [--update docs/performance.md]

Without --update the text goes to standard output. Counts are derived from the
shape of a record, never from an implementation, except the passes over the
scores, which are those of the top-k kernel.
"""

import argparse
import json
import os
import re

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BEGIN, END = "<!-- gsa-bench-gpu: begin -->", "<!-- gsa-bench-gpu: end -->"
# Where scores are in memory, they are written once, and the selection kernel
# reads a row three times: scan, histogram, cells from the threshold's bin on.
# Selection in one pass keeps no scores.
SCORE_PASSES = 4
SCORE_KERNEL = "index_scores"
# The published formulation is tried up to here.
PUBLISHED_UP_TO = 4096


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join([" --- "] + [" ---: "] * (len(header) - 1)) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


# The heads of all tables that do not name them.
USUAL_HEADS = "32/8 x 128, 4 x 64"


def counts(record):
    """Work of the two stages: gathered bytes, score bytes, products."""
    n, shape = record["n"], record["shape"]
    k = shape["k"]
    selected = sum(min(k, t + 1) for t in range(min(n, k))) + max(0, n - k) * k
    pairs = n * (n + 1) // 2
    kept = any(k["kernel"] == SCORE_KERNEL for k in record["kernels"])
    return {
        "gather": selected * shape["kv_heads"] * 2 * shape["dim"] * 2,
        "attention": 4 * selected * shape["heads"] * shape["dim"],
        "scores": pairs * 4 * SCORE_PASSES if kept else 0,
        "sigmoids": pairs * shape["index_heads"],
    }


def heads_text(record):
    s = record["shape"]
    return (f"{s['heads']}/{s['kv_heads']} x {s['dim']}, "
            f"{s['index_heads']} x {s['index_dim']}")


def forward_rows(records):
    rows = []
    for r in records:
        published = r["published_ms"]
        if published is None:
            published = "out of memory" if r["n"] <= PUBLISHED_UP_TO else ""
        else:
            published = f"{published:.0f}"
        stages = r["stages_ms"]
        rows.append([str(r["n"]), r["workload"], f"{r['ours_ms']:.2f}",
                     f"{stages['select']:.2f}",
                     f"{stages['sparse_attention']:.2f}",
                     f"{r['dense_ms']:.2f}", f"{r['ratio']:.2f}", published,
                     f"{r['J']:.2f}", f"{r['U32']:.2f}",
                     f"{r['workspace_mib']:.0f}",
                     f"{r['host_launch_us']:.0f}"])
    return rows


def bound_rows(records):
    rows = []
    for r in records:
        work, stages = counts(r), r["stages_ms"]
        select, sparse = stages["select"], stages["sparse_attention"]
        rows.append([str(r["n"]),
                     f"{work['scores'] / select / 1e9:.2f}"
                     if work["scores"] else "one pass",
                     f"{work['sigmoids'] / select / 1e9:.2f}",
                     f"{work['gather'] / sparse / 1e9:.2f}",
                     f"{work['attention'] / sparse / 1e9:.0f}"])
    return rows


def rate_text(copy_tb_s, records):
    text = ("\nA copy in the memory of the same device, bytes read and written: "
            f"{copy_tb_s:.2f} TB/s.")
    kept = [r for r in records if counts(r)["scores"]]
    if kept:
        last = max(kept, key=lambda r: r["n"])
        floor = counts(last)["scores"] / copy_tb_s / 1e9
        text += (f" At that rate the {SCORE_PASSES} passes over the scores take "
                 f"{floor:.2f} ms at N = {last['n']}, the longest that has its "
                 "scores in memory.")
    return text + "\n"


def schedule_rows(records):
    return [[f"`{r['schedule']}`", r["stage"],
             f"{r['ms']:.1f}" if r["ms"] else r["reason"],
             f"{r['ratio']:.2f}" if r["ratio"] else ""] for r in records]


def jit_text(records):
    """Cold, disk-warm and in-process times apart. A record without
    `driver_cache` is of a benchmark that left the driver's cache on: what it
    calls cold is disk-warm."""
    plans, kernels, own = {}, [], None
    for r in records:
        if r["bench"] == "gpu_jit":
            plans[r.get("driver_cache", "on")] = r
        elif r["bench"] == "gpu_jit_kernel":
            kernels.append(r)
        elif r["bench"] == "gpu_jit_own":
            own = r
    text = ""
    if plans:
        cold, warm = plans.get("off", {}), plans.get("on", {})
        warm = {"disk_warm_compile_ms": warm.get("cold_compile_ms"),
                "disk_warm_first_result_ms": warm.get("cold_first_result_ms"),
                "in_process_new_length_ms": warm.get("warm_compile_ms"), **warm}

        def ms(record, key):
            value = record.get(key)
            return "not measured" if value is None else f"{value:.0f}"

        rows = [["module text to plan, fresh process",
                 ms(cold, "cold_compile_ms"), ms(warm, "disk_warm_compile_ms")],
                ["module text to first result, fresh process",
                 ms(cold, "cold_first_result_ms"),
                 ms(warm, "disk_warm_first_result_ms")],
                ["of it loading the library", ms(cold, "load_library_ms"),
                 ms(warm, "load_library_ms")]]
        rows += [[f"another {what}, same process", ms(cold, key),
                  ms(warm, key)]
                 for what, key in [("length", "in_process_new_length_ms"),
                                   ("head size", "in_process_new_head_ms")]]
        sources = ", ".join(
            f"cache {state}: {r['device']}, commit {r['commit']}, medians of "
            f"{r['runs']} processes" for state, r in sorted(plans.items()))
        text += (f"\n### Compiling, N = {next(iter(plans.values()))['n']}\n\n"
                 "Milliseconds. Cold: the driver's cache of compiled kernels is "
                 "off; disk-warm: it is on and an earlier process filled it "
                 f"({sources}).\n\n" +
                 table(["what", "cold", "disk-warm"], rows))
    if own:
        text += (f"\nFrom our own cache on disk, the driver's off: "
                 f"{own['own_warm_compile_ms']:.0f} ms to a plan, of it "
                 f"{own['load_library_ms']:.0f} loading the library, "
                 f"{own['own_warm_first_result_ms']:.0f} to the first result "
                 f"({own['device']}, commit {own['commit']}, medians of "
                 f"{own['runs']} processes).\n")
    if kernels:
        text += ("\n### Compiling each kernel alone\n\nMilliseconds by NVRTC's "
                 f"clock for {kernels[0]['arch']}, without a cache, medians of "
                 f"{kernels[0]['runs']} fresh processes, commit "
                 f"{kernels[0]['commit']}.\n\n" + table(
                     ["kernel", "front end", "NVVM", "ptxas", "total"],
                     [[f"`{r['kernel']}`"] +
                      [f"{r[key]:.0f}" for key in
                       ("front_end_ms", "nvvm_ms", "ptxas_ms", "total_ms")]
                      for r in kernels]))
    return text


def meter_text(meter, name):
    values = meter.get(name)
    return ("" if not values else
            f"{values['sm_clock_mhz']:.0f} MHz, {values['power_w']:.0f} W")


def pair_of(times):
    """Our time and how many times that dense takes, as table cells."""
    return [f"{times['ours']:.2f}", f"{times['dense'] / times['ours']:.2f}"]


def kernel_text(records):
    """Where the time of the longest record with kernels goes, and at which
    clocks the records of that length ran."""
    known = [r for r in records if r.get("kernels")]
    if not known:
        return ""
    longest = max(r["n"] for r in known)
    same = [r for r in known if r["n"] == longest]
    first = same[0]
    rows = [[f"`{k['kernel']}`", str(k["launches"]), f"{k['ms']:.2f}"]
            for k in first["kernels"]]
    rows.append(["no kernel running (at most)", "",
                 f"{first['between_kernels_ms']:.2f}"])
    turns = [[r["workload"], f"{r['ours_ms']:.2f}", f"{r['ratio']:.2f}",
              meter_text(r["meter"], "ours"), meter_text(r["meter"], "dense"),
              *pair_of(r["one_run_a_turn_ms"]), *pair_of(r["burst_ms"])]
             for r in same]
    return (f"\n### Where a forward goes, N = {longest}, {first['workload']}\n\n"
            "One run, by the device's clock.\n\n" +
            table(["kernel", "launches", "ms"], rows) +
            "\nTurns of 0.35 s (`ours ms`, with SM clock and power), turns of one "
            "run, and single runs after 0.4 s of rest (`cool`).\n\n" +
            table(["workload", "ours ms", "dense / ours", "ours at", "dense at",
                   "one run a turn ms", "dense / ours", "cool ms",
                   "dense / ours"], turns))


def dense_text(records):
    known = [r for r in records if r["bench"] == "gpu_dense"]
    if not known:
        return ""
    rows = [[str(r["n"]), f"{r['ours_ms']:.3f}", f"{r['dense_ms']:.3f}",
             f"{r['ratio']:.2f}", f"{r['ours_tflops']:.0f}",
             f"{r['largest_error']:.1e}", meter_text(r["meter"], "ours")]
            for r in sorted(known, key=lambda r: r["n"])]
    return (f"\n### Dense attention (commit {known[0]['commit']})\n\n" +
            table(["N", "ours ms", "cuDNN ms", "cuDNN / ours", "TFLOP/s",
                   "largest error", "ours at"], rows))


def decode_text(records):
    """Steps of decoding; a run enqueued by itself beside a captured one."""
    steps = [r for r in records if r["bench"] == "gpu_decode"]
    if not steps:
        return ""
    cases = {}
    for r in steps:
        cases.setdefault((r["n"], r["batch"]), {})[r["mode"]] = r
    rows = []
    for (n, batch), modes in sorted(cases.items()):
        graph, stream = modes.get("graph"), modes.get("stream")
        r = graph or stream
        rows.append([str(n), str(batch),
                     f"{graph['ours_us']:.1f}" if graph else "",
                     f"{stream['ours_us']:.1f}" if stream else "",
                     f"{r['dense_us']:.1f}", f"{r['ratio']:.2f}",
                     f"{r['host_us']:.1f}", f"{r['largest_error']:.1e}"])
    return (f"\n### Decoding (commit {steps[0]['commit']})\n\n"
            "One query a sequence against a cache that is not in L2, gate included, "
            "microseconds: ours in a captured graph and run by run, the fastest "
            "dense attention of torch in a captured graph; host time of a run; error "
            "of attention over the selected keys, relative to float64.\n\n" +
            table(["keys", "sequences", "ours, graph", "ours, runs", "dense",
                   "dense / ours", "host", "largest error"], rows))


def added_text(record):
    """GB and TB/s of f32 that gradients of keys and values add: a row of each
    for each key that 32 neighbouring queries list between them, and each key
    head."""
    shape = record["shape"]
    added = record["union_rows"] * shape["kv_heads"] * shape["dim"] * 2 * 4
    return [f"{added / 1e9:.0f}", f"{added / record['ours_ms'] / 1e9:.1f}"]


def backward_text(records):
    """Gradients of attention over lists beside those of dense attention."""
    known = [r for r in records if r["bench"] == "gpu_backward"]
    if not known:
        return ""
    counted = all("union_rows" in r for r in known)
    rows = [[str(r["n"]), r["workload"], f"{r['ours_ms']:.2f}",
             "" if r["dense_ms"] is None else f"{r['dense_ms']:.2f}",
             "" if r["ratio"] is None else f"{r['ratio']:.2f}",
             f"{r['U32']:.2f}", f"{r['useful_tflops']:.0f}",
             *(added_text(r) if counted else []),
             f"{r['workspace_mib']:.0f}",
             f"{max(r['errors']['chosen']):.1e}",
             meter_text(r["meter"], "chosen")]
            for r in sorted(known, key=lambda r: r["n"])]
    added = ("added are the rows of unions of 32 queries, in f32, for each key "
             "head; " if counted else "")
    return (f"\n### Gradients of attention (commit {known[0]['commit']})\n\n"
            "`gsa.gather_attention_grad` over the lists of our forward, zeroing and "
            "rounding of sums included, beside the backward of causal attention by "
            f"cuDNN. TFLOP/s are those of the pairs in lists; {added}"
            "the error is relative "
            "to the largest element of sampled rows and keys, in float64.\n\n" +
            table(["N", "workload", "ours ms", "cuDNN ms", "cuDNN / ours", "U32",
                   "TFLOP/s", *(["added GB", "added TB/s"] if counted else []),
                   "workspace MiB", "largest error", "ours at"], rows))


def python_text(records):
    """The layer of the Python package beside the published one."""
    known = [r for r in records if r["bench"] == "gpu_python"]
    if not known:
        return ""

    def ms(value, missing="out of memory"):
        return missing if value is None else f"{value:.2f}"

    def mib(value):
        return "out of memory" if value is None else f"{value:.0f}"

    forward = [[r["config"], str(r["n"]), ms(r["ours_ms"]),
                ms(r["published_ms"]), mib(r["ours_peak_mib"]),
                mib(r["published_peak_mib"])]
               for r in known if r["what"] == "prefill"]
    step = [[r["config"], str(r["n"]), ms(r["ours_ms"]),
             ms(r["published_whole_ms"]), ms(r["published_one_key_ms"])]
            for r in known if r["what"] == "decode"]
    return (f"\n### The layer of the Python package (commit "
            f"{known[0]['commit']})\n\n`gsa.GatedSparseAttention` as a user calls "
            "it, projections included, bf16, one sequence; beside it the published "
            "layer's formulas in torch with the same weights, in one process. "
            "`quick_start` is the configuration of the published README (k 2048), "
            "`k256` the same with k 256. MiB are what a call needs at once beyond "
            "weights and input.\n\n" +
            table(["configuration", "N", "ours ms", "published ms", "ours MiB",
                   "published MiB"], forward) +
            "\nOne token behind N. The published layer has two ways: a forward of "
            "all tokens, and its cache, with which the token attends to one key "
            "and is wrong.\n\n" +
            table(["configuration", "N", "ours ms", "published, all tokens, ms",
                   "published, one key, ms"], step))


def report(records):
    every = [r for r in records if r["bench"] == "gpu_forward"]
    forward = [r for r in every if heads_text(r) == USUAL_HEADS]
    others = [r for r in every if heads_text(r) != USUAL_HEADS]
    beyond = [r for r in forward if "dense_measured_at" in r]
    forward = [r for r in forward if "dense_measured_at" not in r]
    fixed = [r for r in forward if r["shape"]["policy"] == "fixed"]
    adaptive = [r for r in forward if r["shape"]["policy"] != "fixed"]
    lengths = sorted((r for r in fixed if r["workload"] == "rho98"),
                     key=lambda r: r["n"])
    longest = max(r["n"] for r in fixed)
    longest_rows = [r for r in fixed if r["n"] == longest]
    first = forward[0]
    header = ["N", "workload", "ours ms", "select", "sparse attention",
              "dense ms", "dense / ours", "published ms", "J", "U32",
              "workspace MiB", "host us"]
    text = (f"Measured on one {first['device']}, torch {first['torch']}, commit "
            f"{first['commit']}; medians of device events, bf16, 32 query heads, "
            "8 key heads of 128, 4 indexer heads of 64, k = 2048.\n\n"
            "### By length\n\n" + table(header, forward_rows(lengths)) +
            f"\n### By workload, N = {longest}\n\n" +
            table(header, forward_rows(longest_rows)))
    if beyond:
        text += ("\nDense attention measured at "
                 f"{beyond[0]['dense_measured_at']}, its time times the square of "
                 "the ratio:\n\n" + table(header, forward_rows(beyond)))
    if others:
        text += ("\n### Other heads\n\nQuery heads / key heads x size, indexer "
                 "heads x size.\n\n" + table(["heads", *header], [
                     [heads_text(r), *row]
                     for r, row in zip(others, forward_rows(others))]))
    if adaptive:
        text += ("\n### A budget per query, policy `" +
                 adaptive[0]["shape"]["policy"] + "`\n\n`mean`: over all rows, "
                 "so that a budget is known when all rows are scored; or `given`, "
                 "as a running mean is.\n\n" +
                 table(["mean", *header], [
                     ["given" if "normaliser" in r["shape"] else "of all", *row]
                     for r, row in zip(adaptive, forward_rows(adaptive))]))
    text += kernel_text(fixed)
    text += ("\n### Rates reached\n\n" + table(
        ["N", "scores TB/s", "sigmoids T/s", "gather TB/s", "TFLOP/s"],
        bound_rows(lengths)))
    for r in records:
        if r["bench"] == "gpu_rates":
            text += rate_text(r["copy_tb_s"], lengths)
    schedules = [r for r in records if r["bench"] == "gpu_schedule"]
    if schedules:
        text += (f"\n### Schedules, N = {schedules[0]['n']}\n\n"
                 "`ratio` is to the schedule that the compiler chooses.\n\n" +
                 table(["schedule", "stage", "ms", "ratio"],
                       schedule_rows(schedules)))
    return (text + dense_text(records) + decode_text(records) +
            backward_text(records) +
            python_text(records) + jit_text(records))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", default=os.path.join(
        ROOT, "bench", "results", "gpu.jsonl"))
    parser.add_argument("--update", help="file with the two markers")
    arguments = parser.parse_args()
    with open(arguments.json) as file:
        text = report([json.loads(line) for line in file])
    if not arguments.update:
        print(text)
        return
    with open(arguments.update) as file:
        document = file.read()
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    document, found = re.subn(
        pattern, lambda _: f"{BEGIN}\n\n{text}\n{END}", document, flags=re.S)
    if found != 1:
        parser.error(f"{arguments.update}: expected the markers {BEGIN} and "
                     f"{END} once, got {found} pairs")
    with open(arguments.update, "w") as file:
        file.write(document)


if __name__ == "__main__":
    main()

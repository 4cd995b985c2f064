#!/usr/bin/env python3
"""The same bits on every device of one architecture.

    python3 test/gpu/devices.py --library build/portable/lib/libgsa.so \\
        --record bench/results/gpu_bits.json

Runs small modules under schedules of every family on each device of this machine
and compares hashes of what comes out: between these devices, and with those that
other machines have left in the record for the same library and architecture. Of
another library the record is begun anew. Ends with 77 where only one device is
known so far.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import sys

from checks import Checks, add_arguments, device_of
from steps import SKIPPED

import gsa_capi  # noqa: I001 (checks knows where it is)
import torch

import schedule_cases


def describe(device):
    """(architecture, {"name", "id"}) of a device; the id is a hash of its UUID."""
    if device.type != "cuda":
        return "cpu", {"name": "cpu", "id": "cpu"}
    properties = torch.cuda.get_device_properties(device)
    unique = hashlib.sha256(str(properties.uuid).encode()).hexdigest()[:16]
    return (f"sm_{properties.major}{properties.minor}",
            {"name": properties.name, "id": unique})


def list_devices(target):
    if not target.startswith("cuda"):
        return [device_of(target)]
    return [torch.device("cuda", i) for i in range(torch.cuda.device_count())]


def hash_file(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def hash_outputs(plan, case, device):
    outputs = plan.run([x.to(device, copy=True) for x in case.inputs])
    digest = hashlib.sha256()
    for i in case.ordered:
        raw = outputs[i].cpu().contiguous().view(torch.uint8)
        digest.update(raw.numpy().tobytes())
    return digest.hexdigest()


def hash_cases(library, device, cases):
    """{case: hash} of a device."""
    target = str(device)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        plans = [pool.submit(library.compile, case.text, target)
                 for case in cases]
    return {case.name: hash_outputs(plan.result(), case, device)
            for case, plan in zip(cases, plans)}


def read_record(path, library, arch):
    """What other machines found with this library; else an empty record."""
    empty = {"library": library, "arch": arch, "devices": [], "bits": {}}
    if not os.path.exists(path):
        return empty
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    same = all(record.get(key) == empty[key] for key in ("library", "arch"))
    return record if same else empty


def compare(checks, record, about, hashes):
    """Compares a device's hashes with those of the record, and adds it."""
    for name, value in hashes.items():
        known = record["bits"].setdefault(name, value)
        checks.expect(f"{about['name']} {about['id']}: {name}", known == value,
                      f"{value[:16]}, " + ("the first device" if not
                                           record["devices"] else
                                           f"the record has {known[:16]}"))
    if about not in record["devices"]:
        record["devices"].append(about)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--record", required=True,
                        help="file that devices of other machines have left")
    arguments = parser.parse_args()
    checks, library = Checks(), gsa_capi.Library(arguments.library)
    cases = schedule_cases.cases_for(arguments.target)
    devices = list_devices(arguments.target)
    arch = describe(devices[0])[0]
    record = read_record(arguments.record, hash_file(arguments.library), arch)
    for device in devices:
        of, about = describe(device)
        if of != arch:
            print(f"left out: {about['name']} is {of}, not {arch}")
            continue
        compare(checks, record, about, hash_cases(library, device, cases))
    if checks.failures:
        return checks.end()
    with open(arguments.record, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
    count = len(record["devices"])
    if count < 2:
        print(f"one device so far; its bits are in {arguments.record}")
        return SKIPPED
    checks.figure("devices with equal bits", count)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())

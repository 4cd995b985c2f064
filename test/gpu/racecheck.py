"""What compute-sanitizer's racecheck found, and which of it is explained.

    python3 test/gpu/racecheck.py LOG... [--kernels FOLDER] [--explained TABLE]

racecheck looks at accesses to shared memory and knows barriers of a block. An
order that only an mbarrier makes - copies that arrive by cp.async or in bulk at a
barrier, rows that a consumer releases - it reports as a hazard where it does not
follow that barrier. A finding names a kernel and the offsets of two instructions:

    ========= Error: Race reported between Write access at rows(float *)+0x90
    =========     and Read access at rows(float *)+0xa0 [2048 hazards]
    ...
    ========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)

What stands at these offsets decides. So a finding gets the instructions, from the
cubins that the kernels' cache in --kernels has (cuobjdump reads them), and is
explained only if TABLE, racecheck_findings.json, has an entry for its kernel and
for each pair of instructions that may be meant; entries about mbarriers count for
kernels that have some. Where several kernels have the name, those are meant in which
all findings of the test stand at accesses to shared memory. An ordinary store that meets an ordinary load is never
among them.
"""

import argparse
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TABLE = os.path.join(HERE, "racecheck_findings.json")

# A line of a report without its "=========", and one that begins a report. The
# place is "kernel(arguments)+0x90", perhaps "in file:line"; older versions say
# "0x90 in file:line:kernel(arguments)".
LINE = re.compile(r"^=========\s?(.*)$")
FIRST = re.compile(r"^\s*(?:(Error|Warning|Info):\s+)?Race reported between "
                   r"(\w+) access at (.*)$")
NEXT = re.compile(r"^\s+and (\w+) access at (.*?)(?: \[(\d+) hazards?\])?$")
SUMMARY = re.compile(r"RACECHECK SUMMARY:\s*(\d+) hazards? displayed "
                     r"\((\d+) errors?, (\d+) warnings?\)")
NEW_PLACE = re.compile(r"^(.*?)\+(0x[0-9a-f]+)(?: in .*)?$")
OLD_PLACE = re.compile(r"^(0x[0-9a-f]+) in (?:.*:)?(\w+)(?:\(.*\))?$")
TEST = re.compile(r"^\[ RUN      \] (\S+)$")

# Instructions that access shared memory, by what an access is.
WRITES = ("STS", "STSM", "LDGSTS", "UBLKCP", "UTMALDG", "ATOMS", "SYNCS",
          "REDAS", "UBLKRED")
READS = ("LDS", "LDSM", "ATOMS", "SYNCS", "HGMMA", "QGMMA", "UBLKCP", "UTMASTG",
         "UTMAREDG", "UBLKRED")
# That of an mbarrier.
MBARRIER = "SYNCS"
FUNCTION = re.compile(r"^\s*Function : (\S+)$")
INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(?:@!?\w+\s+)?([A-Z]\w*)")


def read_place(text):
    """(kernel, offset); the offset is None where there is none."""
    if match := NEW_PLACE.match(text):
        return re.sub(r"\(.*", "", match[1]).strip(), int(match[2], 16)
    if match := OLD_PLACE.match(text):
        return match[2], int(match[1], 16)
    return re.sub(r"[\s(].*", "", text), None


def read_log(text):
    """(findings, how many reports the tool says it made; None: it says nothing).

    A finding is {"kernel", "accesses": ["Write", "Read"], "offsets", "severity",
    "hazards", "test"}, one for each "and" of a report.
    """
    findings, reports, first, test = [], None, None, ""
    for line in text.splitlines():
        if match := TEST.match(line):
            test = match[1]
        line = LINE.match(line)
        if not line:
            continue
        if match := SUMMARY.search(line[1]):
            reports = (reports or 0) + int(match[1])
        elif match := FIRST.match(line[1]):
            first = match[1] or "Error", match[2], *read_place(match[3])
        elif first and (match := NEXT.match(line[1])):
            severity, access, kernel, offset = first
            findings.append({
                "kernel": kernel, "accesses": [access, match[1]],
                "offsets": [offset, read_place(match[2])[1]],
                "severity": severity, "hazards": int(match[3] or 1),
                "test": test})
        elif not line[1].strip():
            first = None
    return findings, reports


def count_reports(text):
    """How many reports a log holds, whatever is in them."""
    return len(re.findall(r"^=========\s+(?:\w+:\s+)?Race reported between",
                          text, re.M))


def read_cubins(folder):
    """The cubins in the entries of a cache (runtime/core/program_entry.h)."""
    for path in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        start = data.find(b"\x7fELF")
        if start >= 0:
            yield data[start:]


def read_sass(text):
    """{function: [{offset: opcode}]} of what cuobjdump -sass prints."""
    functions, current = collections.defaultdict(list), None
    for line in text.splitlines():
        if match := FUNCTION.match(line):
            current = {}
            functions[match[1]].append(current)
        elif current is not None and (match := INSTRUCTION.match(line)):
            current[int(match[1], 16)] = match[2]
    return functions


def find_disassembler():
    return shutil.which("cuobjdump") or shutil.which(
        "cuobjdump", path="/usr/local/cuda/bin")


def disassemble(folder, program=None):
    """{function: [{offset: opcode}]} of a cache; {} without cuobjdump."""
    program, functions = program or find_disassembler(), {}
    if not program or not folder:
        return functions
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "kernel.cubin")
        for cubin in read_cubins(folder):
            with open(path, "wb") as file:
                file.write(cubin)
            done = subprocess.run([program, "-sass", path], capture_output=True,
                                  text=True, check=False)
            for name, variants in read_sass(done.stdout).items():
                functions.setdefault(name, []).extend(variants)
    return functions


def find_pair(finding, code):
    """Both opcodes of a finding in a kernel, and whether that has mbarriers; None
    unless it accesses shared memory at both offsets."""
    pair = [code.get(offset) for offset in finding["offsets"]]
    if all(opcode in (WRITES if access == "Write" else READS)
           for opcode, access in zip(pair, finding["accesses"])):
        return (*pair, MBARRIER in code.values())
    return None


def find_kernels(findings, functions):
    """{(kernel, test): [{offset: opcode}]}: of the kernels of a name those that all
    findings of the test can be about, or all where there is none, as in a test that
    runs several."""
    kernels = {}
    for finding in findings:
        of = finding["kernel"], finding["test"]
        code = functions.get(finding["kernel"], [])
        kernels[of] = [one for one in kernels.get(of, code)
                       if find_pair(finding, one)]
    return {of: left or functions.get(of[0], []) for of, left in kernels.items()}


def find_pairs(finding, kernels):
    """What a finding may be about, of each of `kernels`."""
    pairs = {find_pair(finding, code) for code in kernels}
    return sorted(pairs - {None})


def collect(findings, functions):
    """Findings that are about the same: {"kernel", "accesses", "opcodes": pairs,
    "severity", "hazards", "places", "tests"}."""
    groups, kernels = {}, find_kernels(findings, functions)
    for finding in findings:
        pairs = find_pairs(finding,
                           kernels[finding["kernel"], finding["test"]])
        key = (finding["kernel"], tuple(finding["accesses"]), tuple(pairs))
        group = groups.setdefault(key, {
            "kernel": finding["kernel"], "accesses": finding["accesses"],
            "opcodes": [list(pair) for pair in pairs],
            "severity": finding["severity"], "hazards": 0, "places": [],
            "tests": []})
        group["hazards"] += finding["hazards"]
        place = "+".join("?" if o is None else hex(o) for o in finding["offsets"])
        for name, value in (("places", place), ("tests", finding["test"])):
            # Enough to look one up.
            if value not in group[name] and len(group[name]) < 8:
                group[name].append(value)
    return [groups[key] for key in sorted(groups)]


def explains(entry, group):
    """Whether an entry of the table explains all that a group may be about."""
    if not re.fullmatch(entry["kernel"], group["kernel"]) or not group["opcodes"]:
        return False
    # Which of the two racecheck saw first says nothing.
    allowed = [sorted(pair) for pair in entry["opcodes"]]
    return all(sorted((a, b)) in allowed and (barriers or not entry["mbarrier"])
               for a, b, barriers in group["opcodes"])


def judge(groups, table):
    """(groups that nothing explains, entries that explain nothing)."""
    used, unexplained = set(), []
    for group in groups:
        matching = [i for i, entry in enumerate(table) if explains(entry, group)]
        used.update(matching)
        if not matching:
            unexplained.append(group)
    return unexplained, [e for i, e in enumerate(table) if i not in used]


def read_table(path=TABLE):
    with open(path, encoding="utf-8") as file:
        table = json.load(file)["explained"]
    for entry in table:
        if not entry["reason"].strip():
            raise ValueError(f"{path}: no reason for {entry['kernel']}")
        for pair in entry["opcodes"]:
            if set(pair) <= {"STS", "STSM", "LDS", "LDSM"}:
                raise ValueError(f"{path}: {entry['kernel']}: an ordinary store "
                                 f"and an ordinary load, {pair}, need a barrier")
    return table


def describe(group):
    pairs = ", ".join(f"{a} and {b}{' by mbarriers' if barriers else ''}"
                      for a, b, barriers in group["opcodes"])
    return (f"{group['severity']}: {group['kernel']}: "
            f"{' and '.join(group['accesses'])} at {', '.join(group['places'])}: "
            f"{pairs or 'instructions unknown'}; {group['hazards']} hazards; "
            f"{', '.join(group['tests'])}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("logs", nargs="+")
    parser.add_argument("--kernels", help="folder of the kernels' cache")
    parser.add_argument("--cuobjdump", help="default: that on PATH")
    parser.add_argument("--explained", default=TABLE)
    arguments = parser.parse_args()
    findings, errors = [], 0
    for path in arguments.logs:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        found, reports = read_log(text)
        findings += found
        if reports is None or reports != count_reports(text):
            errors += 1
            print(f"{path}: the tool says {reports} reports, "
                  f"{count_reports(text)} are there")
    groups = collect(findings, disassemble(arguments.kernels,
                                           arguments.cuobjdump))
    unexplained, unused = judge(groups, read_table(arguments.explained))
    for group in groups:
        print("UNEXPLAINED" if group in unexplained else "explained  ",
              describe(group))
    for entry in unused:
        print(f"explains nothing: {entry['kernel']}: {entry['opcodes']}")
    print(f"{len(groups)} findings, {len(unexplained)} unexplained")
    return bool(unexplained or errors)


if __name__ == "__main__":
    sys.exit(main())

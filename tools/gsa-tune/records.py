"""Databases of schedules and the log of a search: JSON lines.

A database has a record for each class of shapes
(passes/schedule/ScheduleDatabase.h). A log has all that was measured: "tune"
entries, one for each op that was searched, and "check" entries, one for each
record that was measured once more in a process of its own.
"""

import json
import os


def record(shape_class, schedule, us, default_us, device):
    """A line of a database."""
    return json.dumps(shape_class | {
        "schedule": schedule, "us": round(us, 1),
        "default_us": round(default_us, 1), "device": device})


def read(path):
    """The lines of a database or a log; of a log that a killed process left
    half a line, all but that."""
    lines = []
    with open(path) as file:
        for line in file:
            if not line.strip():
                continue
            if not line.endswith("\n"):
                try:
                    lines.append(json.loads(line))
                except json.JSONDecodeError:
                    pass
                continue
            lines.append(json.loads(line))
    return lines


def read_log(path):
    """The entries of a log; none if there is no file yet."""
    return read(path) if path and os.path.exists(path) else []


def append(path, entry):
    """Appends an entry to a log, behind whatever a killed process left of
    one."""
    if not path:
        return
    torn = False
    if os.path.exists(path) and os.path.getsize(path):
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            torn = file.read(1) != b"\n"
        if torn:
            with open(path, "rb+") as file:
                data = file.read()
                file.truncate(data.rfind(b"\n") + 1)
    with open(path, "a") as file:
        file.write(json.dumps(entry) + "\n")


def is_of_class(known, shape_class):
    """Whether a record is for a class of shapes."""
    return all(known.get(name) == value for name, value in shape_class.items())


def class_of(known):
    """The members of a record that say which shapes it is for."""
    return {name: value for name, value in known.items()
            if name not in ("schedule", "us", "default_us", "device")}


def write(path, lines):
    """Whoever reads the file meanwhile finds the old one or the new one."""
    fresh = f"{path}.{os.getpid()}"
    with open(fresh, "w") as file:
        file.write("".join(line + "\n" for line in lines))
    os.replace(fresh, path)


def save(path, shape_class, line):
    """Puts a record into a database, in the place of one of its class."""
    lines = []
    if os.path.exists(path):
        with open(path) as file:
            lines = [known.strip() for known in file if known.strip() and
                     not is_of_class(json.loads(known), shape_class)]
    write(path, lines + [line])


def merge(paths, out):
    """Writes the records of several databases as one; of a class that several
    have the one that is the faster of them, over the default that was measured
    beside it. Returns how many there are and how many lost."""
    best, lost = {}, 0
    for path in paths:
        for known in read(path):
            key = json.dumps(class_of(known), sort_keys=True)
            other = best.get(key)
            lost += other is not None
            if other is None or (known["us"] / known["default_us"] <
                                 other["us"] / other["default_us"]):
                best[key] = known
    write(out, [json.dumps(known) for known in best.values()])
    return len(best), lost


def held(log):
    """Of a log the checks that held, the last one of each class: what a
    database may have."""
    checks = {}
    for entry in log:
        if entry["bench"] == "check":
            checks[json.dumps(entry["class"], sort_keys=True)] = entry
    return [entry for entry in checks.values() if entry["holds"]]


def export(log, out):
    """Puts what held into a database, each in the place of one of its class.
    Returns how many."""
    entries = held(log)
    for entry in entries:
        save(out, entry["class"], record(
            entry["class"], entry["schedule"], entry["us"],
            entry["default_us"], entry["device"]))
    return len(entries)


def matches(shape_class, key):
    """Whether a class has all members of a key, "op=gsa.select,keys=4096"."""
    for part in key.split(","):
        name, equals, value = part.partition("=")
        if not equals or name.strip() not in shape_class:
            raise ValueError(
                f"expected NAME=VALUE,... of {', '.join(shape_class)}, got "
                f"'{part}'")
        if str(shape_class[name.strip()]).lower() != value.strip().lower():
            return False
    return True


def explain(log, key, most=10):
    """What a log says of the classes of a key, as text; "" if it has none."""
    text = ""
    for entry in log:
        if entry["bench"] != "tune" or not matches(entry["class"], key):
            continue
        best = entry["best"]
        text += ", ".join(
            f"{name}: {value if isinstance(value, str) else json.dumps(value)}"
            for name, value in entry["class"].items())
        text += (f"\n  measured on {entry['device']}, commit {entry['commit']},"
                 f" workload {entry['workload']}, seed {entry['seed']}\n"
                 f"  default  {entry['default_us']:10.1f} us  "
                 f"{entry['default']}\n")
        text += (f"  best     {entry['best_us']:10.1f} us  {best}\n" if best
                 else "  best     the default: nothing was faster\n")
        checks = [other for other in log if other["bench"] == "check" and
                  other["class"] == entry["class"] and
                  other["schedule"] == best]
        for check in checks:
            text += (f"  checked  {check['us']:10.1f} us beside "
                     f"{check['default_us']:.1f}, "
                     f"{'it holds' if check['holds'] else 'it does not hold'}"
                     "\n")
        if best and not checks:
            text += "  checked  not yet\n"
        if entry["ended_early"]:
            text += "  its time ended before all candidates were measured\n"
        text += (f"  {entry['legal']} legal schedules, "
                 f"{len(entry['candidates'])} measured, "
                 f"{len(entry['unfit'])} unfit\n")
        for other in entry["candidates"][:most]:
            predicted = other["predicted_us"]
            text += (f"  measured {other['us']:10.1f} us  " +
                     (f"({predicted:.1f} predicted)  " if predicted else "") +
                     f"{other['schedule']}\n")
        for schedule, reason in list(entry["unfit"].items())[:most]:
            text += f"  unfit    {reason}: {schedule}\n"
    return text

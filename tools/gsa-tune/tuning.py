"""The search of tune.py: which of several schedules is the fastest.

Nothing here knows of a GPU: candidates are texts, and a device is an object with

    compile(candidate)   raises Unfit, with a reason, for one that is not legal,
                         spills registers or gives other results
    measure(candidates)  one round: microseconds by candidate, each run once in
                         turn after a scrub of L2

so the tests search with a device and a clock of their own.
"""

import dataclasses
import statistics


class Unfit(Exception):
    """Why a candidate takes no part."""


@dataclasses.dataclass
class Settings:
    """`budget_s`: seconds that the search may take; `rounds`: of the first
    rung, doubled on each further one; `keep`: share of the candidates that each
    rung leaves; `behind`: times the fastest one's time from which on a
    candidate goes at once; `final_rounds`: of the two that are compared at the end, in a
    measurement of its own; `margin`: by how much a schedule must be faster than
    the default one to be recorded."""
    budget_s: float = 20.0
    rounds: int = 3
    keep: float = 0.5
    behind: float = 1.5
    final_rounds: int = 15
    margin: float = 0.02


@dataclasses.dataclass
class Result:
    """`best`: None if nothing is faster than the default. Times in
    microseconds, of the last measurement of each candidate, and its shortest and
    longest one; `final` those of the independent one."""
    best: str | None
    default_us: float
    best_us: float
    times: dict
    spread: dict
    unfit: dict
    final: dict
    ended_early: bool


def _measure(device, candidates, rounds, spread):
    """Medians over rounds in which candidates take turns; `spread` receives the
    shortest and the longest of each."""
    times = {candidate: [] for candidate in candidates}
    for number in range(rounds):
        # Another order each time: nobody is always behind the same one.
        turn = candidates[number % len(candidates):] + \
            candidates[:number % len(candidates)]
        for candidate, us in device.measure(turn).items():
            times[candidate].append(us)
    spread.update({candidate: [min(list_), max(list_)]
                   for candidate, list_ in times.items()})
    return {candidate: statistics.median(list_)
            for candidate, list_ in times.items()}


def search(default, candidates, device, clock, settings=None, report=None):
    """Successive halving over `candidates`, in the order in which they are worth
    trying. The default takes part in each rung and is never dropped; what wins
    is measured once more beside it, and only that decides. `clock()` is in
    seconds; `report(done, text)` may show progress. An Unfit default is an
    error."""
    settings = settings or Settings()
    report = report or (lambda done, text: None)
    begin = clock()

    def is_over(share=1.0):
        return clock() - begin > share * settings.budget_s

    unfit, times, spread, ended_early = {}, {}, {}, False
    device.compile(default)
    field = [default]
    rest = [c for c in dict.fromkeys(candidates) if c != default]
    for number, candidate in enumerate(rest):
        if is_over(0.5):  # Half of the time is for measuring.
            ended_early = True
            break
        try:
            device.compile(candidate)
        except Unfit as error:
            unfit[candidate] = str(error)
        else:
            field.append(candidate)
        report((number + 1) / len(rest) / 2, f"compiled {len(field)}")
    rounds = settings.rounds
    while len(field) > 2:
        if is_over(0.9):
            ended_early = True
            break
        measured = _measure(device, field, rounds, spread)
        times.update(measured)
        others = sorted((c for c in field if c != default),
                        key=lambda c: measured[c])
        others = others[:max(1, int(len(others) * settings.keep))]
        fastest = min(measured.values())
        field = [default] + [c for c in others if c == others[0] or
                             measured[c] < settings.behind * fastest]
        rounds *= 2
        report(0.5 + 0.4 / len(field), f"{len(field)} left")
    if len(field) > 2:
        field = [default] + sorted(field[1:], key=lambda c: times.get(
            c, float("inf")))[:1]
    final = _measure(device, field, settings.final_rounds, spread)
    best = field[-1]
    report(1.0, "done")
    is_faster = (best != default and
                 final[best] * (1 + settings.margin) < final[default])
    return Result(best=best if is_faster else None,
                  default_us=final[default],
                  best_us=final[best] if is_faster else final[default],
                  times=times | final, spread=spread, unfit=unfit,
                  final=final, ended_early=ended_early)

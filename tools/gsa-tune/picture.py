"""A picture of searches: what was measured against what the model said."""

import sys


def points(log):
    """{op: [(predicted, measured, kind of point)]} of the "tune" entries, in
    microseconds: the candidates, "default" and "best" among them."""
    found = {}
    for entry in log:
        if entry["bench"] != "tune":
            continue
        for candidate in entry["candidates"]:
            if not candidate["predicted_us"]:
                continue
            kind = ("best" if candidate["schedule"] == entry["best"] else
                    "default" if candidate["schedule"] == entry["default"]
                    else "candidate")
            found.setdefault(entry["class"]["op"], []).append(
                (candidate["predicted_us"], candidate["us"], kind))
    return found


def draw(log, path):
    """Writes the picture, of the kind that the name of the file says."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("gsa-tune: error: expected matplotlib, which draws the "
                 "picture; pip install matplotlib")
    found = points(log)
    if not found:
        sys.exit("gsa-tune: error: --picture: the log has no candidates that "
                 "were measured")
    figure = Figure(figsize=(4 * len(found), 4), layout="constrained")
    FigureCanvasAgg(figure)
    looks = {"candidate": ("#9aa5b1", 12, "."), "default": ("#1f77b4", 48, "s"),
             "best": ("#d62728", 64, "*")}
    for number, (op, all_) in enumerate(sorted(found.items())):
        axes = figure.add_subplot(1, len(found), number + 1)
        low = min(min(p, m) for p, m, _ in all_) / 1.3
        high = max(max(p, m) for p, m, _ in all_) * 1.3
        axes.plot([low, high], [low, high], color="#cccccc", linewidth=1)
        for kind, (colour, size, marker) in looks.items():
            some = [(p, m) for p, m, k in all_ if k == kind]
            if some:
                axes.scatter(*zip(*some), c=colour, s=size, marker=marker,
                             label=kind, zorder=2 + (kind != "candidate"))
        axes.set(xscale="log", yscale="log", xlim=(low, high),
                 ylim=(low, high), title=op, xlabel="predicted, us",
                 ylabel="measured, us")
        axes.legend()
    figure.savefig(path)

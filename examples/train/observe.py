"""What a trained model does: first-token mass, gates, recall of the indexers."""

import json
import math
import os

import gsa.pictures
import model as models


def observe(model, tokens, selects):
    """A dict for each layer, of one pass over tokens [B, S]: numbers for JSON,
    and under "gates" what gates multiply by, arrays."""
    layers = []
    for block, x in zip(model.blocks, models.attention_inputs(model, tokens)):
        seen = gsa.pictures.observe_layer(block.attention, x)
        # Early tokens have few keys, whatever a layer does.
        late = slice(seen.dense.shape[2] // 8, None)
        layer = {"first_token": float(seen.dense[..., late].mean()),
                 "gates": seen.gates}
        if selects:
            kept = gsa.pictures.recall_layer(block.attention, x)
            layer["first_token_selected"] = float(
                seen.sparse[..., late].mean())
            layer["recall"] = float(kept.recall[kept.chose].mean())
            layer["mass"] = float(kept.mass[kept.chose].mean())
            layer["best_mass"] = float(kept.best[kept.chose].mean())
        layers.append(layer)
    return layers


def write(model, tokens, selects, log, folder):
    """observed.json and, with matplotlib, picture.png into `folder`. `log` is
    the path of log.jsonl."""
    layers = observe(model, tokens, selects)
    numbers = [{name: value for name, value in layer.items()
                if name != "gates"} | {
                    name: float(gate.mean())
                    for name, gate in layer["gates"].items()}
               for layer in layers]
    with open(os.path.join(folder, "observed.json"), "w",
              encoding="utf-8") as file:
        json.dump(numbers, file, indent=2)
        file.write("\n")
    for i, layer in enumerate(numbers):
        print(f"layer {i}: " + ", ".join(f"{name} {value:.3f}" for name, value
                                         in layer.items()))
    try:
        import matplotlib
    except ImportError:
        print("no picture: there is no matplotlib (pip install matplotlib)")
        return
    del matplotlib
    with open(log, encoding="utf-8") as file:
        entries = [json.loads(line) for line in file]
    path = os.path.join(folder, "picture.png")
    draw(entries, layers, selects).savefig(path, dpi=110,
                                           metadata={"Software": None})
    print(path)


def curve(axes, entries, name, label, scale=1.0):
    points = [(e["step"], e[name] * scale) for e in entries if name in e]
    if points:
        axes.plot(*zip(*points), label=label, linewidth=1)


def draw(entries, layers, selects):
    """A figure: losses, first-token mass, gates, recall by layer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 7), layout="constrained")
    FigureCanvasAgg(figure)
    loss, first, gates, recall = figure.subplots(2, 2).ravel()
    for name, label in (("loss", "learned"), ("held_out", "held out")):
        curve(loss, entries, name, label, 1 / math.log(2))
    loss.set(title="loss", xlabel="step", ylabel="bits a byte")
    if selects:
        index = loss.twinx()
        curve(index, entries, "index_loss", "index KL")
        index.lines[0].set_color("tab:green")
        index.set(ylabel="KL of the indexers, nats (green)")
    loss.legend()
    at = range(len(layers))
    first.bar([i - 0.2 for i in at], [v["first_token"] for v in layers], 0.4,
              label="all keys")
    if selects:
        first.bar([i + 0.2 for i in at],
                  [v["first_token_selected"] for v in layers], 0.4,
                  label="selected keys")
    first.set(title="attention on the first token", xlabel="layer",
              ylabel="share", xticks=list(at))
    first.legend()
    for i, layer in enumerate(layers):
        for name, gate in layer["gates"].items():
            gates.hist(gate.ravel(), bins=50, density=True, histtype="step",
                       label=f"{name.replace('_', ' ')} {i}",
                       linestyle="-" if name == "output_gate" else ":")
    gates.set(title="gates" if gates.patches else "no gates", xlabel="factor",
              ylabel="density")
    if gates.patches:
        gates.legend(fontsize="x-small")
    if selects:
        recall.bar([i - 0.2 for i in at], [v["recall"] for v in layers], 0.4,
                   label="recall of the oracle's keys")
        recall.bar([i + 0.2 for i in at],
                   [v["mass"] / v["best_mass"] for v in layers], 0.4,
                   label="attention kept / oracle's")
        recall.legend()
    recall.set(title="indexer" if selects else "no selection", xlabel="layer",
               ylim=(0, 1), xticks=list(at))
    return figure

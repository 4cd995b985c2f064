"""The shapes whose schedules are part of the program: what `gsa-tune --suite`
searches for bench/tuned/<architecture>.jsonl.
"""

import modules


def of_gpu():
    """Prefill, decoding and dense attention of the layer of docs/performance.md,
    the lengths that a record each stands for: it is for those down to half."""
    for n in (4096, 8192, 16384, 32768, 65536, 131072):
        yield f"core {n}", modules.sparse_core(n)
    for keys in (8192, 32768, 131072):
        for batch in (1, 8, 32):
            yield (f"decode {keys} x {batch}",
                   modules.decode(keys, batch=batch))
    for n in (4096, 16384, 65536):
        yield f"dense {n}", modules.dense(n)


def of_cpu():
    """The same with the sizes that gsa-bench-cpu has."""
    sizes = {"heads": 8, "groups": 2, "dim": 64, "dtype": "f32"}
    index = {"index_heads": 4, "index_dim": 64, "slots": 512}
    for n in (1024, 2048, 4096):
        yield f"core {n}", modules.sparse_core(n, **sizes, **index)
    for keys in (4096, 16384):
        yield f"decode {keys}", modules.decode(keys, **sizes, **index)
    for n in (1024, 2048):
        yield f"dense {n}", modules.dense(n, **sizes)


def of_target(target):
    """(name, text of a module) of each."""
    return of_gpu() if target == "cuda" else of_cpu()

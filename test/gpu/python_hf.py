#!/usr/bin/env python3
"""Models of transformers on a GPU: LLaMA, Mistral, Qwen 2 and 3, of random weights,
with their attention replaced in one line.

    python3 test/gpu/python_hf.py --library build/portable/lib/libgsa.so

Each generates 64 tokens. Its logits are those of one pass over all tokens, those
of the prompt token by token as well, and those of the same model in float64 on the
CPU over the same tokens. In bf16 and f16 rounding decides between keys of nearly
one score, so that single rows may differ: there the error is of all rows together.
With --device cpu the whole runs in f32 and f64 on the CPU, as CI does.
"""

import argparse
import os
import sys
import warnings

import steps
from checks import Checks

sys.path[:0] = [os.path.join(steps.ROOT, "python"),
                os.path.join(steps.ROOT, "test", "python")]

PROMPT, NEW = 70, 64
# Types, and largest allowed errors: of a logit where all is computed as in a pass
# over all tokens, and of all logits against float64 (root mean squares).
LIMITS = {"float64": (1e-5, 1e-8), "float32": (2e-4, 1e-4),
          "bfloat16": (None, 1.2e-1), "float16": (None, 3e-2)}


def generate(torch, model, ids):
    """Token numbers, and the logits that each new one was taken from [B,64,V]."""
    out = model.generate(ids, max_new_tokens=NEW, do_sample=False,
                         no_repeat_ngram_size=1, output_logits=True,
                         return_dict_in_generate=True)
    return out.sequences, torch.stack(out.logits, 1)


def one_by_one(torch, model, ids):
    """Logits of a prompt whose tokens come one by one, with a cache."""
    cache, logits = None, []
    for t in range(ids.shape[1]):
        out = model(ids[:, t:t + 1], past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        logits.append(out.logits)
    return torch.cat(logits, 1)


def rms_error(got, want):
    got, want = got.double().cpu(), want.double().cpu()
    return ((got - want).pow(2).mean() / want.pow(2).mean()).sqrt().item()


def largest_error(got, want):
    return (got - want).abs().max().item()


def check_family(checks, torch, gsa, family, dtype, device):
    import test_hf
    ids = test_hf.tokens(PROMPT).to(device)
    config = gsa.GSAConfig(**test_hf.SPARSE)
    # The line that replaces attention.
    model = gsa.replace_attention(test_hf.model_of(family), config)
    model = model.to(device, getattr(torch, dtype))
    absolute, relative = LIMITS[dtype]
    name = f"{family} {dtype}"
    sequences, logits = generate(torch, model, ids)
    target = gsa.last_dispatch().target
    checks.expect(f"{name}: {NEW} tokens by {target}",
                  sequences.shape[1] == PROMPT + NEW and
                  bool(torch.isfinite(logits).all()) and
                  ("sm_" in target) == (logits.device.type == "cuda"))
    whole = model(sequences, use_cache=False).logits
    new = whole[:, PROMPT - 1:-1]
    steps_of_prompt = one_by_one(torch, model, ids)
    for what, got, want in (
            ("generation is the pass over all", logits, new),
            ("token by token is the pass over all", steps_of_prompt,
             whole[:, :PROMPT])):
        if absolute is None:
            error, limit = rms_error(got, want), relative
        else:
            error, limit = largest_error(got, want), absolute
        checks.expect(f"{name}: {what}", error < limit,
                      f"error {error:.1e}, limit {limit:.0e}")
    model = model.cpu().double()
    reference = model(sequences.cpu(), use_cache=False).logits
    error = rms_error(whole, reference)
    checks.expect(f"{name}: float64 on the CPU", error < relative,
                  f"rms {error:.1e} of rms, limit {relative:.0e}")
    if dtype == "float32":
        # Their logits are further apart than these errors.
        tokens, _ = generate(torch, model, ids.cpu())
        checks.expect(f"{name}: the tokens that float64 on the CPU takes",
                      torch.equal(tokens, sequences.cpu()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--library", required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--families", nargs="*", help="only these")
    parser.add_argument("--dtypes", nargs="*", choices=LIMITS, help="only these")
    arguments = parser.parse_args()
    os.environ["GSA_LIBRARY"] = os.path.abspath(arguments.library)
    try:
        import transformers
    except ImportError as error:
        print(f"no transformers: {error}")
        return steps.SKIPPED
    import torch
    import gsa
    import test_hf
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    checks = Checks()
    dtypes = arguments.dtypes or (
        ("float64", "float32") if arguments.device == "cpu" else
        ("float32", "bfloat16", "float16"))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        for family in arguments.families or test_hf.FAMILIES:
            for dtype in dtypes:
                check_family(checks, torch, gsa, family, dtype,
                             arguments.device)
    return checks.end()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Writes down the interface that a serving plug-in is written against: names,
arguments and fields, from a wheel of the server, which is not imported.

    pip download --no-deps -d /tmp/wheels vllm sglang
    record.py vllm /tmp/wheels/vllm-*.whl >vllm.json
    record.py sglang /tmp/wheels/sglang-*.whl >sglang.json

test_serving.py builds the modules of the record as stubs, loads the plug-in on
them and holds its classes to the signatures. Record again to see what a newer
version has changed: the test says what no longer fits.
"""

import argparse
import ast
import json
import re
import zipfile

# Names by module; a dotted one is a method or a field of a class.
WANTED = {
    "vllm": {
        "vllm.plugins": ["DEFAULT_PLUGINS_GROUP"],
        "vllm.config": ["get_current_vllm_config"],
        "vllm.forward_context": ["get_forward_context", "ForwardContext.attn_metadata"],
        "vllm.model_executor.layers.attention_layer_base": [
            "AttentionLayerBase"],
        "vllm.v1.attention.backend": [
            "AttentionBackend", "AttentionCGSupport", "AttentionImplBase",
            "AttentionMetadata", "AttentionMetadataBuilder",
            "CommonAttentionMetadata"],
        "vllm.v1.attention.backends.registry": ["register_backend"],
        "vllm.v1.kv_cache_interface": [
            "KVCacheSpec", "AttentionSpec", "FullAttentionSpec",
            "MLAAttentionSpec"],
    },
    "sglang": {
        "sglang.srt.plugins": ["GENERAL_PLUGINS_GROUP"],
        "sglang.srt.arg_groups.choices": [
            "ATTENTION_BACKEND_CHOICES", "add_attention_backend_choices"],
        "sglang.srt.layers.attention.attention_registry": [
            "register_attention_backend"],
        "sglang.srt.layers.attention.base_attn_backend": ["AttentionBackend"],
        "sglang.srt.layers.radix_attention": [
            "RadixAttention.__init__", "RadixAttention.forward"],
        "sglang.srt.mem_cache.memory_pool": [
            "KVWriteLoc", "MHATokenToKVPool.set_kv_buffer",
            "MHATokenToKVPool.get_key_buffer",
            "MHATokenToKVPool.get_value_buffer"],
        "sglang.srt.model_executor.forward_batch_info": [
            *("ForwardBatch." + name for name in (
                "forward_mode", "batch_size", "req_pool_indices", "seq_lens",
                "seq_lens_cpu", "extend_seq_lens_cpu", "out_cache_loc",
                "spec_info")),
            "ForwardMode.is_decode", "ForwardMode.is_extend"],
    },
}


def arguments(node):
    """[name, ...] with "=" after what has a default, "*" before what is given by
    name alone, "*args" and "**kwargs"."""
    a = node.args
    positional = [x.arg for x in a.posonlyargs + a.args]
    first = len(positional) - len(a.defaults)
    names = [name + "=" * (i >= first) for i, name in enumerate(positional)]
    if a.vararg:
        names.append("*" + a.vararg.arg)
    elif a.kwonlyargs:
        names.append("*")
    names += [x.arg + "=" * (default is not None)
              for x, default in zip(a.kwonlyargs, a.kw_defaults)]
    return names + (["**" + a.kwarg.arg] if a.kwarg else [])


def function(node):
    kinds = {ast.unparse(d).split(".")[-1] for d in node.decorator_list}
    record = {"arguments": arguments(node)}
    for kind in ("staticmethod", "classmethod", "property", "abstractmethod"):
        if kind in kinds:
            record[kind] = True
    return record


def fields_of(node):
    return {child.target.id: child.value is not None for child in node.body
            if isinstance(child, ast.AnnAssign) and
            isinstance(child.target, ast.Name)}


def class_of(node, only=None):
    """`only`: names of methods and fields, None for all."""
    methods = {child.name: function(child) for child in node.body
               if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and
               (only is None or child.name in only)}
    fields = {name: default for name, default in fields_of(node).items()
              if only is None or name in only}
    constants = [] if only else [
        t.id for child in node.body if isinstance(child, ast.Assign)
        for t in child.targets if isinstance(t, ast.Name)]
    return {"bases": [ast.unparse(base).split("[")[0].split(".")[-1]
                      for base in node.bases],
            "methods": methods, "fields": fields, "constants": constants}


def module_of(text, wanted):
    tree, record = ast.parse(text), {}
    members = {}
    for name in wanted:
        head, _, tail = name.partition(".")
        members.setdefault(head, []).append(tail)
    for node in tree.body:
        for name in getattr(node, "names", ()):
            if name.name in members:  # Made elsewhere.
                members.pop(name.name)
                record[name.name] = {"from": node.module}
        name = getattr(node, "name", None)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        if name not in members:
            continue
        only = [m for m in members.pop(name) if m]
        if isinstance(node, ast.ClassDef):
            record[name] = class_of(node, only or None)
        elif isinstance(node, ast.Assign):
            value = node.value
            record[name] = {"value": value.value if isinstance(
                value, ast.Constant) else None}
        else:
            record[name] = function(node)
    if members:
        raise SystemExit(f"record: there is no {', '.join(members)}")
    return record


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", choices=sorted(WANTED))
    parser.add_argument("wheel")
    options = parser.parse_args()
    with zipfile.ZipFile(options.wheel) as wheel:
        names = set(wheel.namelist())
        metadata, = (n for n in names if n.endswith(".dist-info/METADATA"))
        version = re.search(r"^Version: (.*)$",
                            wheel.read(metadata).decode(), re.M)[1]
        modules = {}
        for module, wanted in WANTED[options.server].items():
            path = module.replace(".", "/")
            path = next(p for p in (path + ".py", path + "/__init__.py")
                        if p in names)
            modules[module] = module_of(wheel.read(path).decode(), wanted)
    print(json.dumps({"distribution": options.server, "version": version,
                      "modules": modules}, indent=1))


if __name__ == "__main__":
    main()

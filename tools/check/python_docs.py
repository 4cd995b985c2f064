"""The reference of the Python package, from its source: nothing is imported, so
that it needs neither torch nor a library.

Public are the names that python/gsa/__init__.py lists, in its order, each with a
docstring, and so its methods; and those of __all__ in MODULES.
"""

import ast
import inspect
import textwrap

# What is imported by its own name; of classes the methods that say something,
# since others are of a server's interface.
MODULES = ("gsa.pictures", "gsa.serving.paged", "gsa.serving.vllm",
           "gsa.serving.sglang")


def public(root):
    """{name: module} of the package."""
    path = root / "python/gsa/__init__.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_PLACES":
            return ast.literal_eval(node.value)
    raise SystemExit(f"python_docs: {path} has no _PLACES")


def signature(name, node):
    """`name(arguments)`, without `self` and without types."""
    arguments = ast.parse(f"def f({ast.unparse(node.args)}): pass").body[0].args
    for one in (arguments.args + arguments.kwonlyargs):
        one.annotation = None
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        del arguments.args[0]
    return f"{name}({ast.unparse(arguments)})"


def docstring(node):
    text = ast.get_docstring(node)
    return inspect.cleandoc(text) if text else None


def fields(node, source):
    """Fields of a dataclass or a NamedTuple, as written, with their comments."""
    found = [child for child in node.body if isinstance(child, ast.AnnAssign)]
    if not found:
        return []
    lines = source.splitlines()[found[0].lineno - 1:found[-1].end_lineno]
    return textwrap.dedent("\n".join(lines)).splitlines()


def entry(name, source, complete=True):
    """Markdown of one public name. `complete`: a public method without a
    docstring is an error."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.Assign):
            # A named tuple, whose docstring may be assigned after it.
            target = ast.unparse(node.targets[0])
            if target == name and isinstance(node.value, ast.Name):
                return [f"## {name}", "", f"The same as `{node.value.id}`.", ""]
            if target == f"{name}.__doc__":
                return [f"## {name}", "", "```text",
                        inspect.cleandoc(ast.literal_eval(node.value)), "```",
                        ""]
        if getattr(node, "name", None) != name:
            continue
        if not docstring(node):
            raise SystemExit(f"python_docs: {name} has no docstring")
        lines = [f"## {name}", ""]
        if isinstance(node, ast.FunctionDef):
            return lines + ["```text", signature(name, node), "",
                            docstring(node), "```", ""]
        init = next((m for m in node.body if isinstance(m, ast.FunctionDef) and
                     m.name == "__init__"), None)
        lines += ["```text"]
        written = fields(node, source)
        if init is not None and not written:
            lines += [signature(name, init), ""]
        lines += [docstring(node)]
        lines += [""] * bool(written) + written + ["```", ""]
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and \
                    not method.name.startswith("_"):
                if not docstring(method):
                    if complete:
                        raise SystemExit(f"python_docs: {name}.{method.name} "
                                         f"has no docstring")
                    continue
                is_property = any(ast.unparse(d) == "property" for d in
                                  method.decorator_list)
                call = f"{name}.{method.name}" if is_property else signature(
                    f"{name}.{method.name}", method)
                lines += ["```text", call, "", docstring(method), "```", ""]
        return lines
    raise SystemExit(f"python_docs: there is no {name}")


def reference(root, regenerate):
    """The page."""
    lines = ["# Reference of the Python package", "",
             f"<!-- Generated from python/gsa; `{regenerate}` writes it. -->", ""]
    sources = {}

    def source(module):
        if module not in sources:
            path = root / "python" / (module.replace(".", "/") + ".py")
            sources[module] = path.read_text(encoding="utf-8")
        return sources[module]

    for name, module in public(root).items():
        lines += entry(name, source(module))
    for module in MODULES:
        tree = ast.parse(source(module))
        names = next(ast.literal_eval(node.value) for node in tree.body
                     if isinstance(node, ast.Assign) and
                     node.targets[0].id == "__all__")
        lines += [f"## {module}", "", "```text", docstring(tree), "```", ""]
        for name in names:
            heading, *rest = entry(name, source(module), complete=False)
            lines += ["#" + heading, *rest]
    return "\n".join(lines).rstrip() + "\n"

"""The reference of the Python package, from its source: nothing is imported, so
that it needs neither torch nor a library.

Public are the names that python/gsa/__init__.py lists, in its order.
"""

import ast
import inspect


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


def fields(node):
    """Fields of a dataclass, as written."""
    return [ast.unparse(child) for child in node.body
            if isinstance(child, ast.AnnAssign)]


def entry(name, tree):
    """Markdown of one public name."""
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
        if init is not None and not fields(node):
            lines += [signature(name, init), ""]
        lines += [docstring(node)]
        lines += [""] * bool(fields(node)) + fields(node) + ["```", ""]
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and \
                    not method.name.startswith("_") and docstring(method):
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
    trees = {}
    for name, module in public(root).items():
        path = root / "python" / (module.replace(".", "/") + ".py")
        if path not in trees:
            trees[path] = ast.parse(path.read_text(encoding="utf-8"))
        lines += entry(name, trees[path])
    return "\n".join(lines).rstrip() + "\n"

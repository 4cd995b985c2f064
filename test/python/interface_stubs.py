"""Modules of a server as interfaces/<server>.json records them: classes and
functions with the names and arguments of that version, and nothing in them. What
a server does beyond, a test sets.
"""

import inspect
import json
import os
import sys
import types

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "interfaces")


def record(server):
    with open(os.path.join(HERE, server + ".json"), encoding="utf-8") as file:
        return json.load(file)


def _refusal(name):
    def function(*args, **kwargs):
        raise NotImplementedError(f"stub of {name}")
    return function


def _default(name, member):
    """A method of the interface that a plug-in need not write: what vLLM's and
    SGLang's own say is not recorded, so that a call is a failure."""
    function = _refusal(name)
    if member.get("abstractmethod"):
        function.__isabstractmethod__ = True
    for kind in (staticmethod, classmethod, property):
        if member.get(kind.__name__):
            function = kind(function)
    return function


def _class(name, member, known):
    bases = tuple(known[b] for b in member["bases"] if b in known)
    body = {method: _default(f"{name}.{method}", m) for method, m in
            member["methods"].items() if not method.startswith("__")}
    body.update({field: field for field in member["constants"]})
    body["_fields"] = frozenset(member["fields"]).union(
        *(base._fields for base in bases))

    def __init__(self, *args, **kwargs):
        for field, value in kwargs.items():
            if field not in self._fields:
                raise TypeError(f"{name} has no field {field}")
            setattr(self, field, value)
        self.arguments = args
    body["__init__"] = __init__
    return type(name, bases or (object,), body)


def install(server):
    """Puts the modules into sys.modules; returns {module: namespace}."""
    known, modules = {}, {}
    for name, members in record(server)["modules"].items():
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            path = ".".join(parts[:i])
            module = modules.get(path)
            if module is None:
                module = modules[path] = types.ModuleType(path)
                module.__path__ = []
                if i > 1:
                    setattr(modules[".".join(parts[:i - 1])], parts[i - 1],
                            module)
        for member_name, member in members.items():
            if "bases" in member:
                value = known[member_name] = _class(member_name, member, known)
            elif "value" in member:
                value = member["value"]
            else:
                value = _refusal(member_name)
            setattr(module, member_name, value)
    sys.modules.update(modules)
    return modules


def methods_of(server, class_name):
    """{method: record} of a recorded class and its recorded bases."""
    classes = {name: member for members in record(server)["modules"].values()
               for name, member in members.items() if "bases" in member}
    found = {}
    for base in reversed(classes[class_name]["bases"]):
        if base in classes:
            found.update(methods_of(server, base))
    return {**found, **classes[class_name]["methods"]}


def differences(server, class_name, ours, own=()):
    """What a plug-in's class does not have as the interface says. `own`: public
    methods that the interface does not know."""
    wanted = methods_of(server, class_name)
    for name, member in wanted.items():
        defined = next((vars(c)[name] for c in ours.__mro__ if name in vars(c)
                        and c.__module__ == ours.__module__), None)
        if defined is None:
            if member.get("abstractmethod"):
                yield f"{name} is missing"
            continue
        for kind in (staticmethod, classmethod):
            if isinstance(defined, kind) != bool(member.get(kind.__name__)):
                yield f"{name} is no {kind.__name__}, or is one"
        signature = inspect.signature(getattr(defined, "__func__", defined))
        mine = [p.name + "=" * (p.default is not p.empty) for p in
                signature.parameters.values() if p.kind in (
                    p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        theirs = [a for a in member["arguments"] if not a.startswith("*")]
        if name != "__init__" and mine[:len(theirs)] != theirs:
            yield f"{name}: got {mine}, expected {theirs}"
        for extra in mine[len(theirs):]:
            if not extra.endswith("="):
                yield f"{name}: {extra} has no default"
    for name, value in vars(ours).items():
        if callable(getattr(ours, name)) and not name.startswith("_") and \
                name not in wanted and name not in own and \
                not isinstance(value, type):
            yield f"{name} is not of the interface"

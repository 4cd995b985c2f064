#!/usr/bin/env python3
"""Finds entities that two files define under one qualified name.

What is inline (variables, functions, types with their members, templates) may
be defined in many translation units, and the linker keeps any one of them. Two
different definitions of one name are therefore merged in silence: the program
then has one of the two values everywhere, and which one depends on the
optimisation level. Looked at are, outside of unnamed namespaces,

- in headers: variables, functions with a body, types, aliases
- in sources: types, inline functions and variables, function templates

Functions are told apart by the text of their parameters, specialisations of
templates by their arguments. Text that is compiled for a GPU is a program of
its own beside that of the host.

Usage: one_definition.py <repository>
       one_definition.py --self-test
"""

import collections
import pathlib
import re
import subprocess
import sys

HEADERS = (".h", ".cuh")
SOURCES = (".cpp", ".cc", ".cu")
# Never linked with the host's code, nor with each other.
PROGRAMS = ("codegen/device/include/", "test/unit/device/kernels/",
            "test/gpu/selftest/", "examples/")

COMMENTS = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
RAW_STRINGS = re.compile(r'R"(\w*)\(.*?\)\1"', re.S)
STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'')
DIRECTIVES = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
NAMESPACE = re.compile(r'^(?:inline\s+)?namespace\b\s*(?:\[\[.*?\]\]\s*)?'
                       r'([\w:]*)\s*$')
TYPE = re.compile(r'^(?:typedef\s+)?(?:class|struct|union|enum(?:\s+class|'
                  r'\s+struct)?)\s+(?:\[\[.*?\]\]\s*|alignas\s*\([^)]*\)\s*|'
                  r'__\w+__\s*(?:\(\(?[^)]*\)?\))?\s*|LLVM_\w+\s+)*'
                  r'([A-Za-z_][\w:]*\s*(?:<.*>)?)\s*(?:final\s*)?'
                  r'(?:(?<!:):(?!:).*)?$', re.S)
FUNCTION = re.compile(r'([A-Za-z_~][\w:~]*|operator\s*(?:\(\)|[^\s(]+))'
                      r'\s*(\(.*)$', re.S)
VARIABLE = re.compile(r'([A-Za-z_]\w*(?:::\w+)*)\s*(?:\[[^\]]*\]\s*)*$')
ALIAS = re.compile(r'^using\s+(\w+)\s*$')
LABELS = re.compile(r'^(?:\[\[.*?\]\]\s*)+')


def blank(match):
    return re.sub(r'[^\n]', ' ', match[0])


def without_comments(text):
    text = RAW_STRINGS.sub(lambda m: '""' + blank(m)[2:], text)
    # Strings may hold "//", and comments quotes: whichever starts first.
    both = re.compile(f'(?P<s>{STRINGS.pattern})|(?P<c>{COMMENTS.pattern})',
                      re.S)
    text = both.sub(lambda m: ('""' + blank(m)[2:]) if m['s'] else blank(m),
                    text)
    return DIRECTIVES.sub(blank, text)


def split_template(head):
    """'template <...> rest' as (is a template, rest)."""
    is_template = False
    while re.match(r'template\s*<', head):
        depth, i = 0, head.index("<")
        while i < len(head):
            depth += (head[i] == "<") - (head[i] == ">")
            i += 1
            if depth == 0:
                break
        is_template = True
        head = head[i:].strip()
        head = re.sub(r'^requires\b.*?(?=\b(?:inline|constexpr|static|void|'
                      r'auto|bool|int)\b)', '', head, flags=re.S)
    return is_template, head


def parameters(text):
    """The parenthesised list at the start of `text`, without spaces."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            rest = text[i + 1:]
            constant = "const" if re.match(r'\s*const\b', rest) else ""
            return re.sub(r'\s+', ' ', text[:i + 1]) + constant
    return text


def classify(head, opened):
    """(kind, name) of the definition with this text before its body or value,
    or None. `opened`: a brace follows."""
    head = LABELS.sub("", head.strip())
    is_template, head = split_template(head)
    if re.match(r'(using\s+namespace|typedef|static_assert|friend|return|'
                r'extern\s+template|template\b)', head):
        return None
    if match := ALIAS.match(head):
        return "alias", match[1], set()
    if opened and (match := TYPE.match(head)):
        return "type", re.sub(r'\s', '', match[1]), set()
    words = set(re.findall(r'\b(?:inline|constexpr|consteval|static|extern)\b',
                           head.split("(")[0]))
    if is_template:
        words.add("template")
    if opened and "(" in head:
        # The last name before the first parenthesis, macros skipped.
        match = FUNCTION.search(re.sub(r'\b[A-Z][A-Z0-9_]+\s*\([^()]*\)', '',
                                       head))
        if match:
            return "function", match[1] + parameters(match[2]), words
    if "(" not in head and (match := VARIABLE.search(head)):
        if re.match(r'\s*\w+\s*$', head):
            return None  # one word: a macro, an enumerator
        return "variable", match[1], words
    return None


def definitions(text):
    """(line, kind, qualified name, specifiers) outside of functions, types and
    unnamed namespaces."""
    text = without_comments(text)
    scopes, head_start, hidden, i = [], 0, 0, 0

    def qualified(name):
        return "::".join([s for s in scopes if s] + [name])

    def line_of(position):
        head = text[position:]
        return text.count("\n", 0, position + len(head) - len(head.lstrip())) + 1

    while i < len(text):
        c = text[i]
        if c in "{;=" and not (c == "=" and text[i - 8:i].rstrip().endswith(
                "operator")):
            head = text[head_start:i]
            # '==', '<=' and defaults in parentheses are no definitions.
            if c == "=" and (text[i + 1:i + 2] == "=" or text[i - 1] in "=!<>"
                             or head.count("(") != head.count(")")
                             or re.match(r'\s*template\b[^{;]*$', head)
                             and head.count("<") != head.count(">")):
                i += 1
                continue
            namespace = NAMESPACE.match(head.strip()) if c == "{" else None
            is_extern = c == "{" and re.match(r'\s*extern\s*""\s*$', head)
            if namespace or is_extern:
                name = namespace[1] if namespace else ""
                hidden += bool(namespace and not name)
                scopes.append(None if namespace and not name else name)
                head_start = i = i + 1
                continue
            found = classify(head, c == "{") if c != ";" else None
            if found and not hidden:
                yield line_of(head_start), found[0], qualified(found[1]), found[2]
            if c == "{":
                i = after_block(text, i)
                # 'int x{1};', 'struct A {} a;': up to the semicolon, if any.
                if not (found and found[0] == "function"):
                    tail = re.match(r'[^;{}]*;', text[i:])
                    i += tail.end() if tail else 0
            elif c == "=":
                i = after_value(text, i)
            else:
                i += 1
            head_start = i
            continue
        if c == "}":
            if scopes:
                hidden -= scopes.pop() is None
            head_start = i + 1
        i += 1


def after_block(text, i):
    depth = 0
    while i < len(text):
        depth += (text[i] == "{") - (text[i] == "}")
        i += 1
        if depth == 0:
            break
    return i


def after_value(text, i):
    depth = 0
    while i < len(text) and not (text[i] == ";" and depth == 0):
        depth += (text[i] in "{([") - (text[i] in "})]")
        i += 1
    return i + 1


def program_of(path):
    return next((p for p in PROGRAMS if path.startswith(p)), "")


def find_duplicates(files):
    """`files`: path -> text. Messages, one per name and file but the first."""
    seen, errors = collections.OrderedDict(), []
    for path, text in files.items():
        is_header = path.endswith(HEADERS)
        for line, kind, name, words in definitions(text):
            shared = words & {"inline", "constexpr", "consteval", "template"}
            if not is_header and (kind == "alias" or "static" in words or
                                  kind in ("function", "variable") and
                                  not shared):
                continue
            # At namespace scope in a source constexpr alone is internal.
            if not is_header and kind == "variable" and "inline" not in words:
                continue
            # One name per source executable: main-like helpers do not count.
            key = (program_of(path), name)
            where, first_kind = seen.setdefault(key, (f"{path}:{line}", kind))
            if where.rsplit(":", 1)[0] == path:
                continue
            errors.append(f"{path}:{line}: '{name}' is also defined at {where}")
    return errors


def self_test():
    header = "namespace a::b {\n%s\n}\n"
    same = [
        ('inline constexpr llvm::StringLiteral kX = "gsa.x";',
         'inline constexpr llvm::StringLiteral kX = "gsa_tile.x";'),
        ("inline int f(int x) { return x; }", "inline int f(int x) { return 1; }"),
        ("static int f(int x) { return x; }", "int f(int x);\n"
         "inline int f(int x) { return 1; }"),
        ("struct S { int a; };", "struct S final : T { int b; };"),
        ("enum class E { A };", "enum class E { B };"),
        ("template <typename T> T g(T x) { return x; }",
         "template <typename T> T g(T x) { return 2; }"),
        ("constexpr int kN{3};", "inline constexpr int kN = 4;"),
        ("using T = int;", "using T = long;"),
    ]
    other = [
        ("inline int f(int x) { return x; }", "inline int f(long x) { return 1; }"),
        ("struct S;", "struct S { int a; };"),
        ("int f(int x);", "inline int f(int x) { return 1; }"),
        ("struct S { int a; };", "namespace c { struct S { int b; }; }"),
        ("struct S { int a; };", "namespace { struct S { int b; }; }"),
        ("template <> struct H<int> { int a; };",
         "template <> struct H<long> { int b; };"),
        ("// struct S { };\nint kA();", 'inline int g() { return "struct S {"[0]; }\n'
         "struct S { };"),
    ]
    for pairs, expected in ((same, 1), (other, 0)):
        for first, second in pairs:
            got = find_duplicates({"x/a.h": header % first,
                                   "x/b.h": header % second})
            if len(got) != expected:
                sys.exit(f"one-definition: expected {expected} findings, got "
                         f"{got} in\n{first}\n{second}")
    sources = {"x/a.cpp": header % "struct S { int a; };",
               "x/b.cpp": header % "struct S { int b; };"}
    if len(find_duplicates(sources)) != 1:
        sys.exit("one-definition: types of two sources are not compared")
    statics = {"x/a.cpp": header % "static constexpr int k = 1;",
               "x/b.cpp": header % "static constexpr int k = 2;"}
    if find_duplicates(statics):
        sys.exit("one-definition: internal names of two sources are compared")
    print("one-definition: self-test passes")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z"], check=True,
                             capture_output=True, text=True).stdout
    files = {path: (root / path).read_text(encoding="utf-8")
             for path in sorted(filter(None, listing.split("\0")))
             if path.endswith(HEADERS + SOURCES) and (root / path).is_file()}
    errors = find_duplicates(files)
    count = sum(1 for text in files.values() for _ in definitions(text))
    if count < 100:
        errors.append(f"only {count} definitions were read")
    for error in errors:
        print(f"one-definition: {error}", file=sys.stderr)
    if not errors:
        print(f"one-definition: {count} definitions in {len(files)} files pass")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())

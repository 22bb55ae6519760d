# SPDX-License-Identifier: BSD-2-Clause
"""Names that are private to C files: those that several files use for different things get the file's name behind them,
so that the files can be one.

Knows as much of C as that takes. What it gets wrong does not compile: //packaging/test:amalgamation_test.
"""

import os
import re

TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|[A-Za-z_]\w*|->|\d[\w.]*|\s+|.', flags=re.S
)
WORD = re.compile(r"[A-Za-z_]\w*")
# Their arguments are members of structures.
MEMBERS_OF = re.compile(r"offsetof|\w*CONTAINER_OF|container_of")
AGGREGATES = ("struct", "union")


def is_space(token):
    return token.isspace() or token.startswith(("/*", "//"))


def words_before(tokens, ends):
    """The words directly before one of these tokens."""
    return [word for word, after in zip(tokens, tokens[1:]) if WORD.fullmatch(word) and after in ends]


def declared(tokens):
    """What one declaration outside of functions introduces; of its braces only those of an enum are left. A tag, which
    may be the name of something else too, has its keyword in front."""
    found = [f"{kind} {tag}" for kind, tag, brace in zip(tokens, tokens[1:], tokens[2:])
             if kind in (*AGGREGATES, "enum") and WORD.fullmatch(tag) and brace == "{"]
    if tokens[0] == "enum":
        inside = tokens[tokens.index("{") + 1 : -1] if "{" in tokens else []
        found += [word for before, word in zip([",", *inside], inside) if before == "," and WORD.fullmatch(word)]
    outside = [token for token in tokens if token not in ("{", "}")]
    if tokens[0] == "static" and "(" in outside and not set(outside[: outside.index("(")]) & {"=", "["}:
        calls = [word for word in words_before(outside, "(") if not word.startswith("__") and not word.isupper()]
        return found + calls[:1]
    if tokens[0] in ("static", "typedef"):
        return found + words_before(outside, ("=", "[", ";", ","))[:1]
    return found


def private_names(text):
    """The names that the file defines and does not export."""
    names = set(re.findall(r"^#define (?!_GNU_SOURCE)(\w+)", text, flags=re.M))
    text = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
    declaration, depth = [], 0
    for token in TOKEN.findall(text):
        if is_space(token):
            continue
        depth -= token == "}"
        if depth == 0 or (declaration and declaration[0] == "enum" and "(" not in declaration):
            declaration.append(token)
        depth += token == "{"
        # A function ends with a brace; so does a structure, before its semicolon.
        function = token == "}" and "(" in declaration and "=" not in declaration
        if depth == 0 and declaration and (token == ";" or function):
            names.update(declared(declaration))
            declaration = []
    return names


def renamed(text, names):
    """The text with each of these names, or keyword and tag, changed, but where it is a member's."""
    tokens = TOKEN.findall(text)
    solid = [i for i, token in enumerate(tokens) if not is_space(token)]
    braces, calls = [], []
    for at, i in enumerate(solid):
        token = tokens[i]
        before = tokens[solid[at - 1]] if at > 0 else ""
        after = tokens[solid[at + 1]] if at + 1 < len(solid) else ""
        if token == "{":
            braces.append(before in AGGREGATES or (at > 1 and tokens[solid[at - 2]] in AGGREGATES))
        elif token == "}":
            braces.pop()
        elif token == "(":
            calls.append(MEMBERS_OF.fullmatch(before) is not None)
        elif token == ")":
            calls.pop()
        elif before in (*AGGREGATES, "enum"):
            tokens[i] = names.get(f"{before} {token}", token)
        elif token in names:
            member = braces and braces[-1] and (after in (";", ",", ":", "[") or (before == "*" and after == ")"))
            if before not in (".", "->") and not member and not (calls and calls[-1] and before == ","):
                tokens[i] = names[token]
    return "".join(tokens)


def make_unique(files):
    """These C files, {path: text}, with no private name in two of them."""
    owners = {}
    for path in sorted(files):
        for name in private_names(files[path]):
            owners.setdefault(name, []).append(path)
    result = {}
    for path, text in files.items():
        stem = os.path.splitext(path)[0].split("/", 1)[1].replace("/", "_")
        shared = [name for name in owners if len(owners[name]) > 1 and path in owners[name]]
        result[path] = renamed(text, {name: f"{name.split()[-1]}_{stem}" for name in shared})
    return result

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: abi_stub.py HEADER... >stub.c

Writes a library that has the interface of the public headers and nothing else: each function with its declared type
and no code, each variable, and a pointer to each type. Its debug information is the public ABI, without what compilers
and private headers would add.
"""

import re
import sys

from header import parse, without_comments


def definition(declaration):
    """What makes the compiler describe a declaration in its debug information; None for what has no ABI."""
    code = without_comments(declaration.text).strip()
    name = declaration.names[0] if declaration.names else None
    if declaration.kind == "function":
        return code.rstrip(";") + " { __builtin_trap(); }"
    if declaration.kind == "variable":
        return code.replace("extern ", "", 1)
    if declaration.kind == "type" and name is not None:
        tag = re.match(r"(struct|union|enum) \w+", code)
        if tag and "{" in code:
            return f"{tag[0]} *abi_of_{name};"
        if code.startswith("typedef"):
            return f"{name} *abi_of_{name};"
    return None


headers = [parse(path) for path in sys.argv[1:]]
for header in headers:
    print(f'#include "{header.path}"')
for header in headers:
    print(*filter(None, map(definition, header.declarations())), sep="\n")

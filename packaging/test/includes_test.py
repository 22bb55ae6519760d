#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: includes_test.py WORKSPACE

C++ headers of bench that name integers of fixed size include <cstdint>: newer standard libraries bring it with fewer of their
other headers, and README's first command compiles these on machines whose compiler no test has.
"""

import glob
import os
import re
import sys

USE = re.compile(r"\bu?int(?:8|16|32|64|ptr)_t\b")
INCLUDE = re.compile(r"^#include <(?:cstdint|stdint\.h)>$", flags=re.M)


def lacks(text):
    return bool(USE.search(text)) and not INCLUDE.search(text)


top = os.path.dirname(os.path.realpath(sys.argv[1]))
headers = glob.glob(f"{top}/bench/**/*.h", recursive=True)
found = []
for path in headers:
    with open(path, encoding="utf-8") as file:
        if lacks(file.read()):
            found.append(f"{os.path.relpath(path, top)}: no #include <cstdint>")
print(*sorted(found), sep="\n")
assert len(headers) > 40, f"only {len(headers)} headers are found"
assert lacks("uint64_t a;\n// #include <cstdint>\n") and not lacks("#include <cstdint>\nuint64_t a;\n")
sys.exit(bool(found))

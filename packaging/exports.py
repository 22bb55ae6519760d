#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: exports.py NODE HEADER... >version-script

Writes a linker's version script: what the public headers declare is exported under the version node, and nothing
else.
"""

import sys

from header import exported, parse

node, *paths = sys.argv[1:]
names = sorted(name for path in paths for name in exported(parse(path)))
print(node, "{", "    global:", *(f"        {name};" for name in names), "    local:", "        *;", "};", sep="\n")

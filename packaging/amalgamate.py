#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: amalgamate.py LICENSE PUBLIC_HEADER SOURCE... >rangemap.c

Writes the library as one C file: every .c file among the sources, each private header once, where it is first
included. The public header is not inlined: rangemap.c includes "rangemap.h", which lies beside it.

Includes are by path from the root of the repository, as in all of this project.
"""

import re
import sys

INCLUDE = re.compile(r'#include "(.+)"')
# Said once, at the top: a feature test macro has no effect after the first system header.
FEATURE = re.compile(r"#define _GNU_SOURCE\b")
SPDX = "// SPDX-License-Identifier:"

PREAMBLE = """\
// SPDX-License-Identifier: BSD-2-Clause
/*
 * rangemap {version} in one file, generated from its sources by //:amalgamation. Do not edit.
 *
 *   cc -O2 rangemap.c app.c -lck
 *
 * It is C; rangemap.h serves C++ too.
 *
{license}
 */
#if defined(__cplusplus)
#error "rangemap.c is C11: compile it as C and link it with the C++ program, which includes rangemap.h"
#endif

#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif

#include "rangemap.h"
"""


class Amalgamation:
    def __init__(self, sources, public):
        self.sources = {path: open(path, encoding="utf-8").read() for path in sources}
        self.done = {public}
        self.lines = []

    def add(self, path):
        """Appends a file, and before it what it includes first."""
        self.done.add(path)
        self.lines += ["", f"/* ==== {path} ==== */"]
        depth = 0
        guarded = path.endswith(".h")
        for number, line in enumerate(self.sources[path].splitlines(), 1):
            depth += line.startswith("#if")
            depth -= line.startswith("#endif")
            include = INCLUDE.match(line)
            if include:
                if depth > guarded:
                    sys.exit(f"{path}:{number}: an include under a condition cannot be inlined once for all")
                self.include(include[1], f"{path}:{number}")
            elif not FEATURE.match(line) and not line.startswith(SPDX):
                self.lines.append(line)

    def include(self, path, place):
        if path not in self.done:
            if path not in self.sources:
                sys.exit(f"{place}: {path} is not among the sources")
            self.add(path)
            self.lines.append("")


def version_of(text):
    return ".".join(
        re.search(rf"#define RANGEMAP_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH")
    )


def main(license_path, public, *sources):
    amalgamation = Amalgamation(sources, public)
    for path in sorted(sources):
        if path.endswith(".c"):
            amalgamation.add(path)
    # Blank lines that the removed ones leave behind.
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(amalgamation.lines))
    license_text = open(license_path, encoding="utf-8").read().strip()
    sys.stdout.write(
        PREAMBLE.format(
            version=version_of(open(public, encoding="utf-8").read()),
            license="\n".join((" * " + line).rstrip() for line in license_text.splitlines()),
        )
    )
    print(body)


main(*sys.argv[1:])

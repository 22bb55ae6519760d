#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: extract_examples.py FOLDER DOCUMENT...

Writes each C example of the documents as a program into the folder. The line before an example's fence says what it is:

    <!-- program -->        complete
    <!-- fragment -->       the inside of main(); a, b, c, code and data are values
    <!-- fragment: map -->  and `map` is an empty map, which is destroyed behind it

Compilers and assertions name the place in the document.
"""

import os
import re
import sys

HEAD = """\
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rangemap/rangemap.h"

__attribute__((unused)) static char a[] = "a", b[] = "b", c[] = "c", code[] = "code", data[] = "data";
"""

FRAMES = {
    "fragment": "int main(void)\n{\n%s\n    return 0;\n}\n",
    "fragment: map": """\
int main(void)
{
    struct rangemap *map;

    if (rangemap_create(NULL, &map) != 0) {
        return 1;
    }
    {
%s
    }
    return rangemap_validate(map, NULL, 0) != 0 || rangemap_destroy(map) != 0;
}
""",
}


def examples(path):
    """(line of the first statement, kind, lines) of each; anything that looks like C and has no kind is an error."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    at = 0
    while at < len(lines):
        if not lines[at].startswith("```"):
            at += 1
            continue
        end = lines.index("```", at + 1) if "```" in lines[at + 1 :] else None
        if end is None:
            sys.exit(f"{path}:{at + 1}: no end of what begins here")
        if lines[at] == "```c":
            mark = re.fullmatch(r"<!-- (.*) -->", lines[at - 1]) if at > 0 else None
            if mark is None or mark[1] not in ("program", *FRAMES):
                sys.exit(f"{path}:{at + 1}: the line before a C example must be one of "
                         + ", ".join(f"<!-- {kind} -->" for kind in ("program", *FRAMES)))
            yield at + 2, mark[1], lines[at + 1 : end]
        elif re.match(r"```\s*(c\b|C|$)", lines[at]):
            sys.exit(f"{path}:{at + 1}: write ```c for C, and indent by four columns what is not C")
        at = end + 1


def program(path, line, kind, lines):
    if kind == "program":
        return f'#line {line} "{path}"\n' + "\n".join(lines) + "\n"
    includes = [text for text in lines if text.startswith("#include")]
    body = ["" if text in includes else text for text in lines]
    return "\n".join(includes) + "\n" + HEAD + FRAMES[kind] % (f'#line {line} "{path}"\n' + "\n".join(body))


folder, *documents = sys.argv[1:]
for document in documents:
    found = 0
    for line, kind, lines in examples(document):
        name = f"{os.path.basename(document).split('.')[0]}_{line}.c"
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(program(document, line, kind, lines))
        found += 1
    if found == 0:
        sys.exit(f"{document}: no examples")

# SPDX-License-Identifier: BSD-2-Clause
"""layers.py sees what it is for: a made-up library of two folders is in order, and each fault in turn is seen."""

import os
import re
import subprocess
import sys
import tempfile

LAYERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.py")

ROW = 'ROW = [("low", "what is below"), ("high", "what is above")]\nRINGS = {}\n'
GOOD = {
    "layers.bzl": ROW,
    "lib/low/a.h": "int a(void);\n",
    "lib/low/a.c": '#include "lib/low/a.h"\nint a(void) { return 1; }\n',
    "lib/low/b.h": "int b(void);\n",
    "lib/low/b.c": '#include "lib/low/a.h"\n#include "lib/low/b.h"\nint b(void) { return a(); }\n',
    "lib/high/c.h": "int c(void);\n",
    "lib/high/c.c": '#include "lib/high/c.h"\n#include "lib/low/b.h"\nint c(void);\nint public_c(void);\n'
    "int c(void) { return b(); }\nint public_c(void) { return c(); }\n",
    "lib/apart/BUILD": "",
    "lib/apart/d.c": '#include "lib/high/c.h"\nint d(void) { return 0; }\n',
    "row.md": "<!-- layers of lib -->\n\n    high        what is above\n    low         what is below\n\n<!-- -->\n",
}
FAULTS = {
    "an include goes up": ({"lib/low/a.h": '#include "lib/high/c.h"\nint a(void);\n'}, "lib/low/a.h looks up: include"),
    "a symbol goes up": (
        {"lib/low/a.c": "int c(void);\nint a(void);\nint a(void) { return c(); }\n"},
        "lib/low/a looks up: symbol c of lib/high/c",
    ),
    "includes in a ring": ({"lib/low/a.h": '#include "lib/low/b.h"\nint a(void);\n'}, "a ring of files: low/a low/b"),
    "symbols in a ring": (
        {"lib/low/a.c": "int b(void);\nint a(void);\nint a(void) { return b(); }\n"},
        "a ring of files: low/a low/b",
    ),
    "a known ring that is none": ({"layers.bzl": ROW.replace("{}", '{"low/a low/b": ""}')}, "no ring any more"),
    "a folder outside of the row": ({"lib/new/e.c": "int e(void) { return 0; }\n"}, "lib/new is not in the row"),
    "a public function elsewhere": (
        {"lib/low/a.c": "int public_a(void);\nint public_a(void) { return 1; }\nint a(void) { return 1; }\n"},
        "the public public_a is not in high/",
    ),
    "a row that is drawn otherwise": ({"row.md": "high over low\n"}, "row.md needs these lines"),
    "a folder that was not built": (
        {"layers.bzl": ROW.replace("]", ', ("more", "")]'), "lib/more/e.c": "int e(void) { return 0; }\n"},
        "no archive of more",
    ),
}


def run(folder, files):
    """Writes the library, builds it, looks at it."""
    for path, text in files.items():
        os.makedirs(os.path.join(folder, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
            file.write(text)
    built = {name: [path for path in sorted(files) if re.match(rf"lib/{name}/.*[.]c$", path)] for name in ("low", "high")}
    subprocess.run(["cc", "-w", "-I.", "-c", *sum(built.values(), [])], cwd=folder, check=True)
    archives = []
    for name, paths in built.items():
        archives.append(f"lib_{name}.a")
        objects = [os.path.basename(path)[:-2] + ".o" for path in paths]
        subprocess.run(["ar", "rcs", archives[-1], *objects], cwd=folder, check=True)
    options = ["--public", "public_", "high", "--drawn", "row.md"]
    command = [sys.executable, LAYERS, "layers.bzl", "lib", *options, *archives]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def main():
    failures = 0
    for what, (change, message) in {"nothing is wrong": ({}, "0 errors"), **FAULTS}.items():
        with tempfile.TemporaryDirectory() as folder:
            done = run(folder, {**GOOD, **change})
        if message not in done.stdout or done.returncode != bool(change):
            failures += 1
            print(f"FAILED: {what}: {message!r} is not in\n{done.stdout}{done.stderr}")
    print(f"{len(FAULTS) + 1} libraries, {failures} failures")
    return 1 if failures else 0


sys.exit(main())

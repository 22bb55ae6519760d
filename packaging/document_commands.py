# SPDX-License-Identifier: BSD-2-Clause
"""The commands in documents, and how each is known to work: packaging/document_commands.txt says so, in groups:

    [run]                 here, as written: by .ci/run, in a folder with the files that they speak of
    [ci]                  it is a stage of .ci/run, or a part of one
    [by LABEL]            that test does the same, with folders of its own
    [not: REASON]         nobody runs it

A command that is in no group, a line that is in no document, and a test that there is not are mistakes.
"""

import os
import re
import shutil
import subprocess
import tempfile

LIST = "packaging/document_commands.txt"
PROGRAM = re.compile(
    r"(?:[A-Z_]+=\S+ )*(?:(?:\./|\.ci/|bazel-bin/|packaging/|bench/|tools/|test/)\S+|bazel|g?cc|[gc]\+\+|clang(?:\+\+)?|\S+-gcc|cmake|ctest|meson|ninja|"
    r"make|pkg-config|python3|node|bpftrace|perf|gdb|afl-fuzz|herd7|cp|tar|git|dpkg\S*|apt(?:-get)?|sudo|rpm\w*|conan|vcpkg|xz|npm|npx|curl)(?= |$)")
TABLE_ROW = re.compile(r"   +[\d.]+( |$)")


def blocks(text):
    """(line number, lines) of what is indented or in a fence of a shell."""
    fence, block, start = None, [], 0
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fence = None if fence is not None else line[3:]
        inside = line.strip() if (fence in ("sh", "bash") or fence is None) and (fence or line.startswith("    ")) else None
        if inside is not None and not line.startswith("```"):
            start = start if block else number
            block.append(inside)
        elif block:
            yield start, block
            block = []
    if block:
        yield start, block


def is_open(command):
    return command.endswith("\\") or command.count("'") % 2 == 1


def commands(text):
    """(line number, command) without the comment behind it; of several lines one, if they go together."""
    for start, block in blocks(text):
        whole, began = "", 0
        for offset, line in enumerate(block):
            if not whole and (not PROGRAM.match(line) or TABLE_ROW.search(line)):
                continue
            began = began if whole else start + offset
            line = re.sub(r"\s+# .*$", "", line)
            whole = (whole.removesuffix("\\").rstrip() + " " + line).strip()
            if not is_open(whole):
                yield began, whole
                whole = ""


def known():
    """{command: (group, line number)}"""
    found, group = {}, None
    with open(LIST, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if line.startswith("[") and line.endswith("]"):
                group = line[1:-1]
            elif line and not line.startswith("#"):
                found[line] = (group, number)
    return found


def mistakes(documents):
    """Lines that say what is not in its place; and labels to look for, with where they are named."""
    places, said, labels = known(), set(), {}
    found = []
    for path, text in documents.items():
        for number, command in commands(text):
            said.add(command)
            if command not in places:
                found.append(f"{path}:{number}: nobody says whether it works ({LIST}): {command}")
    for command, (group, number) in places.items():
        if command not in said and "WRONG.md" not in documents:
            found.append(f"{LIST}:{number}: no document has it: {command}")
        if not re.fullmatch(r"run|ci|by //\S+|not: .+", group or ""):
            found.append(f"{LIST}:{number}: no kind of group: {group}")
        elif group.startswith("by "):
            labels.setdefault(group[3:], f"{LIST}:{number}")
    return found, labels


def prepare(folder):
    """What the commands of [run] speak of: the library in one file, and a program."""
    for library in ("rangemap", "pagemap"):
        for suffix in ("c", "h"):
            shutil.copy(f"bazel-bin/packaging/amalgamation/{library}.{suffix}", folder)
    with open(os.path.join(folder, "app.c"), "w", encoding="utf-8") as file:
        file.write('#include "rangemap.h"\nint main(void)\n{\n    struct rangemap *map;\n\n'
                   "    return rangemap_create(NULL, &map) != 0 || rangemap_destroy(map) != 0;\n}\n")


def run():
    """Runs those of [run]; those of bazelw first, here, since the others need what they build. Lines that say what failed."""
    wanted = sorted((command for command, (group, _) in known().items() if group == "run"), key=lambda c: not c.startswith("./bazelw"))
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        for command in wanted:
            here = command.startswith("./bazelw")
            if not here and not os.path.exists(os.path.join(folder, "app.c")):
                prepare(folder)
            done = subprocess.run(["bash", "-c", command], cwd=None if here else folder, check=False, capture_output=True, text=True)
            print(f"documents: {'runs' if done.returncode == 0 else 'FAILS'}: {command}", flush=True)
            if done.returncode != 0:
                failed.append(f"{LIST}: status {done.returncode}: {command}\n{(done.stdout + done.stderr)[-2000:]}")
    return failed

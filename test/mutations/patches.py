#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The library with faults that a test can switch on: the sources of rangemap/, with the patches in this folder applied to a copy.

Run in the root of the tree:

    patches.py refresh          writes all patches anew after the sources have changed
    patches.py copy FOLDER      the sources as the patches make them, to be edited
    patches.py record FOLDER    writes the patches anew from such a copy

and by the build:

    patches.py make FOLDER SOURCE-OR-PATCH...

A hunk applies where its lines stand, all of them and in one place only, at whatever line number. Else there is no build.
"""
import difflib
import os
import re
import sys

_FOLDER = "test/mutations"
_LIBRARY = "rangemap"
# Lines around a change: enough to tell places apart. What refresh may ignore of them, at either end.
_CONTEXT, _IGNORED = 2, 2
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class Failure(Exception):
    """What the user is told."""


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read().splitlines(keepends=True)


def write(name, lines):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    with open(name, "w", encoding="utf-8") as file:
        file.writelines(lines)


def hunks(patch):
    """Each as (line number, lines with the mark of a unified diff in front)."""
    found = []
    for line in patch:
        start = _HUNK.match(line)
        if start:
            found.append((int(start.group(1)), []))
        elif found and line[0] in " +-":
            found[-1][1].append(line)
    return found


def parts(lines, ignored):
    """A hunk, then with less and less of its context: up to `ignored` lines less at either end, but never none at all."""
    first = next(i for i, line in enumerate(lines) if line[0] != " ")
    behind = next(i for i in range(len(lines), 0, -1) if lines[i - 1][0] != " ")
    less = [(before, after) for before in range(min(ignored, first) + 1) for after in range(min(ignored, len(lines) - behind) + 1)]
    for before, after in sorted(less, key=sum):
        if first - before + len(lines) - behind - after > 0:
            yield lines[before : len(lines) - after]


def places(source, old):
    return [i for i in range(len(source) - len(old) + 1) if old and source[i : i + len(old)] == old]


def applied(source, name, patch, ignored=0):
    """The source, changed. Each hunk must have one place, behind that of the hunk before."""
    result, copied = [], 0
    for number, lines in hunks(patch):
        for part in parts(lines, ignored):
            old = [line[1:] for line in part if line[0] != "+"]
            found = places(source, old)
            if len(found) == 1:
                break
        if len(found) != 1 or found[0] < copied:
            raise Failure(
                f"{name}: the hunk of line {number} in {patch_of(name)} has {len(found)} places in the source. "
                f"See {_FOLDER}/README.md.\n" + "".join(lines)
            )
        if part != lines:
            print(f"{name}: look at the hunk of line {number}: what stands around it has changed")
        result += source[copied : found[0]] + [line[1:] for line in part if line[0] != "-"]
        copied = found[0] + len(old)
    return result + source[copied:]


def difference(name, before, after):
    return list(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=_CONTEXT))


def source_of(patch):
    """The source that a patch is for."""
    return os.path.join(_LIBRARY, os.path.relpath(patch, _FOLDER)[: -len(".patch")])


def patch_of(source):
    return os.path.join(_FOLDER, os.path.relpath(source, _LIBRARY)) + ".patch"


def files(folder, ending):
    for path, _, names in sorted(os.walk(folder)):
        yield from (os.path.join(path, name) for name in sorted(names) if name.endswith(ending))


def check(name, before, after):
    """A patch that its own source would refuse is not written."""
    patch = difference(name, before, after)
    if applied(before, name, patch) != after:
        raise Failure(f"{name}: its patch does not lead back")
    return patch


def make(folder, names, ignored=0):
    patches = {source_of(name): name for name in names if name.endswith(".patch")}
    for name in (each for each in names if not each.endswith(".patch")):
        lines = read(name)
        if name in patches:
            lines = applied(lines, name, read(patches.pop(name)), ignored)
        write(os.path.join(folder, name), lines)
    for name in patches:
        raise Failure(f"{name}: there is no such source any more")


def copy(folder):
    make(folder, [*files(_LIBRARY, (".c", ".h")), *files(_FOLDER, ".patch")], _IGNORED)


def record(folder):
    for name in files(_LIBRARY, (".c", ".h")):
        before, after = read(name), read(os.path.join(folder, name))
        if before != after:
            write(patch_of(name), check(name, before, after))
        elif os.path.exists(patch_of(name)):
            os.remove(patch_of(name))


def refresh():
    for patch in files(_FOLDER, ".patch"):
        name = source_of(patch)
        before = read(name)
        write(patch, check(name, before, applied(before, name, read(patch), _IGNORED)))


def main(arguments):
    try:
        if arguments[:1] == ["make"] and len(arguments) > 2:
            make(arguments[1], arguments[2:])
        elif arguments == ["refresh"]:
            refresh()
        elif arguments[:1] == ["copy"] and len(arguments) == 2:
            copy(arguments[1])
        elif arguments[:1] == ["record"] and len(arguments) == 2:
            record(arguments[1])
        else:
            raise Failure(__doc__)
    except Failure as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: draw.py README.md FOLDER [--check]

Draws the pictures of the documents as SVG files into FOLDER: architecture.svg from the row in rangemap/layers.bzl, update.svg from the texts below, those
of design.md from protocol.py, lookups.svg from README's own table. They are readable in light and dark mode, and need
no font or script. With --check nothing is written; a picture that would change is an error.
"""

import ast
import math
import os
import re
import sys

from picture import Picture
from protocol import bag, insert, node_map, wide_store

# ---- architecture: a layer a line, from the top; (name, what it holds) side by side ----

ABOVE = [
    [("your program", "threads, signal handlers")],
    [("rangemap.h", "C"), ("rangemap.hpp", "C++17"), ("pagemap", "memremap API")],
]
BESIDE_THE_LOWEST = ("Concurrency Kit", "epochs, atomics")


def architecture():
    with open("rangemap/layers.bzl", encoding="utf-8") as file:
        row = next(ast.literal_eval(node.value) for node in ast.parse(file.read()).body if isinstance(node, ast.Assign))
    layers = ABOVE + [[layer] for layer in reversed(row)]
    layers[-1].append(BESIDE_THE_LOWEST)
    picture = Picture(720, 52 * len(layers) + 30, "The layers of rangemap: each looks only at those below it")
    for row, layer in enumerate(layers):
        width = (700 - 10 * (len(layer) - 1)) / len(layer)
        for column, (name, holds) in enumerate(layer):
            picture.box(10 + column * (width + 10), 10 + 52 * row, width, 44, [name, holds])
    picture.text(360, 52 * len(layers) + 24, "Each layer looks only at those below it.", "small")
    return picture


# ---- an update: what was there stays whole for its readers ----

def tree(picture, left, caption, leaves, root_style, cut):
    """A root over leaves, (text, style) each, the replaced one below its successor."""
    picture.text(left + 165, 24, caption, "title")
    picture.box(left + 105, 84, 120, 36, ["root"], root_style)
    picture.path([(left + 165, 52), (left + 165, 84)], "cut" if cut else "line")
    picture.text(left + 165, 46, "anchor: one word", "small")
    for number, (words, style) in enumerate(leaves):
        x = left + number * 112
        picture.box(x, 168, 106, 58, words, style)
        picture.path([(left + 165, 120), (x + 53, 168)], "cut" if style == "new" and cut else "line")


def update():
    picture = Picture(720, 300, "store(150, 250): the leaf is copied, one compare-and-swap makes the copy visible, the old is retired")
    leaf = ["100..199: a", "300..399: c"]
    tree(picture, 10, "before", [(["0..99: d"], "box"), (leaf, "box"), (["500..599: e"], "box")], "box", False)
    copy = ["100..149: a", "150..250: b", "300..399: c"]
    tree(picture, 375, "after store(150, 250, b)", [(["0..99: d"], "box"), (copy, "new"), (["500..599: e"], "box")], "box", False)
    picture.path([(540, 120), (540, 168)], "cut")
    picture.text(606, 106, "compare-and-swap", "small", "start")
    picture.box(487, 244, 106, 44, leaf, "old")
    picture.text(478, 262, "retired: readers in it", "small", "end")
    picture.text(478, 277, "finish; then it is reused", "small", "end")
    picture.text(10, 262, "Readers take no lock and write nothing that", "small", "start")
    picture.text(10, 277, "others read: they see old or new, never half.", "small", "start")
    return picture


# ---- lookups, from README's table ----

CURVES = [("rangemap, batches of 16", 4, "b"), ("rangemap", 3, "a"), ("absl::btree_map, rwlock", 6, "c"), ("std::map, rwlock", 5, "d")]


def rows(readme):
    """(ranges, {column: millions a second}) of the synthetic sets."""
    with open(readme, encoding="utf-8") as file:
        for line in re.findall(r"^\| synthetic \|.*", file.read(), flags=re.M):
            cells = [cell.strip() for cell in line.split("|")]
            yield int(cells[2].replace(",", "")), {n: float(cells[n].split()[0]) for n in (3, 4, 5, 6)}


def lookups(readme):
    data = list(rows(readme))
    if len(data) < 4:
        sys.exit(f"{readme}: no table of lookups")
    picture = Picture(720, 330, "Millions of lookups a second by number of ranges, one thread")
    left, right, top, bottom = 60, 530, 40, 280

    def place(ranges, millions):
        span = math.log2(data[-1][0] / data[0][0])
        return left + (right - left) * math.log2(ranges / data[0][0]) / span, bottom - (bottom - top) * math.log10(millions / 0.5) / math.log10(400)

    picture.text(left - 40, 22, "Millions of lookups a second, one thread (logarithmic)", "title", "start")
    for millions in (1, 10, 100):
        _, y = place(data[0][0], millions)
        picture.path([(left, y), (right, y)], "grid")
        picture.text(left - 8, y + 4, str(millions), "small", "end")
    for ranges, _ in data:
        picture.text(place(ranges, 1)[0], bottom + 18, f"{ranges:,}", "small")
    picture.text((left + right) / 2, bottom + 38, "ranges", "small")
    used = []
    for name, column, style in CURVES:
        points = [place(ranges, values[column]) for ranges, values in data]
        picture.path(points, f"curve {style}")
        for x, y in points:
            picture.body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{style}"/>')
        y = max([points[-1][1] + 4] + [other + 16 for other in used])
        used.append(y)
        picture.text(right + 12, y, name, style, "start")
    return picture


def main(readme, folder, check=None):
    changed = []
    pictures = {
        "architecture": architecture(),
        "update": update(),
        "map": node_map(),
        "insert": insert(),
        "wide_store": wide_store(),
        "bag": bag(),
        "lookups": lookups(readme),
    }
    for name, picture in pictures.items():
        path = os.path.join(folder, f"{name}.svg")
        old = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if old != picture.svg():
            changed.append(path)
            if not check:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(picture.svg())
    if check and changed:
        sys.exit(f"draw them again (docs/pictures/draw.py README.md docs/pictures): {', '.join(changed)}")


main(*sys.argv[1:])

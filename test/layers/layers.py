#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: layers.py LAYERS.bzl LIBRARY [--public PREFIX FOLDER] [--drawn FILE] ARCHIVE...

Whether the folders of a library are a row. Its sources lie in the folder LIBRARY; LAYERS.bzl has its folders, from the
lowest, and then the rings that are known; ARCHIVE... are what was built of them, lib.._FOLDER.a. Errors:

  - a folder with sources that is not in the row
  - an include of a header of a later folder
  - a symbol that a later folder defines
  - files of one folder that need each other in a ring, by includes or symbols (x.h and x.c count as one file), unless it is
    known; or a known one that is no ring any more
  - with --public: a function whose name begins with PREFIX that is defined outside of FOLDER
  - with --drawn: the document FILE does not have the row, between the lines <!-- layers of LIBRARY --> and <!-- -->
"""

import ast
import collections
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
SYMBOL = re.compile(r"^\s*\d+: [0-9a-f]+ +\w+ +(\w+) +(\w+) +\w+ +(\S+) +(\S+)$")


def read_row(path):
    """The row, [(folder, what it holds)], and the rings, {files: why}."""
    with open(path, encoding="utf-8") as file:
        values = [node.value for node in ast.parse(file.read()).body if isinstance(node, ast.Assign)]
    row, known = map(ast.literal_eval, values)
    return row, known


def stem(path):
    """base/list for base/list.c and base/list.h: what is one file here."""
    return os.path.splitext(path)[0]


def sources(library):
    """C files and headers below the folder, by their path in it, less the public headers and libraries of their own."""
    found = {}
    for folder, inner, files in os.walk(library, followlinks=True):
        if "BUILD" in files and folder != library:
            inner.clear()
            continue
        for name in files:
            path = os.path.join(folder, name)
            if folder != library and name.endswith((".c", ".h")):
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, library)] = file.read()
    return found


def includes(library, files):
    """(file, header) of the library, public headers left out."""
    for path, text in sorted(files.items()):
        for header in INCLUDE.findall(text):
            if header.startswith(library + "/") and header.count("/") > 1:
                yield path, header[len(library) + 1 :]


def symbols(archives):
    """(object, name, whether it is defined there) of all that are global in {archive: folder}."""
    if not archives:
        return
    text = subprocess.run(["readelf", "-sW", *archives], check=True, capture_output=True, text=True).stdout
    place = None
    for line in text.splitlines():
        member = re.match(r"File: (.*)\((.+)\)$", line)
        if member:
            place = f"{archives[member[1]]}/{re.sub(r'([.]pic)?[.]o$', '', member[2])}"
        found = SYMBOL.match(line)
        if found and found[2] != "LOCAL":
            yield place, found[4], found[3] != "UND"


def calls(objects):
    """(object, the object that defines a symbol it lacks, the symbol)."""
    owner = {name: place for place, name, is_defined in objects if is_defined}
    for place, name, is_defined in objects:
        if not is_defined and name in owner:
            yield place, owner[name], name


def rings(edges):
    """The sets of files that reach each other (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            ring = [stack.pop()]
            while ring[-1] != node:
                ring.append(stack.pop())
            if len(ring) > 1:
                found.append(sorted(ring))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


class Layers:
    def __init__(self, row, known, library):
        self.rank = {folder: number for number, (folder, _) in enumerate(row)}
        self.known = known
        self.library = library
        self.errors = []
        self.edges = collections.defaultdict(set)

    def edge(self, user, used, what):
        """Notes that one file needs another."""
        folders = [path.split("/")[0] for path in (user, used)]
        ranks = [self.rank.get(folder) for folder in folders]
        if None in ranks:
            return  # said by unknown_folders()
        if ranks[0] < ranks[1]:
            self.errors.append(f"{self.library}/{user} looks up: {what} of {self.library}/{used}")
        elif ranks[0] == ranks[1] and stem(user) != stem(used):
            self.edges[stem(user)].add(stem(used))
            self.edges[stem(used)]  # is there, for rings()

    def unknown_folders(self, files):
        for folder in sorted({path.split("/")[0] for path in files} - set(self.rank)):
            self.errors.append(f"{self.library}/{folder} is not in the row of layers")

    def check(self, archives):
        files = sources(self.library)
        if not files:
            self.errors.append(f"no sources in {self.library}")
        self.unknown_folders(files)
        for user, header in includes(self.library, files):
            self.edge(user, header, "include")
        objects = list(symbols(archives))
        for user, used, name in calls(objects):
            self.edge(user, used, f"symbol {name}")
        self.check_rings({" ".join(ring) for ring in rings(self.edges)})
        return files, objects

    def check_rings(self, found):
        for ring in sorted(found - set(self.known)):
            self.errors.append(f"{self.library}: a ring of files: {ring}")
        for ring in sorted(set(self.known) - found):
            self.errors.append(f"{self.library}: no ring any more, strike it off the list: {ring}")

    def check_public(self, objects, prefix, home):
        for place, name, is_defined in sorted(set(objects)):
            if is_defined and name.startswith(prefix) and place.split("/")[0] != home:
                self.errors.append(f"{self.library}/{place}: the public {name} is not in {home}/")


def drawn(row, library):
    """The row as the documents have it, from the top."""
    lines = [f"    {folder:<11} {holds}" for folder, holds in reversed(row)]
    return "\n".join([f"<!-- layers of {library} -->", "", *lines, "", "<!-- -->"])


def by_folder(archives, row):
    """{archive: folder}: an archive's name ends in its folder's, after an underline. The longest folder's that does."""
    found = {}
    for folder, _ in sorted(row, key=lambda layer: -len(layer[0])):
        for archive in archives:
            if archive.endswith(f"_{folder}.a"):
                found.setdefault(archive, folder)
    return found


def main(bzl, library, *rest):
    rest, options = list(rest), {}
    while rest and rest[0] in ("--public", "--drawn"):
        option = rest.pop(0)
        options[option] = [rest.pop(0) for _ in range(2 if option == "--public" else 1)]
    row, known = read_row(bzl)
    layers = Layers(row, known, library)
    archives = by_folder([path for path in rest if path.endswith(".a") and not path.endswith(".pic.a")], row)
    files, objects = layers.check(archives)
    without = {path.split("/")[0] for path in files if path.endswith(".c")} - set(archives.values())
    if without:
        layers.errors.append(f"{library}: no archive of {' '.join(sorted(without))}")
    if "--public" in options:
        layers.check_public(objects, *options["--public"])
    if "--drawn" in options:
        with open(options["--drawn"][0], encoding="utf-8") as file:
            if drawn(row, library) not in file.read():
                layers.errors.append(f"{options['--drawn'][0]} needs these lines:\n{drawn(row, library)}")
    for error in layers.errors:
        print(error)
    print(f"{library}: {len(row)} layers, {len(files)} files, {len(objects)} symbols, {len(layers.errors)} errors")
    return 1 if layers.errors else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

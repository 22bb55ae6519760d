#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How many single faults in the libraries the tests notice: bazelw run //test/mutants -- --seed=N --count=N

Draws faults by seed, builds the tests with each of them, and runs those that can notice it, the fastest first, until one
fails. Prints the score of each folder, and what no test noticed. Exit status 0 if every fault was noticed, or as many as
--least says, but for those in equivalents.txt.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import queue
import resource
import sys
import tempfile
import threading
import time

import build
import faults
import runner

_HERE = os.path.dirname(os.path.realpath(__file__))
_LIBRARIES = ("rangemap", "pagemap")
# Not the library's behaviour: hooks of test builds, and what other tools look at.
_APART = tuple(f"rangemap/base/{name}.h" for name in ("explorer", "probe", "sanitizer"))
# Stand-ins for the kernel's headers and services, tested by what drivers do with them. Drawn from only by --folder.
_BY_NAME = "pagemap/compat"
# How long a test may take, and what one is thought to take that times.txt lacks. Beside other work it may take longer.
_LEAST_LIMIT_S, _LIMIT_FACTOR, _LOAD_FACTOR, _UNKNOWN_S = 8, 8, 5, 1


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20, help="how many faults that change the code to draw")
    parser.add_argument("--folder", action="append", default=[], help="draw from here only: rangemap/epoch")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--longest", type=float, default=1e9, help="leave out tests that take longer, in seconds")
    parser.add_argument("--least", type=float, default=100, help="per cent that must be caught")
    parser.add_argument("--test", action="append", default=[], help="run this test only: //test:share_test")
    parser.add_argument("--key", action="append", default=[], help="take this fault, not a drawn one")
    parser.add_argument("--list", action="store_true", help="only print the faults in the order in which they are drawn")
    parser.add_argument("--results", help="what was found before is taken from this file, and what is found is added to it")
    parser.add_argument("--measure", action="store_true", help="only write times.txt anew")
    return parser.parse_args()


def two_columns(name):
    """The lines of a table beside this file: first column to second."""
    with open(os.path.join(_HERE, name), encoding="utf-8") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]
    return {line[0]: line[1] for line in lines}


def wanted_tests(arguments):
    if arguments.test:
        return arguments.test
    query = "kind(cc_test, tests(//test/...)) except attr(tags, manual, //test/...)"
    compat = any(_BY_NAME in each for each in arguments.folder + arguments.key)
    times = two_columns("times.txt")
    return [
        label
        for label in build.bazel("query", query).split()
        if (compat or not label.startswith("//test/pagemap/kernel"))
        and float(times.get(label, _UNKNOWN_S)) <= arguments.longest
    ]


class Tests:
    """The tests of each library, the fastest first."""

    def __init__(self, graph, labels):
        self.graph = graph
        self.times = {label: float(seconds) for label, seconds in two_columns("times.txt").items()}
        self.labels = sorted(labels, key=lambda label: (self.seconds(label), label))
        self.plain, self.lock = {}, threading.Lock()

    def seconds(self, label):
        return self.times.get(label, _UNKNOWN_S)

    def limit_s(self, label):
        load = os.getloadavg()[0] / os.cpu_count()
        return (_LEAST_LIMIT_S + _LIMIT_FACTOR * self.seconds(label)) * min(max(load, 1), _LOAD_FACTOR)

    def fitting(self, fault):
        of_pagemap = fault.path.startswith("pagemap/")
        return [label for label in self.labels if label.startswith("//test/pagemap") == of_pagemap]

    def without_fault(self, label, tree):
        """How it fails then, None if it passes; and what it skips. Once for each."""
        with self.lock:
            if label not in self.plain:
                self.plain[label] = runner.run(self.graph.link[label][0], tree.folder, self.limit_s(label))
                why = self.plain[label][0]
                if why is not None:
                    print(f"left out: {label} fails without a fault: {why}", flush=True)
                    self.labels.remove(label)
            return self.plain[label]

    def notices(self, label, program, tree):
        """How it fails with the fault, or that it skips what it else does not; None if neither."""
        why, skipped = runner.run(program, tree.folder, self.limit_s(label))
        if why is None and skipped:
            why = next((f"skips {case}" for case in sorted(skipped - self.without_fault(label, tree)[1])), None)
        return why


def first_to_notice(fault, tests, tree):
    """A test, and what it said; None if there is none."""
    for label in tests.fitting(fault):
        program = tree.program(label)
        why = program and tests.notices(label, program, tree)
        if why:
            return label, why
    return None


def try_fault(fault, tests, tree):
    """What became of it: (word, details)."""
    while True:
        tree.apply(fault)
        try:
            if not tree.changes_code():
                return "same", ""
            noticed = first_to_notice(fault, tests, tree)
        except build.Unbuildable as error:
            return "unbuildable", str(error)
        finally:
            tree.restore()
        if noticed is None:
            return "survives", ""
        if tests.without_fault(noticed[0], tree)[0] is None:
            return "caught", f"{noticed[0]}: {noticed[1]}"


class Results:
    """Of each fault what became of it, by key. In a file a run can be cut off and go on, or only some be tried again."""

    def __init__(self, path):
        self.file = open(path, "a+", encoding="utf-8") if path else None  # pylint: disable=consider-using-with
        self.word = {}
        if self.file:
            self.file.seek(0)
            self.word = dict(reversed(line.rstrip("\n").split("\t")[:2]) for line in self.file)

    def add(self, fault, word):
        self.word[fault.key] = word
        if self.file:
            print(word, fault.key, sep="\t", file=self.file, flush=True)


def drawn(arguments, found):
    if arguments.key:
        by_key = {fault.key: fault for fault in found}
        return [by_key[key] for key in arguments.key]
    # By name, so that a change of the sources leaves the others where they were.
    return sorted(found, key=lambda fault: hashlib.sha256(f"{arguments.seed} {fault.key}".encode()).digest())


class Trial:
    """Takes faults in the order in which they were drawn until enough of them have changed the code."""

    def __init__(self, arguments, order, tests, trees):
        self.wanted = len(order) if arguments.key else arguments.count
        self.order, self.tests = order, tests
        self.trees = queue.SimpleQueue()
        for tree in trees:
            self.trees.put(tree)
        self.equivalents = two_columns("equivalents.txt")
        self.known = Results(arguments.results)
        self.results = {}
        self.least = arguments.least

    def judged(self, fault, word, details):
        if fault.key in self.equivalents and word == "survives":
            return "equivalent", self.equivalents[fault.key]
        if fault.key in self.equivalents and word == "caught":
            return word, details + " (but equivalents.txt has it)"
        return word, details

    def one(self, number):
        fault = self.order[number]
        if fault.key in self.known.word:
            return fault, self.judged(fault, self.known.word[fault.key], "")[0]
        tree = self.trees.get()
        try:
            word, details = try_fault(fault, self.tests, tree)
        finally:
            self.trees.put(tree)
        word, details = self.judged(fault, word, details)
        self.known.add(fault, word)
        print(f"{number:4} {word:11} {fault.path}:{fault.line} {fault.key.split(' ', 1)[1]}\n     {details}", flush=True)
        return fault, word

    def run(self, jobs):
        """The first so many that count, whatever the order in which they end: as many as are still missing at a time."""
        done = 0
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            while done < len(self.order) and (missing := self.wanted - self.counted()) > 0:
                batch = range(done, min(done + missing, len(self.order)))
                for number, result in zip(batch, pool.map(self.one, batch)):
                    self.results[number] = result
                done = batch.stop

    def counted(self):
        return sum(word in ("caught", "equivalent", "survives") for _, word in self.results.values())

    def report(self):
        table = collections.defaultdict(collections.Counter)
        for fault, word in self.results.values():
            library = fault.path.split("/", maxsplit=1)[0] + " in all"
            for name in (fault.folder, library):
                table[name][word] += 1
        print(f"\n{'':24}{'drawn':>7}{'caught':>8}{'equivalent':>12}{'survive':>9}   caught of those that are none")
        for name in sorted(table):
            row = table[name]
            counted = row["caught"] + row["equivalent"] + row["survives"]
            faults_drawn = row["caught"] + row["survives"]
            share = f"{100 * row['caught'] / faults_drawn:.1f} %" if faults_drawn else "-"
            print(f"{name:24}{counted:7}{row['caught']:8}{row['equivalent']:12}{row['survives']:9}   {share}")
        words = collections.Counter(word for _, word in self.results.values())
        print(f"not counted: {words['same']} that compile to the same code, {words['unbuildable']} that do not compile")
        for number, (fault, word) in sorted(self.results.items()):
            if word == "survives":
                print(f"survives: {fault.key}")
        judged = words["caught"] + words["survives"]
        return judged + words["equivalent"] > 0 and 100 * words["caught"] >= self.least * judged


def measure(graph, tests, tree):
    lines = []
    for label in sorted(graph.data):
        start = time.monotonic()
        runner.run(graph.link[label][0], tree.folder, 600)
        lines.append((time.monotonic() - start, label))
    with open(os.path.join(_HERE, "times.txt"), "w", encoding="utf-8") as file:
        file.write("# What a test takes, in seconds: --measure writes it. The order in which they are tried.\n")
        file.writelines(f"{label}\t{seconds:.2f}\n" for seconds, label in sorted(lines))


def wanted_path(arguments):
    folders = tuple(f"{folder.strip('/')}/" for folder in arguments.folder)
    keys = {key.split(" ", 1)[0] for key in arguments.key}

    def wanted(path):
        if keys:
            return path in keys
        if path in _APART or not path.startswith(tuple(f"{each}/" for each in _LIBRARIES)):
            return False
        return path.startswith(folders) if folders else not path.startswith(_BY_NAME)

    return wanted


def wanted_units(arguments, graph):
    """All of them, for a header may be in any; but that of a key whose fault is in no header."""
    units = graph.source_units(_LIBRARIES)
    keys = {key.split(" ", 1)[0] for key in arguments.key}
    return [unit for unit in units if unit[0] in keys] if keys and not any(key.endswith(".h") for key in keys) else units


def tell_stale(found):
    """What equivalents.txt has and the sources have no more: what is like it now has to be argued anew."""
    for key in sorted(set(two_columns("equivalents.txt")) - {fault.key for fault in found}):
        print(f"equivalents.txt: there is no such fault any more: {key}", file=sys.stderr, flush=True)


def main():
    arguments = parsed()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(os.environ.get("BUILD_WORKSPACE_DIRECTORY", os.path.join(_HERE, "../..")))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        graph = build.Graph(wanted_tests(arguments), folder)
        trees = [build.Tree(graph, f"{folder}/tree{number}") for number in range(arguments.jobs)]
        tests = Tests(graph, graph.data)
        if arguments.measure:
            measure(graph, tests, trees[0])
            return True
        os.chdir(f"{folder}/tree")
        found = faults.find(wanted_units(arguments, graph), wanted_path(arguments))
        order = drawn(arguments, found)
        if not arguments.key and not arguments.folder:
            tell_stale(found)
        if arguments.list:
            print("\n".join(fault.key for fault in order))
            return True
        trial = Trial(arguments, order, tests, trees)
        trial.run(arguments.jobs)
        return trial.report()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)

"""Litmus tests and the code are tied: each test is named where the code does what it models, and the code still does.

Usage: ties_test.py TIES FILE... (sources of the library, and the tests)
"""
import os
import re
import sys

failures = []


def check(condition, message):
    if not condition:
        failures.append(message)


def block_of(text, function):
    """A function with the comment above it."""
    found = re.search(
        r"(?ms)(^/\*(?:(?!\*/).)*\*/\n)?^[a-zA-Z][^;{}/]*\b%s\([^;{}]*\)\s*\n{.*?^}" % re.escape(function), text)
    return found.group(0) if found else None


def in_order(block, accesses):
    code = re.sub(r"/\*.*?\*/", "", block, flags=re.DOTALL)
    position = 0
    for access in accesses:
        position = code.find(access, position)
        if position < 0:
            return False
        position += len(access)
    return True


def names_in(block):
    """What "litmus: a, b" lists."""
    names = set()
    for listed in re.findall(r"litmus: ((?:\w+\*?)(?:, \w+\*?)*)", block):
        names.update(listed.split(", "))
    return names


def is_named(test, names):
    return any(test == name or (name.endswith("*") and test.startswith(name[:-1])) for name in names)


def main():
    ties, files = sys.argv[1], sys.argv[2:]
    sources = {name.split("rangemap/", 1)[-1]: open(name).read() for name in files if not name.endswith(".litmus")}
    tests = {os.path.basename(name)[:-len(".litmus")]: open(name).read() for name in files if name.endswith(".litmus")}
    rows = [line.rstrip("\n").split("\t") for line in open(ties) if line.strip() and not line.startswith("#")]
    verdicts = {}
    for row in rows:
        check(len(row) == 6, "not six columns: %s" % row)
        test, verdict, source, file, function, accesses = row
        check(verdicts.setdefault(test, verdict) == verdict, "%s has two verdicts" % test)
        check(verdict in ("never", "sometimes") and source in ("herd", "argued"), "%s: %s, %s" % (test, verdict, source))
        check(test in tests, "%s: there is no such litmus test" % test)
        check(file in sources, "%s: there is no %s" % (test, file))
        block = block_of(sources.get(file, ""), function)
        if block is None:
            failures.append("%s: no function %s in %s" % (test, function, file))
            continue
        check(is_named(test, names_in(block)), "%s: %s in %s does not name it" % (test, function, file))
        check(in_order(block, accesses.split(";")), "%s: %s in %s has no longer, in this order: %s" % (test, function, file, accesses))
    for test, text in tests.items():
        check(test in verdicts, "%s.litmus is tied to nothing" % test)
        check(text.startswith("AArch64 %s\n" % test) and "\nexists " in text, "%s.litmus: its head or `exists`" % test)
    for file, text in sources.items():
        for name in names_in(text):
            check(any(is_named(test, [name]) for test in tests), "%s names litmus test %s, which is not there" % (file, name))
    print("%d litmus tests, %d ties" % (len(tests), len(rows)))
    check(len(tests) >= 22, "tests are missing")
    for failure in failures:
        print("FAILED: " + failure)
    sys.exit(1 if failures else 0)


main()

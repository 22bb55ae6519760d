#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: packaging/check_documents.py

Reads all documents of the tree, in its root, and says what in them leads nowhere: links to files and headings; in commands
for bazelw the targets, configurations and test cases; paths to scripts; commands of which nobody says how they are known to
work. So do sections, rules and bugs that documents and sources cite by number (document_citations.py). Then runs those
commands that are to be run (document_commands.py). For .ci/run: it asks Bazel, whose outputs it uses.
"""

import os
import re
import subprocess
import sys

import document_citations
import document_commands

COMMAND = re.compile(r"^    (?:[A-Z_]+=\S+ )*(\./bazelw|\.ci/run|bazel-bin/|packaging/|bench/)(.*)$", flags=re.M)
INLINE = re.compile(r"`(?:[A-Z_]+=\S+ )*(\./bazelw)( [^`\n]*)`") # in a row of a table, or in running text
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def tracked(*patterns):
    return subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *patterns], check=True, capture_output=True, text=True).stdout.split()


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def anchors(text):
    """Those that GitHub makes of headings."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower().replace("`", "")).replace(" ", "-")


def bad_links(path, text):
    for match in LINK.finditer(text):
        target, _, anchor = match[1].partition("#")
        if re.match(r"\w+:", match[1]):
            continue
        file = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
        if not os.path.exists(file):
            yield match.start(), f"no file {file}"
        elif anchor and file.endswith(".md") and anchor not in anchors(read(file)):
            yield match.start(), f"no heading #{anchor} in {file}"


def bad_commands(text, configurations, cases):
    """What needs no Bazel to tell. Labels are returned by labels_in()."""
    for match in [*COMMAND.finditer(text), *INLINE.finditer(text)]:
        program, rest = match[1], match[2].split(" #")[0]
        if program in ("packaging/", "bench/", ".ci/run"):
            script = (program + rest.split(" ")[0]) if program != ".ci/run" else program
            if not os.path.exists(script):
                yield match.start(), f"no file {script}"
        for name in re.findall(r"--config=([\w-]+)", rest):
            if name not in configurations:
                yield match.start(), f".bazelrc has no --config={name}"
        for suite, case in re.findall(r"--(?:test_filter|gtest_filter)=(\w+)\.(\w+)", rest):
            if f"TEST_CASE({suite}, {case})" not in cases:
                yield match.start(), f"no test case {suite}.{case}"


def labels_in(text):
    """(position, label) of the targets that commands name, also by the path of what they build."""
    for match in [*COMMAND.finditer(text), *INLINE.finditer(text)]:
        rest = match[2].split(" #")[0]
        if match[1] == "bazel-bin/":
            folder, name = os.path.split(rest.split(" ")[0])
            yield match.start(), f"//{folder}:{name}"
        for label in re.findall(r"(?<!\S)(//[\w/.:+-]*)", rest):
            yield match.start(), label
    for match in re.finditer(r"`(//[\w/.-]+:[\w.+-]+)`", text): # in running text
        yield match.start(), match[1]


def unknown(labels):
    """Those that Bazel does not know."""
    command = ["./bazelw", "query", "--keep_going", "--noshow_progress", "--output=label", " + ".join(sorted(labels))]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    missing = set(re.findall(r"no such (?:target|package) '([^']+)'", result.stderr))
    missing |= set(re.findall(r"no targets found beneath '([^']+)'", result.stderr))
    if result.returncode not in (0, 3):
        sys.exit(f"bazelw query: {result.stderr}")
    return {label for label in labels if any(label.lstrip("/").split("/...")[0] in (name.lstrip("/"), name.lstrip("/") + ":all") for name in missing)}


SOURCES = ("*.c", "*.h", "*.cc", "*.hpp", "*.py", "*.sh", "*.bzl", "*.txt", "*BUILD")


def mistakes(documents, sources):
    configurations = set(re.findall(r"^(?:build|test):([\w-]+)", read(".bazelrc"), flags=re.M))
    cases = "".join(read(path) for path in tracked("*_test.c"))
    found, labels = [], {}
    more, more_labels = document_commands.mistakes(documents)
    found += more
    found += document_citations.mistakes({**sources, **documents}, documents)
    labels.update(more_labels)
    for path, text in documents.items():
        for position, what in [*bad_links(path, text), *bad_commands(text, configurations, cases)]:
            found.append(f"{path}:{line_of(text, position)}: {what}")
        for position, label in labels_in(text):
            labels.setdefault(label, f"{path}:{line_of(text, position)}")
    return found + [f"{labels[label]}: no target {label}" for label in sorted(unknown(labels))], len(labels)


WRONG = """\
[a](no_such_file.md) [b](README.md#no-such-heading) `//test:no_such_test`

    ./bazelw test --config=no_such //test:no_such_target --test_filter=map_model.no_such
    packaging/no_such.sh
    bazel-bin/examples/no_such
    cmake --no-such-command

`./bazelw test //test:no_such_inline`
"""
# The name of the document is put in below, so that this file cites nothing.
WRONG_SOURCE = """/* docs/%s, 77; docs/%s, section
 * 78; "No such" in docs/%s; R9, P99; bug 99 and 98, L9 */""".replace("%s", "abi.md")
NOTICED = """no_such_file|no-such-heading|no_such_test|no_such|no_such_target|map_model.no_such|no_such.sh|examples:no_such|no-such-command|
no_such_inline|no section 77|no section 78|no heading No such|not define R9|not define P99|bug 99|bug 98|bug L9"""

documents = {path: read(path) for path in tracked("*.md") if os.path.exists(path)}
sources = {path: read(path) for path in tracked(*SOURCES) if os.path.exists(path) and not path.startswith("third_party/")}
wrong, _ = mistakes({**documents, "WRONG.md": WRONG}, {"rangemap/wrong.h": WRONG_SOURCE, "pagemap/wrong.h": WRONG_SOURCE})
for expected in NOTICED.replace("\n", "").split("|"):
    if not any(expected in line for line in wrong):
        sys.exit(f"nobody notices {expected}: {wrong}")
found, count = mistakes(documents, sources)
print(*found, sep="\n")
if count < 30:
    sys.exit(f"only {count} targets are found in the documents")
failed = document_commands.run()
print(*failed, sep="\n")
sys.exit(bool(found or failed))

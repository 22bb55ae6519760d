# SPDX-License-Identifier: BSD-2-Clause
"""What sources and documents cite by number leads somewhere: sections of documents ("docs/design.md, 8", "pagemap.md, section
14"), rules and proofs (R1, G4, P4a, A.2), and bugs of the kernel ("bug 16", "bug16_...", "L3" in pagemap)."""

import os
import re

SECTION = re.compile(r"\b([\w-]+\.md),?(?:\s+(?:\*\s+)?|\s+[^\w\s]?)(?:section )?(\d+)(?![\w.:/-]\w)")
QUOTED = re.compile(r"\"([^\"\n]+)\" in (?:docs/)?([\w-]+\.md)")
RULE = re.compile(r"(?<![\w/.])([RGP]\d{1,2}[a-z]?)\b(?!-)")
BUG = re.compile(r"\bbugs?[ _]?(\d+)(?: and (\d+))?|\bbug_?(\d+)|\b(L\d)\b")

RULES_OF = {"R": "design.md", "G": "design.md", "P": "proofs.md"}


def plain(text):
    """Without the marks that begin a line of a comment, so that a citation may go over two lines."""
    return re.sub(r"\n[ \t]*(?:/?\*+|//|#)?[ \t]*", " ", text)


def headings(text):
    return re.findall(r"^#+ (.*)$", text, flags=re.M)


def cited_sections(path, text, documents):
    """(what, why) for each section that is not there."""
    by_name = {os.path.basename(name): body for name, body in documents.items() if name.startswith("docs/")}
    flat = plain(text)
    for match in SECTION.finditer(flat):
        name, number = match[1], match[2]
        if name in by_name and not any(heading.startswith(number + ". ") for heading in headings(by_name[name])):
            yield match[0], f"{name} has no section {number}"
    for match in QUOTED.finditer(flat):
        if match[2] in by_name and match[1] not in headings(by_name[match[2]]):
            yield match[0], f"{match[2]} has no heading {match[1]}"


def rules(documents):
    """Those that are defined: a row of a table, a paragraph, or an item that begins with the name."""
    for name, text in documents.items():
        for match in re.finditer(r"^(?:\| |\*\*|- \*\*)([A-Z]\.?\d+[a-z]?)\b", text, flags=re.M):
            yield os.path.basename(name), match[1]


def cited_rules(path, text, documents):
    known = set(rules(documents))
    for match in RULE.finditer(text):
        if (RULES_OF[match[1][0]], match[1]) not in known:
            yield match[0], f"{RULES_OF[match[1][0]]} does not define {match[1]}"


def cited_bugs(path, text, documents):
    known = set(re.findall(r"^\| (\w+) \|", documents.get("docs/kernel-bugs.md", ""), flags=re.M))
    for match in BUG.finditer(text):
        for bug in filter(None, match.groups()):
            if bug not in known:
                yield match[0], f"docs/kernel-bugs.md has no bug {bug}"


def mistakes(sources, documents):
    """Lines "path: what". `sources`: text by path, documents among them."""
    for path, text in sources.items():
        checks = [cited_sections]
        if re.match(r"rangemap/|docs/(design|proofs|windows|gaps|memory)\.md", path):
            checks.append(cited_rules)
        if re.match(r"pagemap/(?!compat)|test/pagemap/|docs/pagemap\.md", path):
            checks.append(cited_bugs)
        for check in checks:
            for words, why in check(path, text, documents):
                line = text.count("\n", 0, max(text.find(words.split(" ")[0]), 0)) + 1
                yield f"{path}:{line}: {words}: {why}"

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: manual.py LIBRARY VERSION UMBRELLA_HEADER HEADER... [DOCUMENT.md...] >manual.tar
       manual.py --install MANDIR

Writes the manual of one library as a tar archive of man pages, from the comments of its public headers, with
examples from the documents: a page in section 3 for each function and type that has a comment, with links from the other names that the comment is of, and
LIBRARY(7) with what the headers say at their top and a list of all pages. Where names lack the library's prefix the
section is 3LIBRARY, so that nobody else's pages are hidden.
"""

import glob
import io
import os
import re
import sys
import tarfile

import sections
from header import parse


CALLABLE = {"function", "inline", "variable"}


# A comment that goes on from the one before it.
CONTINUES = re.compile(r"(The same|As |Ends it|Sets it|Gives it back|Finds such|Detaches it|Makes it|Takes it|One )|.*as above")


class Page:
    def __init__(self, group, before):
        self.comment = group.comment
        self.section = group.section
        self.declarations = list(group.declarations)
        self.goes_on_from = before if CONTINUES.match(group.comment) else None
        # What the comment is of: functions if there are any, else types.
        self.named = [d for d in group.declarations if d.kind in CALLABLE] or list(group.declarations)

    def add(self, group):
        self.declarations += group.declarations
        self.named += group.declarations

    def names(self):
        return [declaration.names[0] for declaration in self.named]

    def summary(self):
        """The first sentence or half of one, without what is in parentheses."""
        text = re.sub(r" \([^()]*\)", "", " ".join(self.comment.replace("`", "").split()))
        return re.split(r"(?<=[^.])[.;:](?: |$)", text, maxsplit=1)[0].strip()


def pages_of(header):
    """A group of functions without a comment is of the page before it."""
    pages = []
    for group in header.groups:
        kinds = {declaration.kind for declaration in group.declarations}
        if group.comment and kinds != {"constant"}:
            pages.append(Page(group, pages[-1].names()[0] if pages else None))
        elif pages and kinds & CALLABLE:
            pages[-1].add(group)
    return pages


def escape(text):
    """Text for roff: nothing in it is a request or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def literal(lines):
    narrow = sections.narrow_lines(lines, sections.LITERAL_WIDTH)
    return [".PP", ".RS 4", ".nf", *(escape(line) for line in narrow), ".fi", ".RE"]


class Manual:
    def __init__(self, library, version, umbrella, headers, examples=()):
        self.library, self.version, self.umbrella = library, version, umbrella
        self.headers, self.examples = headers, examples
        self.common = sections.conventions(headers[0].comment)
        self.pages = [page for header in headers for page in pages_of(header)]
        self.page_of = {name: page.names()[0] for page in self.pages for name in page.names()}
        prefixed = all(name.lower().startswith(library) for name in self.page_of)
        self.section = "3" if prefixed else "3" + library
        # Definitions that a synopsis may need, by name.
        self.types = {
            declaration.names[0]: (declaration, header)
            for header in headers
            for declaration in header.declarations()
            if declaration.kind == "type" and ("{" in declaration.text or "typedef" in declaration.text)
        }

    def title(self, name, section):
        return [f'.TH {name.upper()} {section} "" "{self.library} {self.version}" "{self.library} manual"']

    def reference(self, name):
        return f"\\fB{name}\\fP({self.section})"

    def words(self, text):
        """Running text: `names` in italics, functions in bold."""
        text = escape(text)
        text = re.sub(r"`([^`]+)`", r"\\fI\1\\fP", text)

        def reference(match):
            return self.reference(match[1]) if match[1] in self.page_of else rf"\fB{match[1]}\fP()"

        return re.sub(r"\b([a-z_]\w+)\(\)", reference, text)

    def prose(self, comment):
        """Paragraphs; one in which lines are indented is a table and stays as it is."""
        output = []
        for paragraph in re.split(r"\n\s*\n", comment):
            lines = paragraph.split("\n")
            if any(line.startswith("  ") for line in lines):
                output += literal(lines)
            else:
                output += [".PP", *self.words(paragraph).split("\n")]
        return output

    def prototype(self, declaration):
        text = re.sub(r"\b(?:[A-Z]+_API|RANGEMAP_MUST_CHECK)\s+", "", declaration.text)
        if declaration.kind == "inline":
            text = text.split("\n{")[0].replace("static inline ", "") + ";"
        # Lines as they come without an attribute that is gone.
        lines = " ".join(text.split()) if declaration.kind in CALLABLE else text
        return sections.narrow_lines(lines.split("\n"), sections.SYNOPSIS_WIDTH)

    def types_in(self, page):
        """The types that the declarations name, in the order of the headers."""
        own = {name for declaration in page.declarations for name in declaration.names}
        text = " ".join(declaration.text for declaration in page.declarations)
        used = set(re.findall(r"\w+", text)) - own
        return [(name, *found) for name, found in self.types.items() if name in used]

    def type_lines(self, page):
        output = []
        for name, declaration, _ in self.types_in(page):
            output += literal(declaration.text.split("\n"))
            if name in self.page_of:
                output += [".PP", f"See {self.reference(name)}."]
        return output

    def see_also(self, page):
        own = set(page.names())
        mentioned = re.findall(r"\b[a-z_]\w+", page.comment) + [name for name, *_ in self.types_in(page)]
        neighbours = [
            name for other in self.pages if page.section and other.section == page.section for name in other.names()
        ]
        found = {self.page_of[name] for name in mentioned + neighbours if name in self.page_of} - own
        references = [self.reference(name) for name in sorted(found)]
        return ",\n".join([f"\\fB{self.library}\\fP(7)"] + references).split("\n")

    def list_of(self, items):
        return [line for name, text in items for line in (".TP", f"\\fB{escape(name)}\\fP", *self.words(text).split("\n"))]

    def results(self, page):
        """RETURN VALUE, ERRORS, CONTEXT and EXAMPLES."""
        output = []
        values = sections.return_value(page, self.common)
        if values:
            output += [".SH RETURN VALUE", *self.words(" ".join(values)).split("\n")]
        errors = sections.errors(page, self.common) if values else []
        if errors:
            output += [".SH ERRORS", *self.list_of(errors)]
        own, common = sections.context(page, self.common)
        if values:
            output += [".SH CONTEXT", *self.words(" ".join(own)).split("\n"), *([".PP", "In general:"] if common else [])]
            output += self.list_of(common)
        block = sections.example(page, self.examples)
        if block:
            output += [".SH EXAMPLES", *literal(block.split("\n"))]
        return output

    def page(self, page):
        names = page.names()
        return [
            *self.title(names[0], self.section),
            ".SH NAME",
            f"{', '.join(escape(name) for name in names)} \\- {escape(page.summary())}",
            ".SH LIBRARY",
            f"{self.library} (\\fB\\-l{self.library}\\fP; \\fBpkg\\-config\\fP \\fB{self.library}\\fP)",
            ".SH SYNOPSIS",
            ".nf",
            f"\\fB#include <{escape(self.umbrella)}>\\fP",
            ".PP",
            *(f"\\fB{escape(line)}\\fP" if line else "" for d in page.declarations for line in self.prototype(d)),
            ".fi",
            ".SH DESCRIPTION",
            *self.prose(page.comment),
            *([".PP", f"This goes on from {self.reference(page.goes_on_from)}."] if page.goes_on_from else []),
            *([".SH TYPES", *self.type_lines(page)] if self.types_in(page) else []),
            *self.results(page),
            ".SH SEE ALSO",
            *self.see_also(page),
        ]

    def overview(self):
        output = [*self.title(self.library, 7), ".SH NAME"]
        title = self.headers[0].comment.split("\n\n")[0]
        output += [f"{self.library} \\- {escape(' '.join(title.split(':', 1)[1].split('.')[0].split()))}"]
        for header in self.headers:
            output += [f".SH {escape(header.path.upper())}", *self.prose(header.comment)]
            for page in pages_of(header):
                first, *others = page.names()
                output += [".TP", self.reference(first)]
                output += [line for name in others for line in (".TQ", self.reference(name))]
                output += [escape(page.summary())]
        return output

    def files(self):
        yield f"man7/{self.library}.7", self.overview()
        for page in self.pages:
            first, *others = page.names()
            yield f"man3/{first}.{self.section}", self.page(page)
            for name in others:
                yield f"man3/{name}.{self.section}", [f".so man3/{first}.{self.section}"]


def pages(library, version, umbrella, *files):
    """(path below the folder of manual pages, content) of each page."""
    headers = [path for path in files if path.endswith(".h")]
    examples = [block for path in files if path.endswith(".md") for block in sections.examples_of(path)]
    parsed = [parse(path) for path in sorted(headers, key=lambda path: (path != umbrella, path))]
    for name, lines in Manual(library, version, umbrella, parsed, examples).files():
        yield name, "\n".join(lines) + "\n"


def write_archive(*arguments):
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for name, text in pages(*arguments):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))


def install(folder):
    """For the builds by CMake and Meson: the pages of both libraries, whose source is the current folder."""
    with open("bazel/version.bzl", encoding="utf-8") as file:
        version = re.search('^RANGEMAP_VERSION = "(.*)"', file.read(), flags=re.M)[1]
    for library in ("rangemap", "pagemap"):
        headers = sorted(glob.glob(f"{library}/*.h"))
        for name, text in pages(library, version, f"{library}/{library}.h", *headers, "docs/manual.md"):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


if __name__ == "__main__":
    if sys.argv[1] == "--install":
        install(sys.argv[2])
    else:
        write_archive(*sys.argv[1:])

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: build.py VERSION OUTPUT.tar FILE...

Makes the HTML manual of the documents and public headers among the files, by Sphinx with the theme furo: every document
is a page, every header is a page with what its man pages say. A link that leads nowhere is an error.
"""

import html.parser
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse

sys.path.append("packaging")
import sections  # noqa: E402
from header import parse  # noqa: E402
from manual import pages_of  # noqa: E402

LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FIRST = ["README.md", "docs/manual.md", "docs/porting-to-rangemap.md", "docs/building.md", "examples/README.md", "docs/pagemap.md"]


def page_name(path):
    """README.md -> index, docs/manual.md -> manual, tools/README.md -> tools, rangemap/rangemap.h -> rangemap_h."""
    if path == "README.md":
        return "index"
    if path.endswith("/README.md"):
        return os.path.dirname(path).replace("/", "_")
    folder, name = os.path.split(path)
    return name[:-3] if name.endswith(".md") else f"{name[:-2]}_h" if folder in name else f"{folder}_{name[:-2]}_h"


# ---- documents ----

def document(path, files):
    """Its text, with links to what is not in the manual as plain text."""
    def link(match):
        image, words, target = match.groups()
        if re.match(r"\w+:", target) or target.startswith("#"):
            return match[0]
        file, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(path), file))
        if image:
            return f"![{words}]({os.path.basename(file)})"
        if file not in files:
            return words
        return f"[{words}]({page_name(file)}.md{'#' + anchor if anchor else ''})"

    with open(path, encoding="utf-8") as text:
        parts = re.split(r"(^```.*?^```$)", text.read(), flags=re.M | re.S)
    return "".join(part if part.startswith("```") else LINK.sub(link, part) for part in parts)


def contents(pages):
    return "\n\n```{toctree}\n:hidden:\n:maxdepth: 1\n\n" + "\n".join(pages) + "\n```\n"


# ---- headers ----

def prose(comment):
    """Paragraphs; one in which lines are indented stays as it is."""
    for paragraph in re.split(r"\n\s*\n", comment):
        indented = any(line.startswith("  ") for line in paragraph.split("\n"))
        yield f"```text\n{paragraph}\n```" if indented else plain(paragraph)


def plain(text):
    """Markdown in which nothing is markup but `code`."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_\[\]<>#|$~{}])", r"\\\1", part) for part in parts)


def function_page(page, common, examples):
    text = "\n".join(re.sub(r"(?:[A-Z]+_API|RANGEMAP_MUST_CHECK)\s+", "", declaration.text) for declaration in page.declarations)
    yield f"## {', '.join(page.names())}"
    yield f"```c\n{text}\n```"
    yield from prose(page.comment)
    values = sections.return_value(page, common)
    if values:
        yield "**Returns.** " + plain(" ".join(values))
        yield "\n".join(f"- `{code}`: {plain(said)}" for code, said in sections.errors(page, common))
    block = sections.example(page, examples)
    if block:
        yield f"```c\n{block}\n```"


def header_page(path, common, examples):
    header = parse(path)
    yield f"# {path}"
    yield from prose(header.comment)
    for page in pages_of(header):
        yield from function_page(page, common, examples)


# ---- links of what came out ----

class Anchors(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids = [], set()

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.ids.add(value)
            elif name in ("href", "src") and value is not None:
                self.links.append(value)


def read_pages(folder):
    for top, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".html"):
                anchors = Anchors()
                with open(os.path.join(top, name), encoding="utf-8") as file:
                    anchors.feed(file.read())
                yield os.path.normpath(os.path.join(top, name)), anchors


def dead_links(folder):
    pages = dict(read_pages(folder))
    for path, anchors in pages.items():
        for link in anchors.links:
            target, _, anchor = link.partition("#")
            if re.match(r"(\w+:|//)", link):
                continue
            file = os.path.normpath(os.path.join(os.path.dirname(path), urllib.parse.unquote(target.split("?")[0]))) if target else path
            if not os.path.exists(file):
                yield f"{os.path.basename(path)}: {link}"
            elif anchor and file in pages and urllib.parse.unquote(anchor) not in pages[file].ids:
                yield f"{os.path.basename(path)}: {link}"


# ---- all of it ----

def write(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def write_sources(folder, version, files):
    documents = sorted((path for path in files if path.endswith(".md")), key=lambda path: (FIRST.index(path) if path in FIRST else 99, path))
    headers = sorted(path for path in files if path.endswith(".h"))
    examples = [block for path in documents for block in sections.examples_of(path)]
    names = [page_name(path) for path in documents if path != "README.md"] + [page_name(path) for path in headers]
    for path in documents:
        write(folder, page_name(path) + ".md", document(path, files) + (contents(names) if path == "README.md" else ""))
    for path in headers:
        library = os.path.dirname(path)
        common = sections.conventions(parse(f"{library}/{library}.h").comment)
        write(folder, page_name(path) + ".md", "\n\n".join(header_page(path, common, examples)) + "\n")
    for path in files:
        if path.endswith(".svg"):
            with open(path, encoding="utf-8") as file:
                write(folder, os.path.basename(path), file.read())
    conf = next(path for path in files if path.endswith("conf.py"))
    with open(conf, encoding="utf-8") as file:
        write(folder, "conf.py", file.read() + f'release = version = "{version}"\n')


def main(version, output, *files):
    with tempfile.TemporaryDirectory() as folder:
        source, result = os.path.join(folder, "source"), os.path.join(folder, "html")
        os.makedirs(source)
        write_sources(source, version, files)
        command = ["sphinx-build", "-q", "-b", "html", "-d", os.path.join(folder, "trees"), source, result]
        run = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        sys.stderr.write(run.stderr)
        if run.returncode != 0:
            sys.exit("sphinx-build has failed")
        # Markdown's links that lead nowhere are no links any more in what came out.
        dead = [line for line in run.stderr.split("\n") if re.search(r"not found|not readable|unknown", line)]
        dead += sorted(set(dead_links(result)))
        if dead:
            sys.exit("links that lead nowhere:\n" + "\n".join(dead))
        with tarfile.open(output, "w", format=tarfile.USTAR_FORMAT) as archive:
            archive.add(result, "rangemap", filter=lambda entry: None if entry.name.endswith((".buildinfo", ".doctrees")) else entry)


main(*sys.argv[1:])

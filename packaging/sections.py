# SPDX-License-Identifier: BSD-2-Clause
"""What a manual page says beyond its comment: results, errors, contexts, from the comment itself and from the conventions
at the top of the header; examples, from the manual, whose examples are compiled and run."""

import re
import textwrap

# A page of 80 columns: text begins in column 7, examples in column 11.
SYNOPSIS_WIDTH, LITERAL_WIDTH = 72, 68
CONTEXTS = ("Progress", "Threads", "Signals", "Callbacks", "Sections", "Context", "Fork")
CONTEXT_WORDS = re.compile(r"wait|signal|any context|inside a|section|callback|attached thread|any thread|lock-free", flags=re.I)


def conventions(comment):
    """{name: text} of the list in a header's first comment: lines `  Name   text`, and more of it indented further."""
    found, name = {}, None
    for line in comment.split("\n"):
        item = re.match(r"  ([-\w]+) {2,}(\S.*)", line)
        if item:
            name = item[1]
            found[name] = item[2]
        elif name and line.startswith("     "):
            found[name] += " " + line.strip()
        else:
            name = None
    return found


def clauses(comment):
    """Sentences, or parts of them between semicolons."""
    text = " ".join(comment.split())
    return [clause.strip() for clause in re.split(r"(?<=[.;])\s+(?=\S)", text) if clause.strip()]


def result_type(declaration):
    code = re.sub(r"/\*.*?\*/|__attribute__\(\(.*?\)\)|\b[A-Z]+_API\b|\bRANGEMAP_MUST_CHECK\b|\bstatic inline\b", "", declaration.text, flags=re.S)
    return re.split(r"\w+\s*\(", code.strip(), maxsplit=1)[0].strip()


def return_value(page, common):
    """Sentences for RETURN VALUE, or nothing for pages of types."""
    functions = [d for d in page.declarations if d.kind in ("function", "inline")]
    kinds = {result_type(function) for function in functions}
    if not functions:
        return []
    said = [c.rstrip(";") for c in clauses(page.comment) if re.match(r"(Returns|1 if|True|False|NULL if|0 if|The )\b", c)]
    if kinds == {"void"}:
        return ["None."]
    if kinds <= {"int", "long", "void"}:
        results = common.get("Results", "0, or a negative errno.")
        return [c for c in said if re.match(r"(Returns|1 if|0 if)", c)] or [results]
    return said or [f"A {' or '.join(sorted(kinds - {'void'}))}, as described."]


def errors(page, common):
    """(code, text) of each error: what the comment says of it, else the convention."""
    found = {}
    for clause in clauses(page.comment):
        codes = re.findall(r"-E[A-Z0-9]+", clause)
        own_words = len(codes) == 1 and not re.match(r"(Errors: )?-E[A-Z0-9]+[.;,]?$", clause)
        for code in codes:
            found.setdefault(code, re.sub("^Else ", "", clause.rstrip(";")) if own_words else common.get(code, clause.rstrip(";")))
    if any(result_type(d) == "int" for d in page.declarations if d.kind == "function"):
        for code, text in common.items():
            if code.startswith("-E"):
                found.setdefault(code, text)
    return sorted(found.items())


def context(page, common):
    """Sentences of its own, then the header's."""
    own = [c if c.endswith(".") else c.rstrip(";") + "." for c in clauses(page.comment) if CONTEXT_WORDS.search(c)]
    return own, [(name, common[name]) for name in CONTEXTS if name in common]


def examples_of(document):
    """The C examples of a document of Markdown."""
    with open(document, encoding="utf-8") as file:
        return [block.rstrip() for block in re.findall(r"^```c\n(.*?)^```$", file.read(), flags=re.M | re.S)]


def example(page, examples):
    """The shortest one that calls a function of the page, best where it looks at the result."""
    calls = r"(" + "|".join(map(re.escape, page.names())) + r")\("
    fitting = [block for block in examples if re.search(rf"\b{calls}", block)]
    return min(fitting, key=lambda block: (not re.search(rf"(assert|if|while) ?\({calls}", block), len(block)), default=None)


def narrow(line, width):
    """A line of C in lines of at most so many columns: a comment behind it goes before it, arguments below."""
    if len(line) <= width:
        return [line]
    indent = re.match(r" *", line)[0]
    comment = re.fullmatch(r"( *\S.*?) */\* (.*?) ?(\*/)?", line)
    if comment:
        words = textwrap.wrap(comment[2], width - len(indent) - 6)
        begin = [indent + ("/* " if i == 0 else " * ") + text for i, text in enumerate(words)]
        begin[-1] += " */" if comment[3] else ""
        return begin + narrow(comment[1], width)
    return textwrap.wrap(line, width, subsequent_indent=indent + " " * 8, break_long_words=False, break_on_hyphens=False,
                         drop_whitespace=True)


def narrow_lines(lines, width):
    return [part for line in lines for part in narrow(line, width)]

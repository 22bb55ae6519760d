# SPDX-License-Identifier: BSD-2-Clause
"""Reads public headers: their declarations, each with the comment that stands before it.

Knows C as this project writes it, laid out by clang-format: a comment or declaration begins in column 0 and ends at
the end of a line. What it cannot make sense of is an error, never skipped.
"""

import re
from dataclasses import dataclass, field


@dataclass
class Declaration:
    kind: str  # function, inline, variable, type, constant
    names: list
    text: str
    line: int


@dataclass
class Group:
    """Declarations without a blank line between them, and the comment before the first, which is of them all."""

    comment: str
    section: str
    declarations: list = field(default_factory=list)


@dataclass
class Header:
    path: str
    comment: str  # the one at the top of the file
    groups: list

    def declarations(self):
        return [declaration for group in self.groups for declaration in group.declarations]


def comment_text(lines):
    """The words of a comment without its stars; relative indentation stays."""
    text = "\n".join(lines).strip()
    text = re.sub(r"^/\*+ ?|\s*\*/$", "", text)
    return "\n".join(re.sub(r"^ \* ?", "", line).rstrip() for line in text.split("\n")).strip("\n")


def section_title(comment):
    """The title in a banner of dashes, or None if this is no banner."""
    if not comment.startswith("----"):
        return None
    return " ".join(comment.replace("-" * 4, " ").replace("-", " -").split()).replace(" -", "-").strip("- ")


def without_comments(text):
    return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)


def function_name(code):
    """The name of the outermost function that `code`, one declaration, declares or defines; or None."""
    code = re.sub(r"__attribute__\(\(.*?\)\)", "", code)
    match = re.match(r"[^={(]*?\b(\w+)\s*\(", code, flags=re.S)
    return match[1] if match else None


def classify(text, place):
    """The kind of one declaration, and the names that it introduces."""
    code = without_comments(text).strip()
    if code.startswith("#define"):
        return "constant", [re.match(r"#define\s+(\w+)", code)[1]]
    if code.startswith("typedef"):
        function = re.match(r"typedef[^;{(]*?\*?\b(\w+)\(", code, flags=re.S)
        return "type", [function[1] if function else re.search(r"(\w+)\s*;$", code)[1]]
    record = re.match(r"(?:struct|union|enum)\s*(\w*)\s*(?=[{;])", code)
    if record:
        members = re.findall(r"\b([A-Z]\w+)\b\s*[=,}]", code) if code.startswith("enum") else []
        return "type", ([record[1]] if record[1] else []) + members
    name = function_name(code)
    if code.startswith("static inline") and name:
        return "inline", [name]
    if name and code.endswith(";"):
        return "function", [name]
    variable = re.match(r"extern [^()]*?(\w+)(?:\[\w*\])?;$", code)
    if variable:
        return "variable", [variable[1]]
    raise SyntaxError(f"{place}: cannot make sense of: {text}")


class Reader:
    def __init__(self, path):
        self.path = path
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().split("\n")
        self.at = 0

    def take_while_open(self, is_open):
        """Takes lines up to and including the first after which is_open(text so far) is false."""
        first = self.at
        while True:
            self.at += 1
            text = "\n".join(self.lines[first : self.at])
            if not is_open(text):
                return text
            if self.at == len(self.lines):
                raise SyntaxError(f"{self.path}:{first + 1}: no end of what begins here")

    def comment(self):
        return self.take_while_open(lambda text: not text.rstrip().endswith("*/"))

    def declaration(self):
        def is_open(text):
            code = without_comments(text).rstrip()
            balanced = code.count("{") == code.count("}") and code.count("(") == code.count(")")
            return not (balanced and "/*" not in code and code.endswith((";", "}")))

        return self.take_while_open(is_open)

    def directive(self):
        return self.take_while_open(lambda text: text.endswith("\\"))

    def skip_cplusplus(self):
        while self.lines[self.at] != "#endif":
            self.at += 1
        self.at += 1


def is_constant(directive):
    """Whether it defines something for users: neither an include guard nor an attribute."""
    match = re.match(r"#define (\w+)\s+(?!__attribute__)\S", directive)
    return match is not None


def parse(path):
    reader = Reader(path)
    header = Header(path, "", [])
    comment, section = "", ""
    group = None
    while reader.at < len(reader.lines):
        line, number = reader.lines[reader.at], reader.at + 1
        if line.startswith("#ifdef __cplusplus"):
            reader.skip_cplusplus()
        elif line.startswith("#"):
            directive = reader.directive()
            if is_constant(directive):
                if group is None:
                    group = Group(comment, section)
                    header.groups.append(group)
                group.declarations.append(
                    Declaration("constant", classify(directive, f"{path}:{number}")[1], directive, number)
                )
        elif line.startswith("//"):
            reader.at += 1
        elif line.startswith("/*"):
            text = comment_text(reader.comment().split("\n"))
            group = None
            if section_title(text) is not None:
                comment, section = "", section_title(text)
            elif not header.comment and not header.groups:
                header.comment = text
            else:
                comment = text
        elif not line.strip():
            comment, group = "", None
            reader.at += 1
        else:
            text = reader.declaration()
            kind, names = classify(text, f"{path}:{number}")
            if group is None:
                group = Group(comment, section)
                header.groups.append(group)
            group.declarations.append(Declaration(kind, names, text, number))
    return header


def exported(header):
    """The names of what the library must export for this header."""
    return [
        name
        for declaration in header.declarations()
        if declaration.kind in ("function", "variable")
        for name in declaration.names
    ]

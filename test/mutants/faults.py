# SPDX-License-Identifier: BSD-2-Clause
"""Single faults that could be made in C sources, found in clang's syntax tree.

A fault replaces one stretch of one file. Nothing is taken from inside a macro's expansion, for the tree has no places there.
"""

import dataclasses
import os

from clang import cindex
from clang.cindex import CursorKind as Kind

_BOUND = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_COMPARISON = {"==": "!=", "!=": "==", "&&": "||", "||": "&&"}
_ARITHMETIC = {
    "+": "-", "-": "+", "*": "+", "&": "|", "|": "&", "^": "|", "<<": ">>", ">>": "<<",
    "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|=",
}  # fmt: skip
_OPERATORS = (("bound", _BOUND), ("comparison", _COMPARISON), ("arithmetic", _ARITHMETIC))
_STATEMENTS = (Kind.CALL_EXPR, Kind.BINARY_OPERATOR, Kind.COMPOUND_ASSIGNMENT_OPERATOR, Kind.UNARY_OPERATOR,
               Kind.CSTYLE_CAST_EXPR, Kind.BREAK_STMT, Kind.CONTINUE_STMT, Kind.RETURN_STMT)  # fmt: skip
_BODIES = (Kind.COMPOUND_STMT, Kind.IF_STMT, Kind.FOR_STMT, Kind.WHILE_STMT, Kind.CASE_STMT, Kind.DEFAULT_STMT)
# Calls that end what somebody holds.
_ENDINGS = ("free", "unlock", "unmap", "release", "put", "close", "destroy", "end", "drop", "give", "leave", "detach")


@dataclasses.dataclass(frozen=True, order=True)
class Fault:
    path: str
    start: int
    end: int
    new: str
    old: str
    kind: str
    function: str
    line: int
    number: int = 0  # of those with the same text in the same function

    @property
    def folder(self):
        return os.path.dirname(self.path)

    @property
    def key(self):
        """Names the fault by what it does, not where: it survives other changes of the file."""
        number = f" #{self.number}" if self.number else ""
        return f"{self.path} {self.function}: {self.kind}: {_flat(self.old)} => {_flat(self.new)}{number}"

    def applied(self, text):
        return text[: self.start] + self.new.encode() + text[self.end :]


def _flat(text):
    return " ".join(text.split())


class _Finder:
    """Walks one translation unit."""

    def __init__(self, wanted, seen):
        self.wanted = wanted  # of a path: whether to look into it
        self.seen = seen  # (path, offset) of functions that another unit had, too
        self.texts = {}
        self.faults = []

    def unit(self, unit):
        for cursor in unit.cursor.get_children():
            if cursor.kind != Kind.FUNCTION_DECL or not cursor.is_definition() or not cursor.location.file:
                continue
            path = os.path.normpath(cursor.location.file.name)
            if not self.wanted(path) or (path, cursor.extent.start.offset) in self.seen:
                continue
            self.seen.add((path, cursor.extent.start.offset))
            self.path, self.function = path, cursor.spelling
            if path not in self.texts:
                with open(path, "rb") as file:
                    self.texts[path] = file.read()
            body = [child for child in cursor.get_children() if child.kind == Kind.COMPOUND_STMT]
            for child in body:
                self.walk(child, cursor, last=None)

    def text(self, cursor):
        return self.between(cursor.extent.start.offset, cursor.extent.end.offset)

    def between(self, start, end):
        return self.texts[self.path][start:end].decode()

    def add(self, kind, start, end, new, line):
        old = self.between(start, end)
        self.faults.append(Fault(self.path, start, end, new, old, kind, self.function, line))

    def replace(self, kind, cursor, new):
        self.add(kind, cursor.extent.start.offset, cursor.extent.end.offset, new, cursor.extent.start.line)

    def walk(self, cursor, parent, last):
        """The last statement of a function is not dropped where it returns: that would be undefined, not wrong."""
        children = list(cursor.get_children())
        if cursor.kind in (Kind.BINARY_OPERATOR, Kind.COMPOUND_ASSIGNMENT_OPERATOR) and len(children) == 2:
            self.operator(children)
        elif cursor.kind == Kind.UNARY_OPERATOR:
            self.unary(cursor)
        elif cursor.kind == Kind.INTEGER_LITERAL:
            self.constant(cursor)
        elif cursor.kind in (Kind.IF_STMT, Kind.WHILE_STMT, Kind.CONDITIONAL_OPERATOR):
            self.condition(children[0])
        elif cursor.kind == Kind.DO_STMT:
            self.condition(children[1])
        elif cursor.kind == Kind.CALL_EXPR:
            self.arguments(cursor)
        if parent.kind in _BODIES and cursor.kind in _STATEMENTS:
            self.statement(cursor, parent, last)
        if cursor.kind == Kind.COMPOUND_STMT and parent.kind == Kind.FUNCTION_DECL and children:
            last = children[-1]
        for child in children:
            # The rest of a for is no statement.
            within = cursor if cursor.kind != Kind.FOR_STMT or child == children[-1] else child
            self.walk(child, within, last)

    def operator(self, children):
        start, end = children[0].extent.end.offset, children[1].extent.start.offset
        between = self.between(start, end)
        operator = between.strip()
        start += len(between) - len(between.lstrip())
        for kind, table in _OPERATORS:
            if operator in table:
                self.add(kind, start, start + len(operator), table[operator], children[0].extent.end.line)

    def unary(self, cursor):
        text = self.text(cursor)
        if text.startswith("-E") and text[1:].isalnum():
            self.replace("errno", cursor, "-EINVAL" if text == "-ENOMEM" else "-ENOMEM")
        elif text.startswith("!"):
            self.replace("negated", cursor, text[1:])
        elif text.startswith("~"):
            self.replace("arithmetic", cursor, text[1:])
        elif "++" in (text[:2], text[-2:]):
            self.replace("arithmetic", cursor, text.replace("++", "--"))
        elif "--" in (text[:2], text[-2:]):
            self.replace("arithmetic", cursor, text.replace("--", "++"))

    def constant(self, cursor):
        text = self.text(cursor)
        if text in ("true", "false"):
            self.replace("constant", cursor, "false" if text == "true" else "true")
            return
        digits = text.rstrip("uUlL")
        try:
            value = int(digits, 0)
        except ValueError:
            return
        suffix = text[len(digits) :]
        self.replace("constant", cursor, f"{value + 1}{suffix}")
        if value > 1:
            self.replace("constant", cursor, f"{value - 1}{suffix}")

    def condition(self, cursor):
        text = self.text(cursor)
        if text and not text.startswith("!"):  # which unary() takes away
            self.replace("negated", cursor, f"!({text})")

    def arguments(self, cursor):
        arguments = list(cursor.get_arguments())
        for left, right in zip(arguments, arguments[1:]):
            one, other = self.text(left), self.text(right)
            same = left.type.get_canonical().spelling == right.type.get_canonical().spelling
            start, end = left.extent.end.offset, right.extent.start.offset
            if same and one != other and one and other and self.between(start, end).strip() == ",":
                both = other + self.between(start, end) + one
                self.add("swapped", left.extent.start.offset, right.extent.end.offset, both, left.extent.start.line)

    def statement(self, cursor, parent, last):
        text = self.text(cursor)
        if not text or self.texts[self.path][cursor.extent.end.offset :].lstrip()[:1] != b";":
            return  # an operand, or the expansion of a macro
        if cursor.kind == Kind.RETURN_STMT and last is not None and _within(cursor, last):
            return
        name = cursor.spelling if cursor.kind == Kind.CALL_EXPR else ""
        ends = any(word in _ENDINGS for word in name.lower().split("_"))
        self.replace("unreleased" if ends else "dropped", cursor, "(void)0")


def _within(cursor, outer):
    return outer.extent.start.offset <= cursor.extent.start.offset <= outer.extent.end.offset


def find(units, wanted):
    """Every fault in functions of the files that are wanted. Units are (path, compiler arguments)."""
    seen, faults = set(), []
    index = cindex.Index.create()
    for path, arguments in units:
        unit = index.parse(path, args=arguments)
        errors = [str(report) for report in unit.diagnostics if report.severity >= cindex.Diagnostic.Error]
        if errors:
            raise SystemExit(f"clang cannot read {path}: {errors[0]}")
        finder = _Finder(wanted, seen)
        finder.unit(unit)
        faults += finder.faults
    return _numbered(sorted(set(faults)))


def _numbered(faults):
    counts, result = {}, []
    for fault in faults:
        number = counts.get(fault.key, 0)
        counts[fault.key] = number + 1
        result.append(dataclasses.replace(fault, number=number))
    return result

#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""That the faults of a file are those that one would make by hand, and that their names do not depend on lines."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import faults  # pylint: disable=wrong-import-position

SOURCE = """
#define TWICE(x) ((x) + (x))
static int put(int *at, int a, int b)
{
    if (a < b && !b) {
        *at += TWICE(a);
        return -EINVAL_;
    }
    for (int i = 0; i < 5; i++) {
        put(at, b, a);
        break;
    }
    return a == 7 ? a : b;
}
"""

WANTED = {
    "bound: < => <= #0", "bound: < => <= #1", "comparison: && => ||", "comparison: == => !=", "negated: !b => b",
    "negated: a < b && !b => !(a < b && !b)", "negated: a == 7 => !(a == 7)", "arithmetic: += => -=",
    "arithmetic: i++ => i--", "dropped: *at += TWICE(a) => (void)0", "dropped: return -22 => (void)0",
    "unreleased: put(at, b, a) => (void)0", "dropped: break => (void)0", "swapped: b, a => a, b", "constant: 0 => 1",
    "constant: 5 => 6", "constant: 5 => 4", "constant: 7 => 8", "constant: 7 => 6", "constant: 22 => 23",
    "constant: 22 => 21",
}  # fmt: skip


def found(source):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sample.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        return faults.find([(path, [])], lambda each: each == path), source


def names(several):
    return {fault.key.split(" put: ")[1] for fault in several}


class FaultsTest(unittest.TestCase):
    source = SOURCE.replace("EINVAL_", "22")

    def test_those_of_a_function(self):
        several, _ = found(self.source)
        wanted = {name.removesuffix(" #0") for name in WANTED}
        self.assertEqual(names(several), wanted)

    def test_each_changes_its_place_alone(self):
        several, source = found(self.source)
        for fault in several:
            text = fault.applied(source.encode()).decode()
            self.assertEqual(text, source[: fault.start] + fault.new + source[fault.end :])
            self.assertNotEqual(text, source)
            self.assertEqual(source[fault.start : fault.end], fault.old)

    def test_names_survive_other_lines(self):
        moved = names(found("\n\n/* more */\nint other;\n" + self.source)[0])
        self.assertEqual(moved, names(found(self.source)[0]))
        self.assertEqual(len(moved), len(found(self.source)[0]))


if __name__ == "__main__":
    unittest.main()

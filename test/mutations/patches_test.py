# SPDX-License-Identifier: BSD-2-Clause
"""That patches apply where they were made for and nowhere else, that a test breaks each rule, and that the libraries have none of it.

Arguments: the libraries' sources, rules.h, the patches, and the tests that break rules.
"""
import os
import re
import sys
import tempfile
import unittest

import patches

_SOURCE = [f"{word}\n" for word in "a b c d e f g a b x d y".split()]
_CHANGED = _SOURCE[:4] + ["new\n"] + _SOURCE[5:]
_PATCH = patches.difference("rangemap/one.c", _SOURCE, _CHANGED)
_ARGUMENTS = sys.argv[1:]


def texts(condition):
    return {name: "".join(patches.read(name)) for name in _ARGUMENTS if condition(name)}


class Applying(unittest.TestCase):
    def applied(self, source, ignored=0):
        return patches.applied(source, "rangemap/one.c", _PATCH, ignored)

    def test_in_place(self):
        self.assertEqual(self.applied(_SOURCE), _CHANGED)

    def test_at_another_line(self):
        self.assertEqual(self.applied(["first\n"] + _SOURCE), ["first\n"] + _CHANGED)

    def test_not_where_the_code_changed(self):
        for i in range(2, 7):
            source = _SOURCE[:i] + ["other\n"] + _SOURCE[i + 1 :]
            with self.assertRaisesRegex(patches.Failure, "0 places"):
                self.applied(source)

    def test_not_in_two_places(self):
        with self.assertRaisesRegex(patches.Failure, "2 places"):
            self.applied(_SOURCE + _SOURCE)

    def test_refreshed_where_the_surroundings_changed(self):
        source = _SOURCE[:2] + ["other\n"] + _SOURCE[3:]
        after = self.applied(source, ignored=2)
        self.assertEqual(after, source[:4] + ["new\n"] + source[5:])
        self.assertEqual(patches.applied(source, "rangemap/one.c", patches.check("rangemap/one.c", source, after)), after)

    def test_not_refreshed_where_the_line_itself_changed(self):
        with self.assertRaises(patches.Failure):
            self.applied(_SOURCE[:4] + ["other\n"] + _SOURCE[5:], ignored=2)

    def test_a_patch_without_its_source(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(patches.Failure, "no such source"):
            patches.make(folder, ["test/mutations/gone.c.patch"])


class Rules(unittest.TestCase):
    def names(self, pattern, condition):
        return set(re.findall(pattern, "".join(texts(condition).values()), re.MULTILINE))

    def test_each_is_broken(self):
        rules = self.names(r"^    (RM_\w+),", lambda name: name.endswith("rules.h")) - {"RM_NO_RULE"}
        self.assertGreater(len(rules), 80)
        self.assertEqual(rules - self.names(r"\bRM_\w+", lambda name: name.endswith((".patch", "threads.c"))), set(), "by no patch")
        self.assertEqual(rules - self.names(r"\bRM_\w+", lambda name: name.endswith("_test.c")), set(), "by no test")

    def test_the_libraries_have_no_part_in_it(self):
        sources = texts(lambda name: re.match(r"(rangemap|pagemap)/", name))
        self.assertGreater(len(sources), 200)
        for name, text in sources.items():
            self.assertIsNone(re.search(r"rm_broken|rm_rule|RANGEMAP_MUTANTS|test/", re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)), name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

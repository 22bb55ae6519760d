#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Usage: labels_test.py WORKSPACE

Every repository that a BUILD or .bzl file names is defined in both worlds: for Bazel 4 by WORKSPACE and dependencies.bzl,
for Bazels with modules by MODULE.bazel; and what other modules load needs no repository that only this one's developers
have. Bazel 4 itself shows that the labels of its world resolve; nothing else here could say so for the other.
"""

import os
import re
import subprocess
import sys

# What others may load: all but tests, benchmarks, examples and tools.
PUBLIC = ("bazel", "packaging", "pagemap", "rangemap")
BUILT_IN = {"bazel_tools", "rangemap"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return re.sub(r"^\s*#.*", "", file.read(), flags=re.M)


def used(root):
    """(repository, file) of each label outside of comments. Files that are written into repositories count, too."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith((".", "bazel-"))]
        for name in names:
            if name == "BUILD" or name.endswith((".bzl", ".BUILD")):
                path = os.path.join(folder, name)
                for repository in re.findall(r'"@(\w+)//', read(path)):
                    yield repository, os.path.relpath(path, root)


def workspace_repositories(root):
    text = read(f"{root}/WORKSPACE")
    for package, name in re.findall(r'^load\(\s*"//(\S+):(\S+\.bzl)"', text, flags=re.M):
        text += read(f"{root}/{package}/{name}")
    return set(re.findall(r'\bname = "(\w+)"', text)) | set(re.findall(r'^        "(\w+)": "/', text, flags=re.M))


def module_repositories(root, developers):
    """Those that MODULE.bazel makes visible: to all, or also those of dev_dependency."""
    found = set()
    text = read(f"{root}/MODULE.bazel")
    extensions = {}
    for call, arguments in re.findall(r"^(?:\w+ = )?(\w+)\((.*?)\)$", text, flags=re.M | re.S):
        if call == "bazel_dep" and (developers or "dev_dependency = True" not in arguments):
            found.add(re.search(r'name = "(\w+)"', arguments)[1])
    for name, arguments in re.findall(r"^(\w+) = use_extension\((.*?)\)$", text, flags=re.M | re.S):
        extensions[name] = "dev_dependency = True" in arguments
    for name, arguments in re.findall(r"^use_repo\((\w+)(.*?)\)$", text, flags=re.M | re.S):
        if developers or not extensions[name]:
            found |= set(re.findall(r'"(\w+)"', arguments))
    return found


def mistakes(root):
    workspace, everybody = workspace_repositories(root), module_repositories(root, developers=False)
    developers = module_repositories(root, developers=True)
    for repository, path in sorted(set(used(root)) - {(name, path) for name, path in used(root) if name in BUILT_IN}):
        if repository not in workspace:
            yield f"{path}: neither WORKSPACE nor what it loads defines @{repository}"
        if repository not in developers:
            yield f"{path}: MODULE.bazel does not define @{repository}"
        elif path.startswith(PUBLIC) and "/test/" not in path and repository not in everybody and "/extensions" not in path:
            yield f"{path}: others load this, and have no @{repository}: it is a dev_dependency in MODULE.bazel"


def version_mistakes(root):
    version = re.search(r'RANGEMAP_VERSION = "(.*)"', read(f"{root}/bazel/version.bzl"))[1]
    if f'version = "{version}"' not in read(f"{root}/MODULE.bazel").split("bazel_dep")[0]:
        yield "MODULE.bazel has another version than bazel/version.bzl"


def test_notices(root, folder):
    """That it would notice: a copy with one repository taken out of each world."""
    for path, pattern, expected in [
        ("MODULE.bazel", r'bazel_dep\(name = "rules_shell".*\n', "MODULE.bazel does not define @rules_shell"),
        ("MODULE.bazel", r'(rules_shell", version = "[\d.]+")', "others load this, and have no @rules_shell"),
        ("bazel/dependencies.bzl", r'name = "ck"', "defines @ck"),
        ("MODULE.bazel", r'"linux_source", ', "MODULE.bazel does not define @linux_source"),
    ]:
        copy = f"{folder}/{abs(hash((path, pattern)))}"
        os.makedirs(copy)
        subprocess.run(["cp", "-r", *(f"{root}/{name}" for name in ("bazel", "packaging", "rangemap", "third_party")),
                        f"{root}/WORKSPACE", f"{root}/MODULE.bazel", copy], check=True)
        text = open(f"{copy}/{path}", encoding="utf-8").read()
        replacement = r"\1, dev_dependency = True" if "(" in pattern[:1] else ""
        changed = re.sub(pattern, replacement, text, count=1)
        assert changed != text, f"{path} has no {pattern}"
        with open(f"{copy}/{path}", "w", encoding="utf-8") as file:
            file.write(changed)
        assert any(expected in mistake for mistake in mistakes(copy)), f"nobody notices: {path} without {pattern}"


top = os.path.dirname(os.path.realpath(sys.argv[1]))
found = [*mistakes(top), *version_mistakes(top)]
print(*found, sep="\n")
assert len(set(used(top))) > 20, "too few labels are found"
test_notices(top, os.environ["TEST_TMPDIR"])
sys.exit(bool(found))

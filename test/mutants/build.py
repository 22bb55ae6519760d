# SPDX-License-Identifier: BSD-2-Clause
"""Builds tests anew with one file changed: only what includes it, by the commands that Bazel used, in a copy of the tree.

Bazel builds everything once as it is. A change then costs one compiler run for each object that depends on it and one
linker run for each test, in a fraction of the time that Bazel itself would take for it.
"""

import json
import os
import re
import shutil
import subprocess

_FOLDERS = ("rangemap", "pagemap", "test", "docs")
_OUT = "bazel-out"
# Where Bazel puts the patched copy of the library (test/mutations), and where it is in a tree with a fault.
_BUILT_COPY, _COPY, _NOWHERE = "/bin/test/mutations/copy", "copy", "nowhere"
# Objects of the builds that users get, a folder's each, not of those for tests alone.
_PLAIN = re.compile(r"/bin/(?:rangemap/_objs/rangemap_(?!small_|cores_)|pagemap/_objs/pagemap_(?!small_)|pagemap/compat/_objs/)")


class Unbuildable(Exception):
    """The changed source does not compile."""


def bazel(*arguments):
    run = subprocess.run(["./bazelw", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"bazelw {arguments[0]} fails:\n{run.stderr[-4000:]}")
    return run.stdout


class Unpatchable(Exception):
    """The fault stands where a patch of test/mutations changes the source."""


class Graph:
    """How Bazel builds the tests, and a copy of what it built."""

    def __init__(self, labels, folder):
        self.folder = folder
        self.external = os.path.join(bazel("info", "execution_root").strip(), "external")
        bazel("build", *labels)
        self.data = _programs_in_data(labels)
        linked = {*labels, *(program for several in self.data.values() for program in several)}
        query = f'mnemonic("CppCompile|CppLink", deps(set({" ".join(labels)})))'
        self._read(json.loads(bazel("aquery", "--output=jsonproto", query)), linked)
        if not any(map(_PLAIN.search, self.compile)):
            raise SystemExit("mutants: none of the objects is the library's: have its targets other names?")
        self._copy()

    def _read(self, found, linked):
        fragments = {part["id"]: part for part in found["pathFragments"]}
        paths = {each["id"]: _path(fragments, each["pathFragmentId"]) for each in found["artifacts"]}
        labels = {each["id"]: each["label"] for each in found["targets"]}
        self.compile = {}  # object: command
        self.link = {}  # label: (output, command)
        for action in found["actions"]:
            arguments, outputs = action["arguments"], [paths[each] for each in action["outputIds"]]
            if action["mnemonic"] == "CppCompile":
                self.compile.update({out: arguments for out in outputs if out.endswith(".o")})
            elif labels[action["targetId"]] in linked:
                arguments = [each for each in arguments if not each.startswith("@")]
                self.link[labels[action["targetId"]]] = (arguments[arguments.index("-o") + 1], arguments)
        self.objects = {label: [each for each in command if each in self.compile] for label, (_, command) in self.link.items()}

    def _copy(self):
        """So that what Bazel builds meanwhile changes nothing here."""
        self.sources = {}
        for path in {*self.compile, *(output for output, _ in self.link.values())}:
            _copy_to(path, os.path.join(self.folder, path))
        for path in self.compile:
            with open(path[:-2] + ".d", encoding="utf-8") as file:
                needed = file.read().replace("\\\n", " ").split()[1:]
            for source in map(os.path.normpath, needed):
                source = source.split(_BUILT_COPY + "/")[-1]
                self.sources.setdefault(source, set()).add(path)
        for folder in _FOLDERS:
            shutil.copytree(folder, os.path.join(self.folder, "tree", folder), symlinks=True)

    def source_units(self, folders):
        """(path, compiler arguments) of each source below these, once."""
        units = {}
        for arguments in self.compile.values():
            path = arguments[arguments.index("-c") + 1]
            if path.startswith(tuple(f"{folder}/" for folder in folders)):
                flags = arguments[1 : arguments.index("-c")]
                units.setdefault(path, ["-iquote", ".", *(flag for flag in flags if flag.startswith(("-D", "-std", "-m")))])
        return sorted(units.items())


def _programs_in_data(labels):
    """Of each test, the programs that it looks for when it runs."""
    data = {label: [] for label in labels}
    tests = f"set({' '.join(labels)})"
    for program in bazel("query", f"kind(cc_binary, labels(data, {tests}))").split():
        # Not rdeps(), which loads all that the tests depend on, on every machine: arm64's packages, too.
        for label in bazel("query", rf'attr(data, "[\[ ]{program}[,\]]", {tests})').split():
            data[label].append(program)
    return data


def _path(fragments, identity):
    parts = []
    while identity:
        parts.append(fragments[identity]["label"])
        identity = fragments[identity].get("parentId", 0)
    return "/".join(reversed(parts))


def _copy_to(path, copy):
    os.makedirs(os.path.dirname(copy), exist_ok=True)
    shutil.copy2(path, copy)


class Tree:
    """One copy of the sources, in which one fault at a time is built and run."""

    def __init__(self, graph, folder):
        self.graph, self.folder = graph, os.path.abspath(folder)
        shutil.copytree(os.path.join(graph.folder, "tree"), self.folder, symlinks=True)
        os.symlink(graph.external, os.path.join(self.folder, "external"))
        os.symlink(os.path.abspath(os.path.join(graph.folder, _OUT)), os.path.join(self.folder, _OUT))
        self.fault, self.before, self.built, self.has_copy = None, b"", {}, False
        self._place_data()

    def path(self, name):
        return os.path.join(self.folder, name)

    def apply(self, fault):
        with open(self.path(fault.path), "rb") as file:
            self.before = file.read()
        self.fault, self.built, self.has_copy = fault, {}, False
        self._write(fault.applied(self.before))

    def restore(self):
        self._write(self.before)
        self._place_data()
        shutil.rmtree(self.path("out"), ignore_errors=True)

    def _place_data(self):
        """Programs that tests open, as they are without a fault."""
        for data in {each for several in self.graph.data.values() for each in several}:
            self._place(data, self.graph.link[data][0])

    def _place(self, data, output):
        place = self.path(data.lstrip("/").replace(":", "/"))
        if os.path.lexists(place):
            os.unlink(place)
        shutil.copy(self.path(output), place)  # with its mode: some are run

    def _write(self, text):
        with open(self.path(self.fault.path), "wb") as file:
            file.write(text)

    def _run(self, command):
        run = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if run.returncode != 0:
            raise Unbuildable(run.stdout.decode(errors="replace")[-2000:])

    def compiled(self, path):
        """The object with the fault in it, relative to the tree."""
        if path not in self.built:
            command = self._of_copy(self.graph.compile[path])
            output = os.path.join("out", path)
            os.makedirs(os.path.dirname(self.path(output)), exist_ok=True)
            place = command.index("-MD")
            del command[place : place + 3]
            command[command.index("-o") + 1] = output
            self._run([*command, "-w"])
            self.built[path] = output
        return self.built[path]

    def _of_copy(self, command):
        """The same command, or if it is for the patched copy of the library, for one that is made of the sources with the fault."""
        built = [each[: each.index(_BUILT_COPY) + len(_BUILT_COPY)] for each in command if each.endswith(_BUILT_COPY)]
        if not built:
            return list(command)
        if not self.has_copy:
            try:
                self._run(["test/mutations/patches.py", "copy", _COPY])
            except Unbuildable as error:
                raise Unpatchable from error
            self.has_copy = True
        # In front of the sources themselves; named as a system's folder, too, it would come behind them.
        command = [_NOWHERE if each == built[0] else each.replace(f"{built[0]}/", f"{_COPY}/") for each in command]
        return [command[0], "-iquote", _COPY, *command[1:]]

    def changes_code(self):
        """Whether the library as users get it is another one with the fault."""
        for path in sorted(self.graph.sources.get(self.fault.path, ())):
            if _PLAIN.search(path):
                with open(self.path(self.compiled(path)), "rb") as now, open(self.path(path), "rb") as before:
                    if now.read() != before.read():
                        return True
        return False

    def program(self, label):
        """The test with the fault in it, or None if it holds nothing of it, or cannot."""
        try:
            return self._changed_program(label)
        except Unpatchable:
            return None

    def _changed_program(self, label):
        changed = False
        for data in self.graph.data[label]:
            output = self._linked(data)
            if output:
                self._place(data, output)
                changed = True
        return self._linked(label) or (self.graph.link[label][0] if changed else None)

    def _linked(self, label):
        dirty = self.graph.sources.get(self.fault.path, set())
        objects = {path: self.compiled(path) for path in self.graph.objects[label] if path in dirty}
        if not objects:
            return None
        output, command = self.graph.link[label]
        command = [objects.get(each, each) for each in command]
        output = os.path.join("out", output)
        os.makedirs(os.path.dirname(self.path(output)), exist_ok=True)
        command[command.index("-o") + 1] = output
        self._run(command)
        return output

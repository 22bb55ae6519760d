#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The recipes that have not been run where they are for (RPM, vcpkg, Conan) say so; and as far as Debian's tools can tell they are right:
# rpmbuild packages all that is installed, JSON and Python are well-formed, files that are named exist, versions agree.
# Usage: recipes_test.sh INSTALL VERSION_BZL
set -euo pipefail
install=$PWD/$1 source=$(dirname -- "$(dirname -- "$(readlink -f -- "$2")")")
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

version=$(sed -n 's/^RANGEMAP_VERSION = "\(.*\)"/\1/p' "$source/bazel/version.bzl")
[[ -n $version ]] || fail "no version"
for recipe in rpm/rangemap.spec vcpkg/vcpkg.json vcpkg/portfile.cmake conan/conanfile.py; do
    grep -q UNTESTED "$source/packaging/$recipe" || fail "$recipe does not say that it is untested"
    [[ $recipe == *.cmake ]] || grep -q "[\" ]$version\(\"\|$\)" "$source/packaging/$recipe" || fail "$recipe: another version than $version"
done

# ---- RPM: packages are made of what //:install writes, which is what CMake installs (build_test) ----

mkdir -p "rangemap-$version" rpm/SOURCES rpm/tmp
cp "$source/LICENSE" "rangemap-$version"
tar -czf "rpm/SOURCES/rangemap-$version-source.tar.gz" "rangemap-$version"
# build SPEC: what it says goes to out.
build() {
    rpmbuild -bb --nodeps --define "_topdir $PWD/rpm" --define "_tmppath $PWD/rpm/tmp" --define '_libdir /usr/lib64' --define 'cmake true' --define 'cmake_build true' \
        --define "cmake_install $install --destdir=%{buildroot} --prefix=/usr --libdir=/usr/lib64" \
        --define '__os_install_post %{nil}' --define 'debug_package %{nil}' --define "_dbpath $PWD/rpm/db" "$1" >out 2>&1
}
build "$source/packaging/rpm/rangemap.spec" || { tail -30 out >&2; fail "rpmbuild"; }
rpm -qlp rpm/RPMS/*/rangemap-devel-*.rpm >files 2>/dev/null
for file in /usr/include/rangemap/rangemap.hpp /usr/lib64/librangemap.a /usr/lib64/pkgconfig/pagemap.pc /usr/share/man/man3/rangemap_find.3; do
    grep -q "^$file" files || fail "no $file in rangemap-devel"
done
rpm -qlp rpm/RPMS/*/rangemap-"$version"*.rpm >files 2>/dev/null
grep -q "librangemap.so.$version" files || fail "no library in rangemap"
# That it would notice a file that is in no package.
sed '/_includedir}\/pagemap/d' "$source/packaging/rpm/rangemap.spec" >less.spec
if build less.spec || ! grep -q 'include/pagemap/pagemap.h' out; then fail "nobody misses a file"; fi

# ---- vcpkg, Conan ----

"$install" --prefix="$PWD/prefix" >/dev/null
cp prefix/lib/cmake/rangemap/rangemapPaths.cmake paths.cmake

python3 - "$source" "$version" <<'END' || fail "vcpkg or Conan"
import ast, glob, json, os, re, shutil, subprocess, sys

root, version = sys.argv[1:]
port = json.load(open(f"{root}/packaging/vcpkg/vcpkg.json"))
assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", port["name"]) and port["version"] == version, port
assert set(port) <= {"$comment", "name", "version", "description", "license", "supports", "dependencies"}, port
for dependency in port["dependencies"]:
    assert set(dependency) <= {"name", "host"} and isinstance(dependency["name"], str), dependency
text = open(f"{root}/packaging/vcpkg/portfile.cmake").read()
assert text.count("(") == text.count(")") and "vcpkg_install_copyright" in text
cmake = open(f"{root}/CMakeLists.txt").read()
assert all(option in cmake for option in re.findall(r"-D(\w+)=", text)), "an option that CMakeLists.txt does not have"

recipe = ast.parse(open(f"{root}/packaging/conan/conanfile.py").read())
(patterns,) = [node.iter.elts for node in ast.walk(recipe) if isinstance(node, ast.For)]
patterns = [pattern.value for pattern in patterns]
for pattern in patterns:
    assert glob.glob(os.path.join(root, pattern)), f"no file {pattern}"
moved = open("paths.cmake").read()
for old, new in re.findall(r"vcpkg_replace_string\(\S+ \[\[(.*?)\]\] \[\[(.*?)\]\]\)", text):
    assert old in moved, f"vcpkg: {old} is not in rangemapPaths.cmake"
    moved = moved.replace(old, new)
assert re.findall(r"LIST_DIR}/(\S*)\"", moved) == ["../../lib", "../../include"], moved

for used in re.findall(r"(?:install\(FILES|configure_file\(|install\(DIRECTORY) ?\"?([a-z]+/[\w./-]+)", cmake) + ["bazel/version.bzl"]:
    assert any(used == pattern or used.startswith(pattern.removesuffix("*")) for pattern in patterns), f"{used} is not exported"
for pattern in patterns:
    for path in glob.glob(os.path.join(root, pattern)):
        to = os.path.join("exported", os.path.relpath(path, root))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        (shutil.copytree if os.path.isdir(path) else shutil.copy)(path, to)
subprocess.run([sys.executable, "packaging/manual.py", "--install", os.path.abspath("man")], cwd="exported", check=True)
assert os.path.exists("man/man3/rangemap_find.3")
END
echo PASSED

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A release of a repository made here: the same bytes at another time, from another folder, for another user's umask; what
# is in it works; and what must not be released is refused.
# Usage: release_test.sh RELEASE
set -euo pipefail
release=$PWD/$1 smoke=$PWD/packaging/test/consumer
cd "$TEST_TMPDIR"
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# refuses PATTERN COMMAND...: must fail, and say what matches the pattern.
refuses() {
    if "${@:2}" >out 2>&1; then fail "${*:2}: succeeded"; fi
    grep -q -- "$1" out || { cat out >&2; fail "${*:2}: no word of '$1'"; }
}

mkdir repository
export BUILD_WORKSPACE_DIRECTORY=$PWD/repository BUILD_WORKING_DIRECTORY=$PWD
git_here() {
    git -C repository -c user.name=a -c user.email=b "$@"
}
git_here init -q
printf '# Changelog\n\n## Unreleased\n' >repository/CHANGELOG.md
git_here add CHANGELOG.md
git_here commit -qm 1 --date=2020-01-01T00:00:00Z

"$release" --help >out
grep -q -- --output=DIR out || fail "--help is no help"
refuses 'is no option' "$release" --nonsense
refuses 'no section of 0.1.0' "$release"
printf '\n## 0.1.0 - today\n' >>repository/CHANGELOG.md
refuses 'files have changed' "$release"
git_here commit -qam 2
touch repository/more
refuses 'files have changed' "$release"
rm repository/more

"$release" --output=one >/dev/null
sleep 1.1 # tar and gzip count seconds
mkdir elsewhere
(umask 077 && cd elsewhere && TZ=Asia/Tokyo LC_ALL=C "$release" --output="$PWD/../two" >/dev/null)
diff -r one two >&2 || fail "another time, other bytes"
(cd one && sha256sum --quiet -c SHA256SUMS)

tar -xf one/rangemap-0.1.0-source.tar.gz
diff repository/CHANGELOG.md rangemap-0.1.0/CHANGELOG.md || fail "the source"
rm -r rangemap-0.1.0
tar -xf one/rangemap-0.1.0.tar.gz
cd rangemap-0.1.0
for library in rangemap pagemap; do
    { echo "#define SMOKE_AMALGAMATED"; cat "$smoke/${library}_smoke.c"; } >smoke.c
    sources=(rangemap.c)
    [[ $library == rangemap ]] || sources+=(pagemap.c)
    gcc -O0 -Wall -Wextra "${sources[@]}" smoke.c -lck -o smoke
    ./smoke || fail "$library of the release"
    [[ $(PKG_CONFIG_PATH=$PWD pkg-config --modversion $library) == 0.1.0 ]] || fail "$library.pc"
done
! grep @ ./*.pc || fail "a template is not filled in"
man -M "$PWD/man" rangemap_find >page
grep -q 'struct rangemap_entry' page || fail "manual pages"
for file in LICENSE README rangemap.hpp; do
    [[ -s $file ]] || fail "$file is missing"
done
echo PASSED

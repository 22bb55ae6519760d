#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
usage='Usage: abi.sh describe|check|update LIBRARY ABI HEADER...

The public ABI of a library, as abidw describes it, and its baseline, packaging/abi/LIBRARY-ABI.abi.

  describe  writes the description to standard output
  check     compares it with the baseline; COMPILER=clang asks another compiler
  update    writes the baseline; by ./bazelw run //packaging:LIBRARY_abi_update

Run in the folder that the paths of the headers count from.'
set -euo pipefail

die() {
    printf 'abi: %s\n' "$*" >&2
    exit 1
}

# describe FILE
describe() {
    python3 packaging/abi_stub.py "${headers[@]}" >"$folder/stub.c"
    "${COMPILER:-gcc}" -w -std=gnu11 -g -gdwarf-4 -ffile-prefix-map="$folder"=. -O0 -fPIC -shared -I. "$folder/stub.c" -o "$folder/stub.so"
    # What is the C library's is not ours, nor the same everywhere.
    printf '[suppress_type]\n  name_regexp = ^(_IO_FILE|__pthread_.*)$\n  drop = yes\n' >"$folder/suppressions"
    abidw --suppressions "$folder/suppressions" --no-corpus-path --no-show-locs --no-comp-dir-path --no-elf-needed \
        --no-architecture --no-parameter-names "$folder/stub.so" >"$1"
}

check() {
    local change=0
    [[ -s $baseline ]] || die "there is no $baseline: ./bazelw run //packaging:${library}_abi_update writes it"
    describe "$folder/now.abi"
    abidiff --suppressions "$folder/suppressions" --no-architecture --fail-no-debug-info "$baseline" "$folder/now.abi" \
        >"$folder/report" || change=$?
    ((change == 0)) && return
    cat "$folder/report" >&2
    ((change & 3)) && die "abidiff could not compare"
    cat >&2 <<END

The ABI of lib$library is not that of $baseline (above: what differs). docs/abi.md has the rules.
If that is not meant, undo it. If it is:
  1. Something was removed or changed, in a released version: raise the version in rangemap.h and RANGEMAP_VERSION,
     RANGEMAP_ABI in bazel/version.bzl, so that the SONAME changes. Something was only added: raise the version alone.
  2. Say it in CHANGELOG.md.
  3. ./bazelw run //packaging:${library}_abi_update
END
    exit 1
}

(($# >= 4)) || die "$usage"
action=$1 library=$2 baseline=packaging/abi/$2-$3.abi headers=("${@:4}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $action in
describe) describe /dev/stdout ;;
check) check ;;
update)
    [[ -n ${BUILD_WORKSPACE_DIRECTORY-} ]] || die "update is for ./bazelw run //packaging:${library}_abi_update"
    describe "$BUILD_WORKSPACE_DIRECTORY/$baseline"
    ;;
*) die "$usage" ;;
esac

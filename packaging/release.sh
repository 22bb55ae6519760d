#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
usage='Usage: bazelw run //packaging:release -- [OPTION...]

Writes the files of a release of the commit that is checked out: docs/releasing.md.

  rangemap-VERSION-source.tar.gz  all that git has
  rangemap-VERSION.tar.gz         rangemap and pagemap as one C file and header each, rangemap.hpp, licence, manual
                                  pages, files for pkg-config
  SHA256SUMS                      of both

  --output=DIR  where to, instead of dist
  --snapshot    also if files have changed since the commit (which are then not in it) or CHANGELOG.md has no section
                of the version
  --help        this

The same commit gives the same bytes, whenever and wherever it is done.'
set -euo pipefail

die() {
    printf 'release: %s\n' "$*" >&2
    exit 1
}

output=dist snapshot=0
for argument; do
    case $argument in
    --help) printf '%s\n' "$usage" && exit 0 ;;
    --output=?*) output=${argument#*=} ;;
    --snapshot) snapshot=1 ;;
    *) die "'$argument' is no option, or lacks its value; --help explains" ;;
    esac
done
[[ -n ${BUILD_WORKSPACE_DIRECTORY-} ]] || die "bazelw run //packaging:release is the way to call this"
output=$(cd "${BUILD_WORKING_DIRECTORY:-$BUILD_WORKSPACE_DIRECTORY}" && realpath -m -- "$output")
# Bazel puts the files that a program needs beside it, or the program among them.
for folder in "$0.runfiles/rangemap" "$(dirname -- "$0")/.."; do
    [[ ! -f $folder/packaging/version.txt ]] || break
done
cd "$folder"
read -r version abi <packaging/version.txt
name=rangemap-$version
umask 022

in_repository() {
    git -C "$BUILD_WORKSPACE_DIRECTORY" "$@"
}

commit=$(in_repository rev-parse HEAD) || die "$BUILD_WORKSPACE_DIRECTORY is not a git repository"
if ((!snapshot)); then
    [[ -z $(in_repository status --porcelain) ]] || die "files have changed since the last commit: commit them, or --snapshot"
    grep -qE "^## \[?${version//./\\.}\b" <<<"$(in_repository show HEAD:CHANGELOG.md)" || die "CHANGELOG.md has no section of $version"
fi
seconds=$(in_repository show -s --format=%ct HEAD)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/$name/man" "$output"
cp packaging/amalgamation/{rangemap,pagemap}.[ch] rangemap/*.hpp LICENSE "$work/$name/"
for library in rangemap pagemap; do
    # shellcheck disable=SC2016 # for pkg-config
    sed -e 's|@PREFIX@|/usr/local|; s|@LIBDIR@|${prefix}/lib|; s|@INCLUDEDIR@|${prefix}/include|; s|@CK_LIBS@|-lck|' \
        -e "s|@VERSION@|$version|; s|@ABI@|$abi|" "packaging/pkgconfig/$library.pc.in" >"$work/$name/$library.pc"
    tar -xf "packaging/${library}_manual.tar" -C "$work/$name/man" --no-same-owner
done
cat >"$work/$name/README" <<END
rangemap $version (commit $commit)

    cc -O2 rangemap.c app.c -lck                 # rangemap.h is the reference
    cc -O2 rangemap.c pagemap.c app.c -lck       # the kernel's memremap API in user space, too
    man -M man rangemap

Needs Concurrency Kit 0.7.0 or later, gcc or clang, Linux, a 64-bit little-endian processor. rangemap.hpp is a header for
C++17, beside rangemap.h. The .pc files are for those who install a library made of this; mind their prefix.
END
tar -C "$work" --sort=name --mtime="@$seconds" --owner=0 --group=0 --numeric-owner --mode='u=rwX,go=rX' --format=ustar \
    -cf - "$name" | gzip -9n >"$output/$name.tar.gz"
in_repository archive --format=tar --prefix="$name/" HEAD | gzip -9n >"$output/$name-source.tar.gz"
cd "$output"
sha256sum "$name-source.tar.gz" "$name.tar.gz" >SHA256SUMS
printf 'release: %s of commit %s is in %s\n' "$version" "$commit" "$output"

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
usage='Usage: bazelw run //:install -- --prefix=DIR [OPTION...]

Installs rangemap and pagemap: headers, shared and static libraries, manual pages, what pkg-config and CMake need to
find them, commands for gdb in PREFIX/share/rangemap/rangemap.py, and checked mode in PREFIX/lib/rangemap.

  --prefix=DIR      below which all of it goes; required
  --libdir=DIR      libraries, instead of PREFIX/lib
  --includedir=DIR  headers, instead of PREFIX/include
  --mandir=DIR      manual pages, instead of PREFIX/share/man
  --destdir=DIR     put in front of every path when files are written, and nowhere else: for packages. The
                    environment variable DESTDIR does the same.
  --help            this

Relative paths count from where bazelw was called. Files of an older installation are replaced; nothing else is
removed.'
set -euo pipefail

die() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

# absolute PATH: of a user's path, which may not exist yet.
absolute() {
    realpath -m -s -- "$( [[ $1 == /* ]] || printf '%s/' "${BUILD_WORKING_DIRECTORY:-$caller}")$1"
}

parse() {
    local argument
    prefix='' libdir='' includedir='' mandir='' destdir=${DESTDIR-}
    for argument; do
        case $argument in
        --help) printf '%s\n' "$usage" && exit 0 ;;
        --prefix=?* | --libdir=?* | --includedir=?* | --mandir=?* | --destdir=?*)
            printf -v "$(expr "$argument" : '--\([a-z]*\)=')" %s "$(absolute "${argument#*=}")" ;;
        *) die "'$argument' is no option, or lacks its value; --help explains" ;;
        esac
    done
    [[ -n $prefix ]] || die "--prefix=DIR is required; --help explains"
    libdir=${libdir:-$prefix/lib} includedir=${includedir:-$prefix/include} mandir=${mandir:-$prefix/share/man}
    [[ -z $destdir ]] || destdir=$(absolute "$destdir")
}

# put MODE TARGET [SOURCE]: writes a file, with its folders, from SOURCE or standard input.
put() {
    install -D -m "$1" -- "${3:-/dev/stdin}" "$destdir$2"
}

# fill TEMPLATE: to standard output.
fill() {
    # A path may hold any character but newlines: those that mean something to sed are quoted.
    sed -e "s|@PREFIX@|$(quoted "$prefix")|" -e "s|@LIBDIR@|$(quoted "$libdir")|" \
        -e "s|@INCLUDEDIR@|$(quoted "$includedir")|" -e "s|@VERSION@|$version|" -e "s|@ABI@|$abi|" -e "s|@CK_LIBS@|-lck|" \
        -e "s|@INCLUDEDIR_FROM_CONFIG@|$(quoted "$(realpath -m -s --relative-to="$libdir/cmake/x" "$includedir")")|" \
        "packaging/$1"
}

# quoted STRING: for the right side of sed's s|||.
quoted() {
    printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}

# install_library NAME: the shared one with its links, and the static one.
install_library() {
    local file=lib$1.so.$version
    put 755 "$libdir/$file" "packaging/$file"
    ln -sf "$file" "$destdir$libdir/lib$1.so.$abi"
    ln -sf "lib$1.so.$abi" "$destdir$libdir/lib$1.so"
    put 644 "$libdir/lib$1.a" "packaging/lib$1.a"
    strip --strip-debug -- "$destdir$libdir/$file" "$destdir$libdir/lib$1.a"
}

# What drivers of the kernel are linked with.
install_compat() {
    put 644 "$libdir/libpagemap_compat.a" packaging/libpagemap_compat.a
    strip --strip-debug -- "$destdir$libdir/libpagemap_compat.a"
}

# install_package NAME: what finds the library.
install_package() {
    fill "pkgconfig/$1.pc.in" | put 644 "$libdir/pkgconfig/$1.pc"
    put 644 "$libdir/cmake/$1/$1Config.cmake" "packaging/cmake/$1Config.cmake"
    fill cmake/ConfigVersion.cmake.in | put 644 "$libdir/cmake/$1/$1ConfigVersion.cmake"
}

install_headers() {
    local header
    for header in rangemap/*.h rangemap/*.hpp pagemap/*.h pagemap/compat/*.h pagemap/compat/{asm,linux,linux/*,xen}/*.h; do
        put 644 "$includedir/$header" "$header"
    done
}

# install_manual NAME
install_manual() {
    mkdir -p "$destdir$mandir"
    tar -xf "packaging/$1_manual.tar" -C "$destdir$mandir" --no-same-owner
}

# Twice: to be sourced, and where gdb looks by itself when it loads the shared library, if PREFIX is /usr.
install_gdb_commands() {
    put 644 "$prefix/share/rangemap/rangemap.py" tools/gdb/rangemap.py
    put 644 "$prefix/share/gdb/auto-load$libdir/librangemap.so.$version-gdb.py" tools/gdb/rangemap.py
}

# To be preloaded: not on the linker's path.
install_checked_mode() {
    put 755 "$libdir/rangemap/librangemap_checked.so" tools/checked/librangemap_checked.so
}

caller=$PWD
parse "$@"
# Bazel puts the files that a program needs beside it, or the program among them.
for folder in "$0.runfiles/rangemap" "$(dirname -- "$0")/.."; do
    [[ ! -f $folder/packaging/version.txt ]] || break
done
cd "$folder"
read -r version abi <packaging/version.txt
umask 022
install_headers
for name in rangemap pagemap; do
    install_library "$name"
    install_package "$name"
    install_manual "$name"
done
install_compat
install_gdb_commands
install_checked_mode
fill cmake/rangemapPaths.cmake.in | put 644 "$libdir/cmake/rangemap/rangemapPaths.cmake"
printf 'install: rangemap %s is in %s\n' "$version" "$destdir$prefix"

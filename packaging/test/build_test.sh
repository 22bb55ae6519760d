#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# CMakeLists.txt and meson.build compile the same files as Bazel, install the same files, export the same symbols, and serve
# other projects as a part of them.
# Usage: build_test.sh CMAKELISTS INSTALL
set -euo pipefail
# What a user has: the folder itself, not the links that Bazel makes for tests.
source=$(dirname -- "$(readlink -f -- "$1")")
install=$PWD/$2 runfiles=$PWD consumer=$PWD/packaging/test/consumer
here=$TEST_TMPDIR
# The libraries are compiled seven times, mostly alike. Meson takes ccache by itself.
export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_DIR=$here/ccache CCACHE_NOHASHDIR=1
export CMAKE_BUILD_PARALLEL_LEVEL=2 CMAKE_GENERATOR=Ninja CFLAGS='-O0 -pipe'
cd "$here"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# quiet COMMAND...: must succeed; what it says is shown only if it does not.
quiet() {
    "$@" >out 2>&1 || { cat out >&2; fail "$*"; }
    ! grep -i 'warning' out >&2 || fail "$*: warnings"
}

# refuses PATTERN COMMAND...: must fail, and say what matches the pattern.
refuses() {
    if "${@:2}" >out 2>&1; then fail "${*:2}: succeeded"; fi
    tr -s '\n ' ' ' <out >words
    grep -q -- "$1" words || { cat out >&2; fail "${*:2}: no word of '$1'"; }
}

# ---- the same files, however they are built ----

quiet "$install" --prefix="$here/by_bazel"
quiet cmake -S "$source" -B cmake -DCMAKE_INSTALL_PREFIX="$here/by_cmake" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
quiet cmake --build cmake
quiet cmake --install cmake
quiet cmake --install cmake --prefix "$here/elsewhere"
[[ -f elsewhere/share/man/man3/rangemap_find.3 ]] || fail "no manual pages where cmake --install --prefix says"
quiet meson setup meson "$source" --prefix="$here/by_meson" --libdir=lib -Doptimization=0
quiet ninja -j2 -C meson
quiet meson install -C meson

# compiled FOLDER: the C files of the libraries in compile_commands.json.
compiled() {
    sed -En "s#^ *\"file\": \"$source/((rangemap|pagemap)/[a-z_0-9/]*\.c)\".*#\1#p" "$1/compile_commands.json" | sort -u
}
(cd "$runfiles" && find -L rangemap pagemap -name '*.c') | sort >by_bazel.sources
(($(wc -l <by_bazel.sources) > 60)) || fail "too few sources"
for name in cmake meson; do
    compiled $name >by_$name.sources
    diff by_bazel.sources by_$name.sources >&2 || fail "$name compiles other files than Bazel"
done

# installed NAME: what is in its prefix, without the prefix.
installed() {
    (cd by_"$1" && find . ! -type d) | sed "s|$here/by_$1|PREFIX|" | sort
}
# content NAME: of the files that find the libraries.
content() {
    (cd by_"$1" && cat lib/pkgconfig/*.pc lib/cmake/*/*.cmake share/man/man3/rangemap_find.3) | sed "s|$here/by_$1|PREFIX|"
}
exported() {
    {
        nm -D --defined-only by_"$1"/lib/lib{rangemap,pagemap}.so.0.1.0
        nm --defined-only by_"$1"/lib/libpagemap_compat.a
    } | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort
}
for what in installed content exported; do
    $what bazel >bazel.$what
    [[ -s bazel.$what ]] || fail "$what: nothing"
    for name in cmake meson; do
        $what $name | diff bazel.$what - >&2 || fail "$what by Bazel and by $name"
    done
done
(($(readelf -dW by_*/lib/*.so.0.1.0 | grep -cE 'soname: \[lib(rangemap|pagemap)\.so\.0\.1\]') == 6)) || fail "SONAME"
(($(readelf -dW by_*/lib/*.so.0.1.0 | grep -c NODELETE) == 6)) || fail "-z nodelete"

# ---- a part of another project ----

# use_cmake NAME HOW: the consumer of the installation, with HOW in place of find_package().
use_cmake() {
    mkdir "$1.src"
    cp "$consumer"/*.c "$1.src"
    sed -e "s#^find_package(rangemap.*#$2#" -e '/^find_package/d' "$consumer/CMakeLists.txt" >"$1.src/CMakeLists.txt"
    # With what that project may have for its own files.
    quiet cmake -S "$1.src" -B "$1" -DCMAKE_C_VISIBILITY_PRESET=hidden -DCMAKE_UNITY_BUILD=ON
    quiet cmake --build "$1"
    for program in "$1"/{rangemap,pagemap}{,_static}_c{,c}; do
        quiet "$program"
    done
    DESTDIR="$here/$1.root" quiet cmake --install "$1"
    [[ ! -e $1.root ]] || fail "$1: the consumer's installation has files of ours"
}
use_cmake subdirectory "add_subdirectory($source rangemap)"
# FetchContent does the same, once it has the folder.
mkdir fetched.src
cat >fetched.src/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.14)
project(fetched C)
include(FetchContent)
FetchContent_Declare(rangemap SOURCE_DIR $source)
FetchContent_MakeAvailable(rangemap)
add_executable(fetched $consumer/rangemap_smoke.c)
target_link_libraries(fetched rangemap::rangemap_static)
END
quiet cmake -S fetched.src -B fetched
quiet cmake --build fetched
quiet fetched/fetched
[[ ! -e fetched/_deps/rangemap-build/libpagemap.a ]] || fail "what is not linked is built"

mkdir -p meson.src/subprojects
cp "$consumer"/*.c "$consumer/meson.build" meson.src
ln -s "$source" meson.src/subprojects/rangemap
printf '[provide]\nrangemap = rangemap_dep\npagemap = pagemap_dep\n' >meson.src/subprojects/rangemap.wrap
sed -i '1i [wrap-file]\ndirectory = rangemap' meson.src/subprojects/rangemap.wrap
quiet meson setup meson.sub meson.src --wrap-mode=forcefallback -Drangemap:optimization=0 -Dunity=on
quiet ninja -j2 -C meson.sub
PKG_CONFIG_PATH=$here/by_meson/lib/pkgconfig quiet meson setup meson.installed meson.src --wrap-mode=nofallback
quiet ninja -j2 -C meson.installed
for program in meson.{sub,installed}/{rangemap,pagemap}_smoke; do
    LD_LIBRARY_PATH=$here/by_meson/lib quiet "$program"
done

# ---- checked mode, built in ----

cat >mistake.c <<'END'
#include "rangemap/rangemap.h"
int main(void)
{
    struct rangemap *map;

    if (rangemap_create(NULL, &map) == 0) {
        rangemap_read_end(map);
    }
    return 0;
}
END
# stops PROGRAM
stops() {
    { "$1" >out 2>&1 && fail "$1: nobody stops it"; } 2>/dev/null
    grep -q '^rangemap: MISTAKE: rangemap_read_end() without a begin$' out || { cat out >&2; fail "$1: no message"; }
}
sed -i "s#$consumer/rangemap_smoke.c#$here/mistake.c#" fetched.src/CMakeLists.txt
quiet cmake -S fetched.src -B fetched -DRANGEMAP_CHECKED=ON
quiet cmake --build fetched
stops fetched/fetched
cp mistake.c meson.src/rangemap_smoke.c
quiet meson configure meson.sub -Drangemap:checked=true
quiet ninja -j2 -C meson.sub rangemap_smoke
stops meson.sub/rangemap_smoke

# ---- bad use ----

refuses 'install libck-dev (Debian)' cmake -S "$source" -B bad1 -DRANGEMAP_CK_LIBRARY=RANGEMAP_CK_LIBRARY-NOTFOUND \
    -DCMAKE_FIND_ROOT_PATH=/nonexistent -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY
refuses "is not Concurrency Kit's source" cmake -S "$source" -B bad2 -DRANGEMAP_CK_SOURCE=/usr
refuses "is not Concurrency Kit's source" meson setup bad3 "$source" -Dck_source=/usr
echo PASSED

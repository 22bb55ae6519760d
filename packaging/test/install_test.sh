#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Installs, looks at what is there, and builds consumers with it: by make and pkg-config, and by CMake; static and
# shared; C and C++.
set -euo pipefail
install=$PWD/$1 consumer=$PWD/packaging/test/consumer headers=$PWD
here=$TEST_TMPDIR
prefix=$here/prefix

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# quiet COMMAND...: must succeed; what it says is shown only if it does not.
quiet() {
    "$@" >"$here/out" 2>&1 || { cat "$here/out" >&2; fail "$*"; }
}

# refuses PATTERN COMMAND...: must fail, and say what matches the pattern.
refuses() {
    if "${@:2}" >"$here/out" 2>&1; then fail "${*:2}: succeeded"; fi
    grep -q -- "$1" "$here/out" || { cat "$here/out" >&2; fail "${*:2}: no word of '$1'"; }
}

# ---- the installer ----

quiet "$install" --help
grep -q -- --prefix=DIR "$here/out" || fail "--help is no help"
refuses '--prefix=DIR is required' "$install"
refuses 'is no option' "$install" --prefix="$prefix" --nonsense
refuses 'lacks its value' "$install" --prefix
quiet "$install" --prefix="$prefix"
quiet "$install" --prefix="$prefix" # over an older one
[[ $(stat -c %a "$prefix/lib/librangemap.a" "$prefix/lib/librangemap.so") == $'644\n777' ]] || fail "modes"

# For a package: paths within files do not know of DESTDIR. Odd characters, other folders.
DESTDIR="$here/a &|\\ root" quiet "$install" --prefix=/opt/r --libdir=/opt/r/lib64/x --includedir=/opt/inc
odd="$here/a &|\\ root/opt"
grep -qx 'libdir=/opt/r/lib64/x' "$odd/r/lib64/x/pkgconfig/rangemap.pc" || fail "libdir in rangemap.pc"
grep -q 'DIR}/../../../../../inc"' "$odd/r/lib64/x/cmake/rangemap/rangemapPaths.cmake" || fail "includedir for CMake"
[[ -f $odd/inc/rangemap/rangemap.h ]] || fail "--includedir"
cd "$here"
quiet "$install" --prefix="rela tive &|\\"
grep -qxF "prefix=$here/rela tive &|\\" "rela tive &|\\/lib/pkgconfig/rangemap.pc" || fail "odd prefix in rangemap.pc"

# ---- what is exported, and what is needed ----

# declared NAME: the functions that the compiler finds declared in the public headers, and their variables.
declared() {
    gcc -fsyntax-only -aux-info prototypes -I"$headers" -x c "$headers/$1/$1.h"
    sed -n "s|^/\* $headers/$1/[a-z_]*\.h:[0-9]*:NC \*/ extern [^(]*[ *](\{0,1\}\*\{0,1\}\([A-Za-z_0-9]*\) (.*|\1|p" prototypes
    sed -n 's/^extern .*[ *]\([A-Za-z_]*\);$/\1/p' "$headers/$1"/*.h
}

for name in rangemap pagemap; do
    library=$prefix/lib/lib$name.so.0.1.0
    declared $name | sort >in_headers
    nm -D --defined-only "$library" | sed -n 's/^[0-9a-f]* [B-Z] \(.*\)@@.*_0\.1$/\1/p' | sort >exported
    (($(wc -l <in_headers) > 50)) || fail "the compiler finds too few functions declared"
    diff in_headers exported >&2 || fail "lib$name.so exports other than its headers declare"
    readelf -dW "$library" >dynamic
    grep -q "soname: \[lib$name\.so\.0\.1\]" dynamic || fail "SONAME of lib$name.so"
    ! grep -E 'RPATH|RUNPATH|TEXTREL' dynamic || fail "lib$name.so has been built carelessly"
    readelf -SW "$library" "$prefix/lib/lib$name.a" >sections
    ! grep debug_info sections || fail "debug information is installed"
done
grep -q 'NEEDED.*\[librangemap\.so\.0\.1\]' dynamic || fail "libpagemap.so does not ask for librangemap.so"
! grep -q 'NEEDED.*libck' dynamic || fail "libpagemap.so asks for libck, which it does not use"

# ---- a driver of the kernel, as docs/porting.md says ----

mkdir "$here/driver" && cd "$here/driver"
cp "$headers"/packaging/test/driver/{driver,load}.c .
quiet gcc -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing -Wall -DKBUILD_MODNAME='"driver"' -I"$prefix/include/pagemap/compat" \
    -I"$prefix/include" -c driver.c
quiet gcc -I"$prefix/include" load.c driver.o "$prefix"/lib/lib{pagemap_compat,pagemap,rangemap}.a -lck -lpthread -o driver
quiet ./driver
cd "$here"

# ---- make and pkg-config ----

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
mkdir make && cd make
cp "$consumer"/* .
quiet make -j2
for program in {rangemap,pagemap}-{shared,shared-cc,static} rangemap-static-cc; do
    quiet "./$program"
done
# Not into `grep -q`, here or below: it leaves at the first match, and what writes to it then fails by SIGPIPE.
ldd rangemap-shared >linked
grep -q "$prefix/lib/librangemap.so.0.1" linked || { cat linked >&2; fail "not the installed library"; }
[[ $(pkg-config --modversion rangemap) == 0.1.0 ]] || fail "pkg-config has another version"
refuses 'rangemap >= 0.2' pkg-config --print-errors 'rangemap >= 0.2'

quiet "$install" --prefix="$here/two words"
# shellcheck disable=SC2016 # for the other shell
PKG_CONFIG_PATH="$here/two words/lib/pkgconfig" quiet sh -c 'eval "gcc rangemap_smoke.c $(pkg-config --cflags --libs pagemap) -o two-words"'
LD_LIBRARY_PATH="$here/two words/lib" quiet ./two-words

# ---- gdb ----

# knows_commands OPTION...: gdb, when it has loaded the library.
knows_commands() {
    quiet gdb -nx -batch -iex 'set debuginfod enabled off' "$@" -ex 'break main' -ex run -ex 'help rangemap' rangemap-shared
    grep -q 'rangemap find MAP KEY' "$here/out" || { cat "$here/out" >&2; fail "gdb does not know the commands by $*"; }
}

knows_commands -ex "source $prefix/share/rangemap/rangemap.py"
# As gdb does where PREFIX is /usr.
knows_commands -iex "add-auto-load-scripts-directory $prefix/share/gdb/auto-load" -iex "add-auto-load-safe-path $prefix"

# ---- CMake ----

cd ..
quiet cmake -S "$consumer" -B cmake -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
! grep -i warning "$here/out" || fail "CMake warns"
quiet cmake --build cmake -j 2
for program in cmake/{rangemap,pagemap}{,_static}_c{,c}; do
    quiet "$program"
done
mv "$prefix" moved # CMake finds it wherever it is
quiet cmake -S "$consumer" -B cmake2 -DCMAKE_PREFIX_PATH="$here/moved"

# ---- bad use ----

sed 's/rangemap 0.1 REQUIRED/rangemap 0.2 REQUIRED/' "$consumer/CMakeLists.txt" >make/CMakeLists.txt
refuses 'requested version "0.2"' cmake -S make -B cmake3 -DCMAKE_PREFIX_PATH="$here/moved"
sed 's/pagemap 0.1 REQUIRED/rangemap 0.0.9 REQUIRED/' "$consumer/CMakeLists.txt" >make/CMakeLists.txt
refuses 'requested version "0.0.9"' cmake -S make -B cmake4 -DCMAKE_PREFIX_PATH="$here/moved"
refuses 'needs Concurrency Kit' cmake -S "$consumer" -B cmake5 -DCMAKE_PREFIX_PATH="$here/moved" \
    -DCMAKE_SYSTEM_LIBRARY_PATH= -Drangemap_CK_LIBRARY=rangemap_CK_LIBRARY-NOTFOUND -DCMAKE_FIND_ROOT_PATH=/nonexistent \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY

# Nobody needs ck.pc, and nothing of it reaches our users. The other packages of the system are out of pkg-config's sight.
for option in '' --static; do
    PKG_CONFIG_LIBDIR="$here/moved/lib/pkgconfig" PKG_CONFIG_PATH='' quiet pkg-config $option --cflags --libs rangemap
    ! grep -q x86_64__ "$here/out" || fail "pkg-config $option: macros of the compiler's"
    [[ $(grep -c -- -lck "$here/out") == $([[ -z $option ]] && echo 0 || echo 1) ]] || fail "pkg-config $option: -lck"
done
echo PASSED

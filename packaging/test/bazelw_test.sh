#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bazelw asks for what the targets need, names what is missing, and says so when there is no bazel. It runs here with
# a list of its own and in a PATH where nothing can be installed.
set -euo pipefail
bazelw=$PWD/$1 real_list=$PWD/$2 labels=$PWD/$3
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

mkdir bin
for program in bash dirname env; do
    ln -s "$(type -P $program)" bin/
done
cat >list <<END
# comment
always   $PWD/nothing            the build itself
there    $PWD/list               never missing
replay   $PWD/n* //bench:replay  one target
compare  $PWD/nothing //bench:compare*,//bench/java* some
bench    $PWD/nothing //bench*   a folder and those below
tests    $PWD/nothing //test*,//bench*_test tests
clang    $PWD/nothing --config=clang an option
ci       $PWD/nothing +ci        said by a variable
END

# asks 'PACKAGE...' ARGUMENT...: with these arguments bazelw finds these packages missing, all named with file and purpose.
asks() {
    local expected="always $1"
    if env -i PATH="$PWD/bin" BAZELW_LIST="$PWD/list" ${also+"BAZELW_ALSO=$also"} "$bazelw" "${@:2}" 2>out; then
        fail "bazelw ${*:2}: succeeded"
    fi
    [[ $(sed -n 's/^  \([a-z]*\): .*(.*)$/\1/p' out | xargs) == "${expected% }" ]] || { cat out >&2; fail "bazelw ${*:2}: not '$expected'"; }
}

asks ''
asks '' version
asks '' build -c opt //rangemap
asks '' run //:install -- --prefix=/x //bench:replay
asks 'replay bench' run -c opt //bench:replay
asks 'replay bench' run //bench:replay -- --config=clang
asks 'compare bench' build //bench:compare_static
asks 'bench tests' test //bench:sets_test
asks 'bench' build //bench/sets:x
asks 'compare bench tests' build //bench/java:all # it may hold one
asks 'replay compare bench tests' build //bench:all
asks 'replay compare bench tests' test //bench/...
asks 'tests' test //test/... -//test/fuzz/...
asks 'tests' test //test/explorer:all
asks 'replay compare bench tests' test //...
asks 'replay compare bench tests' build bench/some_target # not understood: everything
asks 'replay compare bench tests clang' --nohome_rc test --config=clang //...
asks 'clang' build --config=asan --config=clang //rangemap
asks 'clang' build --config asan --config clang //rangemap
asks '' build -j 4 --jobs 4 //rangemap
also=ci asks 'ci' version
also=all asks 'replay compare bench tests clang ci' version

# Nothing missing: bazel runs with all arguments; or there is none, also if a folder has the name.
grep -v nothing list | grep -v replay >complete
run_complete() {
    env -i PATH="$1" BAZELW_LIST="$PWD/complete" "$bazelw" build "//a b"
}
mkdir -p folder/bazel
for path in "$PWD/bin" "$PWD/folder:$PWD/bin"; do
    if run_complete "$path" 2>out; then fail "succeeded without bazel"; fi
    grep -q 'no bazel in PATH.*bazel-bootstrap' out || { cat out >&2; fail "no word of bazel"; }
done
# shellcheck disable=SC2016 # for bazel
printf '#!/bin/bash\nprintf "%%s\\n" "$@"\n' >bin/bazel
chmod +x bin/bazel
[[ $(run_complete "$PWD/bin") == $'build\n//a b' ]] || fail "bazel has other arguments"

# really_asked ARGUMENT...: the packages of the real list that it asks for where none is installed, a line each.
really_asked() {
    env -i PATH="$PWD/bin" BAZELW_LIST=<(sed 's| /usr/[^ ]*| /nothing|' "$real_list") "$bazelw" "$@" >out 2>&1 || true
    sed -n 's/^  \([^:]*\): .*/\1/p' out
}

# What programs and tests of bench take of the system, by Bazel's word: they are built where that alone is installed.
declare -A package=([absl_btree]=libabsl-dev [benchmark]=libbenchmark-dev [cli11]=libcli11-dev [elf]=libelf-dev [gtest]=libgtest-dev
    [nlohmann_json]=nlohmann-json3-dev [static_elf]=libelf-dev [trees]=linux-source-6.1 [urcu]=liburcu-dev)
count=0
while read -r names needed; do
    for name in ${names//,/ }; do
        asked=$(really_asked build "$name")
        for label in $needed; do
            grep -qx "${package[${label#*:}]:-no package is known}" <<<"$asked" || fail "bazelw does not ask for $label, which $name takes"
            count=$((count + 1))
        done
    done
done <"$labels"
((count >= 30)) || fail "only $count needs are known: $(<"$labels")"

# README's first command, which people wait for, also on Debian 13, which lacks some: nothing that is not needed.
asked=$(really_asked run -c opt //bench:replay)
! grep -E '^(linux-source|shellcheck|clang|llvm|gdb|cmake|gnuplot|libgtest|liburcu)' <<<"$asked" || fail "the main job does not need that"
! grep -E '//bench:replay .*(:trees|:urcu|:gtest)' "$labels" || fail "the main job takes what it does not need"
echo PASSED

#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
usage='Usage: packaging/clean/run.sh [--suite=bookworm|trixie] [--work=DIR] [WAY...]

Tries the ways in on clean machines: each in a new Debian of its own that debootstrap makes, with nothing installed but
what that way asks for. Needs root, debootstrap and a Debian archive. Ways:

  deb           dpkg-buildpackage and lintian; in another Debian: install them, compile with pkg-config and CMake
  cmake         configure, build, install; a consumer
  meson         likewise
  ck_source     CMake, Meson and Bazel with Concurrency Kit from its source
  bazel         README: ./bazelw run -c opt //bench:replay, the first lookup measured

Without one: all. What is tested is the commit that is checked out.'
set -euo pipefail

die() {
    printf 'clean: %s\n' "$*" >&2
    exit 1
}

suite=bookworm work=/var/tmp/rangemap-clean ways=()
for argument; do
    case $argument in
    --help) printf '%s\n' "$usage" && exit 0 ;;
    --suite=?*) suite=${argument#*=} ;;
    --work=?*) work=${argument#*=} ;;
    deb | cmake | meson | ck_source | bazel) ways+=("$argument") ;;
    *) die "'$argument' is no option and no way in; --help explains" ;;
    esac
done
((${#ways[@]})) || ways=(deb cmake meson ck_source bazel)
((EUID == 0)) || die "debootstrap and chroot need root"
command -v debootstrap >/dev/null || die "debootstrap is missing (Debian: debootstrap)"
source=$(cd "$(dirname -- "$0")/../.." && pwd)
commit=$(git -C "$source" rev-parse --short HEAD)
mkdir -p "$work"

# ---- machines ----

# remove FOLDER: what debootstrap, or a machine, that was interrupted left mounted in it is not gone into.
remove() {
    local place
    for place in "$1"/proc "$1"/sys "$1"/dev/pts "$1"/dev; do
        if mountpoint -q "$place"; then
            umount "$place" || die "$place is mounted, and in use"
        fi
    done
    rm -rf --one-file-system "$1"
}

base() {
    local folder=$work/$suite
    if [[ ! -f $folder.done ]]; then
        remove "$folder"
        debootstrap --variant=minbase "$suite" "$folder" >"$folder.log" || die "debootstrap: $folder.log"
        cp /etc/resolv.conf "$folder/etc/"
        chroot "$folder" apt-get update >>"$folder.log" 2>&1
        touch "$folder.done"
    fi
}

unmount() {
    mountpoint -q "$machine/proc" && umount "$machine/proc"
    return 0
}

# new_machine: sets machine to a clean one with the source in /src.
new_machine() {
    [[ -z ${machine-} ]] || unmount
    machine=$work/machine
    remove "$machine"
    cp -a "$work/$suite" "$machine"
    mkdir -p "$machine/src"
    git -C "$source" archive "$commit" | tar -x -C "$machine/src"
    mount -t proc proc "$machine/proc"
}
trap '[[ -z ${machine-} ]] || unmount' EXIT

# there SCRIPT: runs it on the machine, in /src; what it says is shown only if it fails.
there() {
    chroot "$machine" env LC_ALL=C DEBIAN_FRONTEND=noninteractive bash -euo pipefail -c "cd /src; $1" >"$work/out" 2>&1 ||
        { tail -40 "$work/out" >&2; die "$suite: $1"; }
}

get() {
    there "apt-get -y --no-install-recommends install $*"
}

# ---- ways ----

try_deb() {
    get build-essential fakeroot lintian "$(sed -n '/^Build-Depends:/,/^[A-Z][a-z]*-V/p' "$source/packaging/debian/control" |
        sed -n 's/^ \([a-z][a-z0-9-]*\).*/\1/p' | sed 's/^debhelper-compat$/debhelper/' | xargs)"
    there 'cp -r packaging/debian debian && dpkg-buildpackage --build=binary --no-sign'
    # lintian refuses root. These packages close no bug of Debian's.
    there 'useradd -m checker; cp ../*.deb ../*.changes ../*.buildinfo /home/checker && cd /home/checker && chown checker -- * &&
           su checker -c "lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs *.changes"'
    mkdir -p "$work/debs"
    rm -f "$work"/debs/*
    cp "$machine"/librangemap*.deb "$work/debs/"
    new_machine
    cp "$work"/debs/*.deb "$machine/"
    get gcc libc6-dev g++ cmake make pkg-config man-db gdb '/librangemap0*.deb /librangemap-dev*.deb /librangemap-tools*.deb'
    # shellcheck disable=SC2016 # for the shell there
    there 'cp examples/quickstart.c /tmp && cd /tmp && gcc quickstart.c $(pkg-config --cflags --libs rangemap) -o quickstart && ./quickstart'
    there 'cp -r packaging/test/consumer /tmp && cd /tmp/consumer && make && ./rangemap-shared && ./rangemap-static && ./pagemap-shared-cc'
    there 'cd /tmp/consumer && cmake -B b . && cmake --build b && b/pagemap_static_cc'
    there 'man rangemap_find >/tmp/page && grep -q ENOENT /tmp/page'
    there 'cd /tmp && gdb -batch -ex "break main" -ex run -ex "help rangemap" ./quickstart >page && grep "rangemap find MAP KEY" page'
}

consume='cp -r packaging/test/consumer /tmp && cd /tmp/consumer && make && ./rangemap-shared && ./pagemap-static'

try_cmake() {
    get gcc g++ libc6-dev cmake make pkg-config libck-dev
    there "cmake -B /tmp/b . && cmake --build /tmp/b && cmake --install /tmp/b && ldconfig && $consume"
}

try_meson() {
    get gcc g++ libc6-dev meson make pkg-config libck-dev
    there "meson setup /tmp/b --libdir=lib && ninja -C /tmp/b && meson install -C /tmp/b && ldconfig && $consume"
}

try_ck_source() {
    get gcc g++ libc6-dev cmake meson make pkg-config dpkg-dev
    there 'sed "s/^deb /deb-src /" /etc/apt/sources.list >/etc/apt/sources.list.d/src.list && apt-get update && cd / && apt-get source --tar-only ck && tar -xf ck_*.orig.tar.* && mv ck-*/ ck'
    there "cmake -B /tmp/b -DRANGEMAP_CK_SOURCE=/ck . && cmake --build /tmp/b && cmake --install /tmp/b && ldconfig && $consume"
    there 'meson setup /tmp/m -Dck_source=/ck && ninja -C /tmp/m && readelf -d /tmp/m/librangemap.so.0.1.0 >needed && ! grep libck needed'
    # bazelw would install libck-dev: only what the build itself needs.
    get bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto
    there 'mkdir /app && cp packaging/test/consumer/rangemap_smoke.c /app && cd /app &&
           { echo "local_repository(name = \"rangemap\", path = \"/src\")"
             echo "load(\"@rangemap//bazel:dependencies.bzl\", \"debian_bazel_repositories\", \"rangemap_dependencies\")"
             echo "rangemap_dependencies(ck_source = \"/ck\")"
             echo "debian_bazel_repositories()"; } >WORKSPACE
           printf "load(\"@rules_cc//cc:defs.bzl\", \"cc_binary\")\ncc_binary(name = \"c\", srcs = [\"rangemap_smoke.c\"], deps = [\"@rangemap//rangemap\"])\n" >BUILD &&
           bazel run --spawn_strategy=local //:c && bazel shutdown && test ! -e /usr/include/ck_pr.h'
}

try_bazel() {
    there './bazelw run -c opt //bench:replay -- --quick && ./bazelw shutdown'
    printf 'clean: %s: %s packages installed by bazelw\n' "$suite" "$(grep -c ^Setting.up "$work/out")"
}

base
for way in "${ways[@]}"; do
    begin=$SECONDS
    new_machine
    "try_$way"
    printf 'clean: %s: %s works (%s, %d s)\n' "$suite" "$way" "$commit" $((SECONDS - begin))
done

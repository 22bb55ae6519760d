# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For tests of programs: sourced.

# on_small_disk SIZE FOLDER COMMAND...: with FOLDER a disk of that size, for COMMAND alone.
on_small_disk() {
    # shellcheck disable=SC2016 # for the other bash
    unshare --user --map-root-user --mount bash -c 'mount -t tmpfs -o "size=$1" none "$2" && exec "${@:3}"' bash "$@"
}

# Not every container lets its programs mount.
has_small_disks() {
    mkdir -p disk
    on_small_disk 1m disk true
}

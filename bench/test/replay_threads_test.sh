#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs replay with more threads than processors; it checks answers beside updates and the maps afterwards.
set -eu
replay=$PWD/$1
cd "$TEST_TMPDIR"
"$replay" --sets iomem,mmap,synthetic --sizes 16,1000 --threads 1,4 --updates 0,50 --repetitions 1 \
    --seconds-per-cell 0.01

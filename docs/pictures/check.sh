#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The pictures are what draw.py draws, and well-formed; and a change of README's table would be noticed.
set -euo pipefail
pictures=docs/pictures
python3 $pictures/draw.py "$1" $pictures --check
for picture in "$pictures"/*.svg; do
    python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' "$picture"
done
sed 's/^\(| synthetic | 256 | \)[0-9]*/\11/' "$1" >"$TEST_TMPDIR/README.md"
! python3 $pictures/draw.py "$TEST_TMPDIR/README.md" $pictures --check 2>/dev/null || { echo "FAILED: nobody notices"; exit 1; }
box='from picture import Picture; Picture(9, 9, "").box(0, 0, 60, 20, ["%s"])'
# shellcheck disable=SC2059 # the format is right above
PYTHONPATH=$pictures python3 -B -c "$(printf "$box" short)"
# shellcheck disable=SC2059
! PYTHONPATH=$pictures python3 -B -c "$(printf "$box" 'much too long')" 2>/dev/null || { echo "FAILED: words may leave their box"; exit 1; }
echo PASSED

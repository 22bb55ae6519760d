#!/usr/bin/env bash
# Usage: compare_test.sh COMPARE REPORT
# The whole of compare with repetitions of two milliseconds, and the page that report makes of it.
set -euo pipefail
program=$PWD/$1 report=$PWD/$2
# shellcheck source=bench/test/expect.sh
. bench/test/expect.sh
cd "$TEST_TMPDIR"

# Everything, small.
expect 0 --quick --threads 1,2 --json all.json
grep -q 'all answers were right' out || fail "no word about the answers"
for map in rangemap maple xarray std_map btree_map skip_list sorted eytzinger eytzinger_interleaved set_of_gaps urcu_array \
    page_table std_map_mutex btree_map_mutex; do
    grep -q "\"map\": \"$map\"" all.json || { cat out; fail "$map is missing"; }
done
for row in lookup_section lookup_batch16 lookup_batch256 erase_insert store_carve mix_50 build_ordered build_random \
    scan latency_beside_writer update_latency/alone update_latency/snapshot update_latency/stalled_reader \
    update_latency/exiting_thread garbage_50 memory_ordered memory_random threads:2:halves /zipf/ /local/ /miss/ replay pin/threads:2 \
    pin_invalidate_10 pin_evict; do
    grep -q "\"row\": \".*$row" all.json || grep -q "\"row\": \"$row" all.json || fail "no row $row"
done
grep -q '"shape": "pages"' all.json || fail "no pages"
for row in gap_search/one_hole/threads:1 gap_search/none/threads:1 gap_search/just_miss/threads:1 \
    fill_and_free/threads:1 fill_and_free/threads:2:halves steady_50/threads:1 steady_90/threads:2:halves \
    steady_99/threads:1 allocate_erase/threads:1 gap_search/one_hole_down/threads:1 gap_search/just_miss_down/threads:1 \
    allocate_erase_down/threads:1; do
    (($(grep -c "\"row\": \"$row\"" all.json) >= 3)) || fail "row $row lacks a map"
done
for row in erase_insert/tracked/threads:1 erase_insert/untracked/threads:1; do
    grep -q "\"row\": \"$row\"" all.json || fail "no row $row"
done
(($(grep -c '"values"' all.json) == $(grep -c '"row"' all.json))) || fail "a result without an object of values"
grep -q '"left_out": {}' all.json || { cat out; fail "something was left out"; }

# The page: plots of it, nothing fetched from elsewhere.
"$report" all.json page.html || fail "report"
(($(grep -c '<svg' page.html) >= 20)) || fail "too few plots"
grep -q 'class=.missed.\|class=.met.' page.html || fail "no targets"
! grep -Eq '(src|href)=.(https?:)?//|@import' page.html || fail "the page fetches something"
python3 - page.html <<'PYTHON' || fail "the page is not well-formed"
import sys
from html.parser import HTMLParser


class Checker(HTMLParser):
    """Elements are closed in the order in which they were opened; ids are unique."""

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], set()

    def handle_starttag(self, tag, attributes):
        self.note(attributes)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.note(attributes)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.getpos())

    def note(self, attributes):
        for name, value in attributes:
            if name == "id":
                assert value not in self.ids, (value, self.getpos())
                self.ids.add(value)


checker = Checker()
checker.feed(open(sys.argv[1], encoding="utf-8").read())
assert not checker.open, checker.open
PYTHON

# What report is given wrong.
! "$report" nonexistent.json page.html 2>err || fail "report of no file"
grep -q 'nonexistent.json' err || fail "report: no word about a missing file"
echo '{"program": "another"}' >bad.json
! "$report" bad.json page.html 2>err || fail "report of another program's file"
grep -q 'bad.json: not written by compare' err || fail "report: no word about another program's file"
echo '{' >bad.json
! "$report" bad.json page.html 2>err || fail "report of half a file"
grep -q 'bad.json: not JSON' err || fail "report: no word about half a file"
! "$report" all.json 2>err || fail "report of one argument"

# A single row.
expect 0 --quick --benchmark_filter='^mixed:600/lookup_alone/random/hit/threads:1/(maple|sorted)$' --json one.json
(($(grep -c '"row"' one.json) == 2)) || fail "the filter took other rows"
expect 0 --quick --benchmark_filter='mixed:16/.*/maple' --list
grep -q '^mixed:16/erase_insert/threads:1/maple$' out || fail "--list lacks a row"
! grep -q 'rangemap$' out || fail "--list ignores the filter"

# Windows and gaps, at a size for which there are targets.
expect 0 --quick --sizes 4096 --shapes gaps --threads 2 --benchmark_filter='/(fill_and_free|window|erase_insert)/'
for target in 'fill and free, 2 threads in halves, against maple' 'against set_of_gaps' \
    'erase and insert in a map that tracks gaps'; do
    grep -q "$target" out || { cat out; fail "no target '$target'"; }
done
for row in window/splice_1000 window/insert_1000 window/update_1000 window/replace_1000; do
    grep -q "^ *$row/threads:1" out || { cat out; fail "no row $row"; }
done
expect 0 --quick --sizes 65536 --shapes gaps --benchmark_filter='^gaps:65536/window/'
grep -q 'update of 1,000 values' out || { cat out; fail "no target for updates of windows"; }

# No Java: the rest goes on.
expect 0 --quick --java /nonexistent --benchmark_filter='mixed:16/lookup_alone/random/hit/threads:1/'
grep -q 'left out.*ConcurrentSkipListMap' out || fail "no word about Java"

# Wrong arguments.
expect 0 --help
grep -q -- '--shapes' out || fail "--help is no help"
for arguments in "--threads 0" "--threads 1,," "--shapes nonsense" "--maps nonsense" "--sizes 0" "--seconds 0" \
    "--nonsense" "--benchmark_nonsense=1" "one" "--json" "--quick --benchmark_filter=nonsense" "--memory-probe nonsense" \
    "--quick --shapes mixed --sizes 16 --maps sorted --json /nonexistent/folder/file"; do
    # shellcheck disable=SC2086 # several arguments
    expect 2 $arguments
    grep -q '^compare: ' err || grep -q 'option' err || fail "$arguments: no message"
done
echo PASSED

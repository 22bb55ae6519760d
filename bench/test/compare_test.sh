#!/usr/bin/env bash
# Usage: compare_test.sh COMPARE REPORT
# The whole of compare with repetitions of two milliseconds, and the page that report makes of it.
set -euo pipefail
compare=$PWD/$1 report=$PWD/$2
cd "$TEST_TMPDIR"

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

# expect STATUS ARGUMENT...: runs compare; its output goes to out and err.
expect() {
    local wanted=$1 got=0
    shift
    "$compare" "$@" >out 2>err || got=$?
    [[ $got == "$wanted" ]] || { tail -n 20 out err; fail "compare $*: status $got, not $wanted"; }
}

# Everything, small.
expect 0 --quick --threads 1,2 --json all.json
grep -q 'all answers were right' out || fail "no word about the answers"
for map in rangemap maple xarray std_map btree_map skip_list sorted eytzinger eytzinger_interleaved; do
    grep -q "\"map\": \"$map\"" all.json || { cat out; fail "$map is missing"; }
done
for row in lookup_section lookup_batch16 lookup_batch256 erase_insert store_carve mix_50 build_ordered build_random \
    scan latency_beside_writer garbage_50 memory_ordered memory_random threads:2:halves /zipf/ /local/ /miss/; do
    grep -q "\"row\": \".*$row" all.json || grep -q "\"row\": \"$row" all.json || fail "no row $row"
done
grep -q '"shape": "pages"' all.json || fail "no pages"
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

# No Java: the rest goes on.
expect 0 --quick --java /nonexistent --benchmark_filter='mixed:16/lookup_alone/random/hit/threads:1/'
grep -q 'left out.*ConcurrentSkipListMap' out || fail "no word about Java"

# Wrong arguments.
expect 0 --help
grep -q -- '--shapes' out || fail "--help is no help"
for arguments in "--threads 0" "--threads 1,," "--shapes nonsense" "--maps nonsense" "--sizes 0" "--seconds 0" \
    "--nonsense" "one" "--json" "--quick --benchmark_filter=nonsense" "--memory-probe nonsense" \
    "--quick --shapes mixed --sizes 16 --maps sorted --json /nonexistent/folder/file"; do
    # shellcheck disable=SC2086 # several arguments
    expect 2 $arguments
    grep -q '^compare: ' err || grep -q 'option' err || fail "$arguments: no message"
done
echo PASSED

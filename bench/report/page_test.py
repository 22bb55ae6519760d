# SPDX-License-Identifier: BSD-2-Clause
"""The page of made-up results, in headless Chromium: a headline and three numbers first, plots before tables, nothing wider
than the window, on a phone too, and dark where that is wanted.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import headline
from page import Page

MAPS = [("rangemap", "rangemap", 1.0), ("maple", "kernel's maple tree, one lock", 3.0), ("std_map", "std::map, rwlock", 9.0),
        ("btree_map", "absl::btree_map, rwlock", 5.0), ("skip_list", "Java's skip list", 7.0), ("sorted", "sorted array", 2.5)]


def spread(value):
    return {"median": value, "min": value * 0.9, "max": value * 1.1}


def document():
    results = []
    for ranges in (256, 65536, 1048576):
        for name, title, factor in MAPS:
            common = {"map": name, "title": title, "ranges": ranges, "shape": "mixed", "set": f"mixed-{ranges}"}
            for row in (headline.LOOKUP, headline.UPDATE, "mix_10/threads:1", "mix_10/threads:2"):
                cost = factor * (1.5 if row == headline.UPDATE and name == "rangemap" else 1) * 10
                results.append({**common, "row": row, "threads": 1,
                                "values": {"ns_per_operation": spread(cost), "operations_per_second": spread(1e9 / cost)}})
            results.append({**common, "shape": "real", "set": "functions of libLLVM", "row": headline.LOOKUP, "threads": 1,
                            "values": {"operations_per_second": spread(1e8 / factor)}})
            # The memory of a map that does not tell.
            results.append({**common, "row": "memory_random", "threads": 1})
    targets = [{"what": f"lookups, one thread, beside {title}", "measured": 2.5, "unit": "times", "wanted": "at least", "limit": 2,
                "met": met, "note": "a note of some length that says why this target is what it is", "ranges": 65536}
               for (_, title, _), met in zip(MAPS, [True, False] * 3)]
    return {"program": "rangemap bench/compare", "machine": {"processor": "a processor with a rather long name and 2 threads",
                                                              "kernel": "6.18"},
            "method": {"repetitions": 3, "seconds_per_repetition": 0.2, "seed": 1, "threads_pinned": True},
            "left_out": {"java": "no JDK"}, "results": results, "targets": targets}


# The page in a frame of some width, and what there is to know of it, as text of the outer page.
OUTER = """<!doctype html><body><iframe id=f style="width:{width}px;height:800px;border:0"></iframe><pre id=told></pre><script>
const frame = document.getElementById('f');
frame.srcdoc = {page};
frame.onload = () => {{
  const page = frame.contentDocument, view = frame.contentWindow, wide = view.innerWidth;
  const beyond = [...page.querySelectorAll('h1, h2, p, figure, .numbers div, table.targets td, table.targets th, dl, dd')]
      .filter(e => e.getBoundingClientRect().right > wide + 0.5).map(e => e.tagName + ': ' + e.textContent.slice(0, 40));
  document.getElementById('told').textContent = JSON.stringify({{
      wide, scrolls: page.documentElement.scrollWidth > wide, beyond, plots: page.querySelectorAll('figure svg').length,
      cells: page.querySelectorAll('table.targets td').length, paper: view.getComputedStyle(page.body).backgroundColor}});
}};
</script>"""


def look(html, width, *options):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        path = os.path.join(folder, "outer.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(OUTER.format(width=width, page=json.dumps(html).replace("</", "<\\/")))
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile",
                   "--virtual-time-budget=5000", "--window-size=1600,900", *options, "--dump-dom", f"file://{path}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env={**os.environ, "HOME": folder})
    told = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, flags=re.S)
    if not told or not told[1]:
        sys.exit(f"chromium says nothing: {done.stderr[-2000:]}")
    return json.loads(told[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def main():
    html = Page(document()).html()
    check("<h1>rangemap&#x27;s lookups are ahead of sorted array, the fastest other map of this run; its updates are ahead of sorted array</h1>" in html,
          re.search("<h1>.*?</h1>", html)[0])
    check(re.findall("<div><b>(.*?)</b>", html) == ["2.50×", "1.67×", "3 of 6"], "the three numbers")
    check(html.index("class='numbers'") < html.index("<figure>") < html.rindex("<figure>") < html.index("<table"), "the order")
    for width in (390, 768, 1400):
        told = look(html, width)
        check(told["wide"] == width and told["plots"] >= 4 and told["cells"] == 24, f"not the page: {told}")
        check(not told["scrolls"] and not told["beyond"], f"at {width} pixels something is cut: {told}")
        check(told["paper"] == "rgb(255, 255, 255)", f"not light: {told}")
    told = look(html, 390, "--blink-settings=preferredColorScheme=0")
    check(told["paper"] == "rgb(22, 24, 28)", f"not dark: {told}")
    # That it would notice: a table that is too wide, as it once was.
    told = look(html.replace("white-space: normal; min-width: 0; overflow-wrap: anywhere", "min-width: 9em"), 390)
    check(told["beyond"], "nobody notices a column that is cut")
    print("PASSED")


main()

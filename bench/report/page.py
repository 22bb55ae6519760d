# SPDX-License-Identifier: BSD-2-Clause
"""The page: one HTML file that needs nothing else."""

from html import escape

import headline
import results as res
from plots import STYLES, UNKNOWN_STYLE, Plotter

STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --faint: #666; --line: #ddd; --good: #00684a; --bad: #b00020; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --paper: #16181c; --faint: #999; --line: #3a3d42; --good: #4cc38a; --bad: #ff6b7a; }
  figure svg, .legend b { filter: invert(1) hue-rotate(180deg); }
}
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1400px; padding: 0 12px 40px;
       color: var(--ink); background: var(--paper); }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin: 1.6em 0 .4em; } p { margin: .4em 0; }
figure { margin: 0; } figcaption { font-weight: 600; margin: .6em 0 0; }
figure svg { width: 100%; height: auto; display: block; }
.grid { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 360px), 1fr)); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85em; margin: 0 0 1em; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 6px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9em; }
.legend { position: sticky; top: 0; z-index: 1; background: var(--paper); padding: 6px 0; font-size: .8em; line-height: 1.5;
          border-bottom: 1px solid var(--line); }
.legend span { white-space: nowrap; margin-right: .9em; }
.legend b { font-weight: 400; }
.numbers { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 220px), 1fr)); margin: 1em 0; }
.numbers b { display: block; font-size: 2em; line-height: 1.2; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
table.targets { width: 100%; }
@media (max-width: 600px) { table.targets th, table.targets td { white-space: normal; min-width: 0; overflow-wrap: anywhere; }
                            dl { grid-template-columns: 1fr; } }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; font-size: .85em; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; }
"""

BY_SIZE = [
    ("lookup_alone/random/hit/threads:1", "Lookup, each in its own section"),
    ("lookup_section/random/hit/threads:1", "Lookups in one section"),
    ("lookup_batch16/random/hit/threads:1", "Batches of 16"),
    ("lookup_batch256/random/hit/threads:1", "Batches of 256"),
    ("lookup_alone/random/miss/threads:1", "Lookups that miss"),
    ("lookup_alone/zipf/hit/threads:1", "Lookup, Zipf keys"),
    ("lookup_alone/local/hit/threads:1", "Lookup, local keys"),
    ("erase_insert/threads:1", "Erase and insert"),
    ("mix_10/threads:1", "10 % updates"),
    ("mix_50/threads:1", "50 % updates"),
    ("store_carve/threads:1", "Stores over and carves"),
]

BY_PASS = [
    ("build_random", "Filling in random order"),
    ("build_ordered", "Filling in order"),
    ("scan", "Walk over all ranges"),
]

BY_THREADS = [
    ("lookup_alone/random/hit/threads:{}", "Lookups"),
    ("mix_1/threads:{}", "1 % updates"),
    ("mix_10/threads:{}", "10 % updates"),
    ("mix_50/threads:{}", "50 % updates"),
    ("erase_insert/threads:{}", "Updates only"),
    ("lookup_alone/random/hit/threads:{}:halves", "Lookups, each thread in its part"),
    ("mix_10/threads:{}:halves", "10 % updates, each thread in its part"),
    ("erase_insert/threads:{}:halves", "Updates only, each thread in its part"),
]


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figure(caption, svg):
    return f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>" if svg else ""


def legend(titles):
    chips = []
    for name, title in titles.items():
        colour, _, mark = STYLES.get(name, UNKNOWN_STYLE)
        chips.append(f"<span><b style='color:{colour};margin:0 .2em 0 0'>━{mark}</b>{escape(title)}</span>")
    return f"<div class='legend'>{' '.join(chips)}</div>"


def table(head, rows, kind=""):
    cells = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table class='{kind}'><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"


def facts(pairs):
    return "<dl>" + "".join(f"<dt>{escape(str(name))}</dt><dd>{escape(str(text))}</dd>" for name, text in pairs) + "</dl>"


class Page:
    def __init__(self, document):
        self.document = document
        self.results = document["results"]
        self.titles = dict(res.maps(self.results))
        self.plotter = Plotter(self.titles)

    def html(self):
        body = "\n".join([self.headline(), self.by_size(), self.by_threads(), self.latency(), self.memory(),
                          self.targets(), self.garbage(), self.sets(), self.method(), self.all_results()])
        return ("<!doctype html><html lang='en'><head><meta charset='utf-8'>"
                "<meta name='viewport' content='width=device-width, initial-scale=1'>"
                f"<title>rangemap beside its peers</title><style>{STYLE}</style></head><body>{body}</body></html>\n")

    def section(self, title, text, figures):
        """The legend stays in sight while the section's plots are."""
        body = "".join(figures)
        if not body:
            return ""
        return (f"<section><h2>{escape(title)}</h2><p>{escape(text)}</p>{legend(self.titles)}"
                f"<div class='grid'>{body}</div></section>")

    def headline(self):
        numbers = headline.numbers(self.results, self.document["targets"])
        cells = "".join(f"<div><b>{escape(number)}</b>{escape(what)}</div>" for number, what in numbers)
        return (f"<h1>{escape(headline.words(self.results))}</h1><div class='numbers'>{cells}</div><p>Medians; bars reach from "
                "the least to the most of the repetitions. All maps held the same ranges and were asked for the same keys, "
                "and all answers were checked.</p>")

    def method(self):
        method = self.document["method"]
        how = (f"{method['repetitions']} repetitions of {method['seconds_per_repetition']} s in random order, seed "
               f"{method['seed']}, threads {'pinned' if method['threads_pinned'] else 'not pinned'}")
        pairs = list(self.document["machine"].items()) + [("method", how)]
        pairs += [("left out", f"{what}: {why}") for what, why in self.document["left_out"].items()]
        return f"<h2>Machine and method</h2>{facts(pairs)}"

    def targets(self):
        targets = self.document["targets"]
        if not targets:
            return "<h2>Targets</h2><p>This run measured nothing that a target is about.</p>"
        parts = [f"<h2>Targets</h2><p>{sum(target['met'] for target in targets)} of {len(targets)} met.</p>"]
        for size in dict.fromkeys(target["ranges"] for target in targets):
            rows = [self.target(target) for target in targets if target["ranges"] == size]
            parts.append(table([f"{size:,} ranges", "measured", "wanted", ""], rows, "targets"))
        return "".join(parts)

    @staticmethod
    def target(target):
        sign = "≥" if target["wanted"] == "at least" else "≤"
        verdict = "<span class='met'>met</span>" if target["met"] else "<span class='missed'>missed</span>"
        unit = {"times": "×", "bytes a range": " bytes"}.get(target["unit"], " " + target["unit"])
        note = f"<br><small>{escape(target['note'])}</small>" if target["note"] else ""
        return [escape(target["what"]) + note, f"{target['measured']:.2f}{escape(unit)}",
                f"{sign} {target['limit']:g}", verdict]

    def by_size(self):
        figures = []
        for row, title in BY_SIZE:
            series = res.series(self.results, "ns_per_operation", "ranges", shape="mixed", row=row)
            figures.append(figure(title, self.plotter.lines(title, series, "ranges", "ns an operation")))
        for row, title in BY_PASS:
            series = res.series(self.results, "ns_per_range", "ranges", shape="mixed", row=row)
            figures.append(figure(title, self.plotter.lines(title, series, "ranges", "ns a range")))
        return self.section("Time by number of ranges", "One thread; ranges of mixed length with gaps.", figures)

    def mixed_sizes(self):
        return sorted({result["ranges"] for result in self.results if result["shape"] == "mixed"})

    def threads_series(self, pattern, size):
        """Throughput over threads; 1 thread of a row in parts is the whole."""
        rows = {pattern.format(count): count for count in range(1, 257)}
        rows.setdefault(pattern.format(1).replace(":halves", ""), 1)
        points = {}
        for result in res.find(self.results, "operations_per_second", shape="mixed", ranges=size):
            if result["row"] in rows:
                spread = result["values"]["operations_per_second"]
                points.setdefault(result["map"], []).append(
                    (rows[result["row"]], *(spread[key] / 1e6 for key in ("median", "min", "max"))))
        return {name: sorted(list_) for name, list_ in points.items() if len(list_) > 1}

    def by_threads(self):
        figures = []
        for size in [size for size in self.mixed_sizes() if size >= 4096] or self.mixed_sizes():
            for pattern, title in BY_THREADS:
                caption = f"{title}, {size:,} ranges"
                series = self.threads_series(pattern, size)
                figures.append(figure(caption, self.plotter.lines(caption, series, "threads", "million a second", "",
                                                                  "set xtics 1\nset offsets 0.1, 0.1, 0, 0")))
        return self.section("Throughput by threads", "", figures)

    def latency(self):
        figures = []
        for size in self.mixed_sizes():
            for row in sorted({result["row"] for result in self.results if result["row"].startswith("latency_")}):
                curves = {result["map"]: result["curve"]
                          for result in res.find(self.results, "p50_ns", shape="mixed", ranges=size, row=row)
                          if "curve" in result}
                caption = f"{size:,} ranges, {row.split(':')[-1]} threads"
                figures.append(figure(caption, self.plotter.latencies(caption, curves)))
        return self.section("Latency of lookups beside a writer",
                       "One thread updates without pause, the others look up; each lookup timed.", figures)

    def memory(self):
        figures = []
        for row, title in [("memory_random", "after random inserts"), ("memory_ordered", "filled in order")]:
            for value, how in [("bytes_per_range", "by the map's allocator"),
                               ("resident_bytes_per_range", "resident in the process")]:
                series = res.series(self.results, value, "ranges", shape="mixed", row=row)
                if value.startswith("resident"):
                    series = {name: [point for point in points if point[0] >= 4096]
                              for name, points in series.items()}
                caption = f"{title}, {how}"
                figures.append(figure(caption, self.plotter.lines(caption, series, "ranges", "bytes a range")))
        return self.section("Memory", "", figures)

    def garbage(self):
        rows = [[escape(result["set"]), escape(result["title"]), result["threads"],
                 number(result["values"]["median_bytes"]["median"] / 1024),
                 number(result["values"]["peak_bytes"]["max"] / 1024)]
                for result in res.find(self.results, "median_bytes")]
        if not rows:
            return ""
        return ("<h2>Not yet reclaimed</h2><p>During 50 % updates, sampled every millisecond.</p>"
                + table(["set", "map", "threads", "median KiB", "peak KiB"], rows))

    def sets(self):
        """Real and page-aligned sets: a table for each row."""
        others = [result for result in res.find(self.results, "operations_per_second") if result["shape"] != "mixed"]
        parts = []
        for row in dict.fromkeys(result["row"] for result in others):
            lines = []
            for name in dict.fromkeys(result["set"] for result in others):
                cells = {result["map"]: number(result["values"]["operations_per_second"]["median"] / 1e6)
                         for result in others if result["set"] == name and result["row"] == row}
                ranges = next(result["ranges"] for result in others if result["set"] == name)
                lines.append([f"{escape(name)}, {ranges:,}"] + [cells.get(map_, "") for map_ in self.titles])
            parts.append(f"<p>{escape(row)}, million a second</p>" + table(["set, ranges", *self.titles.values()], lines))
        return "<h2>Real sets, and pages</h2>" + "".join(parts) if parts else ""

    def all_results(self):
        rows = []
        for result in self.results:
            for value, spread in result.get("values", {}).items():
                rows.append([escape(f"{result['set']}/{result['row']}"), escape(result["map"]), escape(value),
                             number(spread["median"]), number(spread["min"]), number(spread["max"])])
        return (f"<h2>All results</h2><details><summary>{len(rows):,} values</summary>"
                + table(["row", "map", "value", "median", "least", "most"], rows) + "</details>")

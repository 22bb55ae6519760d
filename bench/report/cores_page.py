# SPDX-License-Identifier: BSD-2-Clause
"""The page of what bench/cores predicts: how each load goes with threads, and what it waits for."""

from html import escape

from page import STYLE
from plots import UNKNOWN_STYLE, Plotter

MACHINE_STYLES = {"xeon": ("#0072b2", 5, "■"), "epyc": ("#d55e00", 7, "●"), "readme": ("#009e73", 9, "▲")}


class CoresPage:
    def __init__(self, document):
        self.machines = {machine["name"]: machine for machine in document["machines"]}
        self.results = document["results"]
        self.plotter = Plotter(self.machines, MACHINE_STYLES)

    def html(self):
        mixes = list(dict.fromkeys((result["mix"], result["ranges"]) for result in self.results))
        figures = "".join(self.figure(mix, ranges) for mix, ranges in mixes)
        facts = "".join(f"<dt>{self.mark(name)} {escape(name)}</dt><dd>{escape(machine['what'])}. "
                        f"{escape(machine['source'])}. Assumed: {escape(machine['assumed'])}</dd>"
                        for name, machine in self.machines.items())
        return ("<!DOCTYPE html><html lang='en'><meta charset='utf-8'><title>rangemap on many cores, predicted</title>"
                f"<style>{STYLE}</style><h1>rangemap on many cores, predicted</h1><dl>{facts}</dl>"
                f"<div class='grid'>{figures}</div><h2>What threads wait for</h2>{self.table()}</html>\n")

    def mark(self, name):
        colour, _, mark = MACHINE_STYLES.get(name, UNKNOWN_STYLE)
        return f"<span style='color:{colour}'>{mark}</span>"

    def figure(self, mix, ranges):
        series = {}
        for result in self.results:
            if (result["mix"], result["ranges"]) == (mix, ranges):
                rate = result["operations_per_second"]
                series.setdefault(result["machine"], []).append((result["threads"], rate, rate, rate))
        label = f"{mix}, {ranges:,} ranges"
        plot = self.plotter.lines(label, series, "threads", "operations a second")
        return f"<figure><figcaption>{escape(label)}</figcaption>{plot}</figure>"

    def table(self):
        lines = list(self.results[0]["lines"]) if self.results else []
        head = "".join(f"<th>{escape(text)}</th>" for text in ["load", "threads", "% of time:", *lines])
        rows = "".join(self.row(result, lines) for result in self.results)
        return f"<div class='scroll'><table><tr>{head}</tr>{rows}</table></div>"

    @staticmethod
    def row(result, lines):
        shares = "".join(f"<td>{100 * result['lines'][line]['share_of_time']:.1f}</td>" for line in lines)
        load = escape(f"{result['machine']}, {result['mix']}, {result['ranges']:,}")
        return f"<tr><td>{load}</td><td>{result['threads']}</td><td></td>{shares}</tr>"

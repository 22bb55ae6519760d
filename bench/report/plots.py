# SPDX-License-Identifier: BSD-2-Clause
"""Plots as SVG, drawn by gnuplot. They have no key: a page explains colours and marks once."""

import math
import re
import subprocess

# Okabe and Ito's colours, which the colour-blind can tell apart, and a mark for each map: gnuplot's number and how
# it looks.
STYLES = {
    "rangemap": ("#d55e00", 7, "●"),
    "maple": ("#0072b2", 5, "■"),
    "xarray": ("#56b4e9", 4, "□"),
    "std_map": ("#009e73", 9, "▲"),
    "btree_map": ("#66a61e", 8, "△"),
    "skip_list": ("#cc79a7", 13, "◆"),
    "sorted": ("#999999", 2, "×"),
    "eytzinger": ("#000000", 1, "+"),
    "eytzinger_interleaved": ("#e69f00", 3, "✳"),
}
UNKNOWN_STYLE = ("#444444", 6, "○")

PREAMBLE = """
set terminal svg size 420,280 dynamic font "sans-serif,13" linewidth 1.2
set encoding utf8
set format x "%.0s%c"
set border 3 lc rgb "#888888"
set tics nomirror textcolor rgb "#333333"
set grid lc rgb "#dddddd" lt 1
unset key
set bars 0.4
"""


def run_gnuplot(script):
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0 or "<svg" not in done.stdout:
        raise RuntimeError(f"gnuplot failed: {done.stderr.strip()}")
    return done.stdout


def inline(svg, number, label):
    """An SVG document as an element of a page: its ids made its own."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<title>.*?</title>", f"<title>{label}</title>", svg, count=1, flags=re.S)
    return re.sub(r"(\bid=[\"']|href=[\"']#|url\([\"']?#)", rf"\g<1>p{number}_", svg)


class Plotter:
    """Draws plots with unique ids. `titles` are the names of maps for people, or of what else is compared."""

    def __init__(self, titles, styles=None):
        self.titles = titles
        self.styles = STYLES if styles is None else styles
        self.count = 0

    def draw(self, label, settings, data, style):
        """`data`: by map, rows of numbers. `style`: how gnuplot draws a map, {colour} and {mark} filled in."""
        data = {name: rows for name, rows in data.items() if rows}
        if not data:
            return ""
        script = [PREAMBLE, settings]
        plots = []
        for name in [name for name in self.titles if name in data]:
            rows = "\n".join(" ".join(f"{number:.6g}" for number in row) for row in data[name])
            script.append(f"${name} << EOD\n{rows}\nEOD\n")
            colour, mark, _ = self.styles.get(name, UNKNOWN_STYLE)
            width = 2.4 if name == "rangemap" else 1.2
            drawn = style.format(colour=colour, mark=mark, width=width)
            plots.append(f"${name} {drawn}")
        script.append("plot " + ", \\\n     ".join(plots) + "\n")
        self.count += 1
        return inline(run_gnuplot("\n".join(script)), self.count, label)

    def lines(self, label, series, x, y, log="xy", extra=""):
        """Medians joined by lines, with a bar from the least to the most."""
        settings = f'set xlabel "{x}"\nset ylabel "{y}"\n{extra}\n'
        if log:
            settings += f"set logscale {log}\nset format y \"%.0s%c\"\n"
        if "y" not in log:
            settings += "set yrange [0:*]\n"
        style = 'using 1:2:3:4 with yerrorlines lc rgb "{colour}" lw {width} pt {mark} ps 0.6'
        return self.draw(label, settings, series, style)

    def latencies(self, label, curves):
        """By map: [(fraction, ns)]. The axis gives each further nine the same room."""
        ticks = ", ".join(f'"{text}" {nines}' for text, nines in
                          [("0", 0), ("90", 1), ("99", 2), ("99.9", 3), ("99.99", 4), ("99.999", 5)])
        settings = ('set xlabel "% of lookups"\nset ylabel "take at most, ns"\nset logscale y\n'
                    f'set format y "%.0s%c"\nset xtics ({ticks})\n')
        rows = {name: [(-math.log10(1 - fraction), ns) for fraction, ns in curve if ns > 0 and fraction < 1]
                for name, curve in curves.items()}
        return self.draw(label, settings, rows,
                         'using 1:2 with linespoints lc rgb "{colour}" lw {width} pt {mark} ps 0.5')

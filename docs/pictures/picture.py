# SPDX-License-Identifier: BSD-2-Clause
"""An SVG picture of boxes, lines and texts, readable in light and dark mode, without a font or script."""

import sys
from html import escape

STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.title { font-weight: 600 }
.box { fill: #f6f8fa; stroke: #818b98 }
.new { fill: #dafbe1; stroke: #1a7f37 }
.old { fill: #ffebe9; stroke: #cf222e; stroke-dasharray: 4 3 }
.line { fill: none; stroke: #818b98; stroke-width: 1.3 }
.cut { fill: none; stroke: #1a7f37; stroke-width: 2.4 }
.gone { fill: none; stroke: #cf222e; stroke-width: 1.3; stroke-dasharray: 4 3 }
.frozen { fill: #ddf4ff; stroke: #0969da }
.grid { stroke: #d1d9e0 }
.a { stroke: #0969da; fill: #0969da } .b { stroke: #8250df; fill: #8250df }
.c { stroke: #bc4c00; fill: #bc4c00 } .d { stroke: #57606a; fill: #57606a }
.curve { fill: none; stroke-width: 2.2 } text.a, text.b, text.c, text.d { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9198a1 }
  .box { fill: #151b23; stroke: #656c76 } .new { fill: #12261e; stroke: #3fb950 } .old { fill: #25171c; stroke: #f85149 }
  .line { stroke: #656c76 } .cut { stroke: #3fb950 } .grid { stroke: #3d444d }
  .gone { stroke: #f85149 } .frozen { fill: #121d2f; stroke: #4493f8 }
  .a { stroke: #4493f8; fill: #4493f8 } .b { stroke: #ab7df8; fill: #ab7df8 }
  .c { stroke: #db6d28; fill: #db6d28 } .d { stroke: #9198a1; fill: #9198a1 }
  .curve { fill: none }
}"""


GLYPH, GLYPH_SMALL = 6.7, 5.7  # about the width of a letter


class Picture:
    def __init__(self, width, height, title):
        self.head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>\n{STYLE}\n</style>\n'
        )
        self.body = []

    def text(self, x, y, words, style="", anchor="middle"):
        self.body.append(f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{style}">{escape(words)}</text>')

    def box(self, x, y, width, height, lines, style="box"):
        """The first line is the title, the others are small. What is too long for the box is an error."""
        for number, line in enumerate(lines):
            if len(line) * (GLYPH_SMALL if number else GLYPH) > width:
                sys.exit(f"too long for its box: {line}")
        self.body.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="5" class="{style}"/>')
        top = y + height / 2 - 8 * (len(lines) - 1) + 4.5
        for number, line in enumerate(lines):
            self.text(x + width / 2, top + 16 * number, line, "small" if number else "")

    def path(self, points, style="line"):
        self.body.append(f'<path d="M{" L".join(f"{x:g} {y:g}" for x, y in points)}" class="{style}"/>')

    def svg(self):
        return self.head + "\n".join(self.body) + "\n</svg>\n"

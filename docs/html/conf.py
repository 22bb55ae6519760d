# SPDX-License-Identifier: BSD-2-Clause
"""Sphinx's configuration of the HTML manual, which build.py calls."""

project = "rangemap"
author = "the rangemap authors"
copyright = "2026, the rangemap authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "rangemap"
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
myst_heading_anchors = 4
# Figures of markdown in one document may skip a level; links are checked by build.py, of what came out.
suppress_warnings = ["myst.header"]

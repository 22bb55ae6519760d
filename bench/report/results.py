# SPDX-License-Identifier: BSD-2-Clause
"""The results of bench/compare and bench/cores as their --json wrote them."""

import json


class BadResults(Exception):
    """The file is not what compare or cores writes."""

COMPARE = "rangemap bench/compare"
CORES = "rangemap bench/cores"
KEYS = {COMPARE: ("machine", "method", "left_out", "results", "targets"), CORES: ("machines", "results")}



def load(path):
    """The document at `path`, with what is read of it checked."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except json.JSONDecodeError as error:
        raise BadResults(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("program") not in KEYS:
        raise BadResults(f"{path}: not written by compare --json")
    for key in KEYS[document["program"]]:
        if key not in document:
            raise BadResults(f"{path}: '{key}' is missing")
    return document


def maps(results):
    """(name, title) of each map, in the order in which compare lists them."""
    return list(dict.fromkeys((result["map"], result["title"]) for result in results))


def find(results, value, **wanted):
    """The results that have `value` and agree with `wanted`."""
    return [
        result
        for result in results
        if value in result.get("values", {}) and all(result[key] == want for key, want in wanted.items())
    ]


def series(results, value, x, **wanted):
    """By map: [(x, median, least, most)], ascending in x, which names a key of a result."""
    points = {}
    for result in find(results, value, **wanted):
        spread = result["values"][value]
        points.setdefault(result["map"], []).append((result[x], spread["median"], spread["min"], spread["max"]))
    return {name: sorted(list_) for name, list_ in points.items()}

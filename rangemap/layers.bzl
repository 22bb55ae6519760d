"""The folders of rangemap, from the lowest: each includes and calls only those before it.

This is where the row is written. rangemap/defs.bzl makes a library of each folder, //test/layers reads includes and symbols,
docs/pictures/draw.py draws it.
"""

RANGEMAP_LAYERS = [
    ("base", "atomics, fences, probes"),
    ("node", "leaves, inner nodes"),
    ("memory", "pools, chunks"),
    ("epoch", "sections, garbage, limits"),
    ("tree", "edit, freeze, rebuild, publish"),
    ("kernel", "lookups by AVX-512, AVX2, NEON or plain C"),
    ("map", "public functions, cursors, snapshots"),
    ("checked", "checked mode, empty unless it is asked for"),
]

# Files of one folder, x.h and x.c as one, that need each other in a ring; all others are in an order. To be read together.
RANGEMAP_RINGS = {
    "checked/callbacks checked/check checked/known checked/message checked/thread checked/value": "a message tells of all that is known; it is one component",
    "epoch/attach epoch/fork epoch/unload epoch/upkeep": "what is done to all threads, at a fork or an unload, is set up by the first that attaches",
    "epoch/dispose epoch/retire": "the one knows what is in the other's bags",
    "epoch/domain epoch/record epoch/roster": "a domain has a roster of records, each of which has its domain",
    "memory/grow memory/pool memory/shrink": "the pool grows when it is asked for what it has not; shrinking takes chunks out of it and gives those back that it may not",
    "tree/region tree/rewrite": "a region is built for a rewrite, which is declared with the function that makes it",
}

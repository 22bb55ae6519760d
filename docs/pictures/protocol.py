# SPDX-License-Identifier: BSD-2-Clause
"""The pictures of design.md: a map, an insert step by step, a store over three leaves, the life of a bag."""

from picture import Picture

CELL, ROW = 22, 20  # a slot's box


def slots(picture, x, y, styles, label=""):
    """Slots side by side, a style each; returns the points where they are left from."""
    for number, style in enumerate(styles):
        picture.box(x + CELL * number, y, CELL, ROW, ["F" if style == "frozen" else ""], style)
    if label:
        picture.text(x - 6, y + 14, label, "small", "end")
    return [(x + CELL * number + CELL / 2, y + ROW) for number in range(len(styles))]


def captions(picture, x, y, lines):
    for number, line in enumerate(lines):
        picture.text(x, y + 15 * number, line, "small", "start")


def word(picture, x, y, words, style="box"):
    """One line of small text in a box."""
    picture.box(x, y, 5.7 * len(words) + 14, ROW, ["", ""], style)
    picture.text(x + (5.7 * len(words) + 14) / 2, y + 14, words, "small")


# ---- a map ----

def node_map():
    picture = Picture(720, 400, "A map: the root slot, inner nodes with slots, and leaves that never change")
    picture.box(250, 10, 220, 44, ["struct rangemap", "root slot | clock | values"])
    picture.path([(290, 54), (290, 84)], "cut")
    picture.text(298, 74, "a slot: one word, changed by compare-and-swap", "small", "start")
    picture.box(130, 84, 320, 44, ["inner node", "meta | separators 500, 1000 | prev"])
    top = slots(picture, 190, 128, ["new"] * 3, "slots")
    picture.text(262, 143, "child 0: keys below 500; 1: 500..999; 2: from 1000 on", "small", "start")
    leaves = [
        (10, ["leaf", "meta | starts 100, 300", "{199, a} {399, c} | prev"]),
        (250, ["leaf", "meta | starts 500", "{599, e} | prev"]),
        (490, ["leaf", "meta | (empty)", "prev"]),
    ]
    for (x, lines), (slot_x, slot_y) in zip(leaves, top):
        picture.box(x, 196, 210, 62, lines)
        picture.path([(slot_x, slot_y), (x + 105, 196)], "cut")
    picture.text(115, 276, "100..199 is a, 300..399 is c", "small")
    picture.text(355, 276, "500..599 is e", "small")
    picture.text(595, 276, "nothing from 1000 on", "small")
    picture.text(10, 312, "The word of a slot:", "small", "start")
    for x, width, words in [(130, 110, "gap class, 63-57"), (240, 220, "address of the node, bits 56-6"), (460, 100, "FROZEN, bit 5"), (560, 120, "gap class, 4-0")]:
        picture.box(x, 297, width, 24, ["", ""], "box")
        picture.text(x + width / 2, 313, words, "small")
    picture.text(10, 346, "The word meta:", "small", "start")
    for x, width, words in [(130, 330, "stamp: the version in which it got into its slot, bits 63-10"), (460, 100, "level, bits 9-5"), (560, 120, "count, bits 4-0")]:
        picture.box(x, 331, width, 24, ["", ""], "box")
        picture.text(x + width / 2, 347, words, "small")
    captions(picture, 10, 376, ["Green: what changes after publication, by one atomic instruction at a time; beside it only stamps, once each, and prev, once."])
    return picture


# ---- an insert: six steps ----

LEAF = ["100..199: a", "300..399: c"]
COPY = ["100..199: a", "200..249: b", "300..399: c"]


def panel(picture, x, y, title, lines):
    picture.text(x, y, title, "title", "start")
    captions(picture, x, y + 192, lines)


def above(picture, x, y, style):
    """An inner node with three slots; returns where its middle slot is left from."""
    picture.box(x + 20, y + 14, 110, 26, ["inner node"])
    return slots(picture, x + 42, y + 40, ["box", style, "box"])[1]


def leaf(picture, x, y, lines, style="box"):
    picture.box(x, y, 86, 18 * len(lines) + 6, [""] + lines[:-1], style)
    picture.body.pop()  # the empty title
    del picture.body[-len(lines) + 1:]
    for number, line in enumerate(lines):
        picture.text(x + 43, y + 17 + 18 * number, line, "small")


def descend(picture, x, y):
    slot = above(picture, x, y, "new")
    picture.path([(x + 75, y + 2), (x + 75, y + 14)], "cut")
    leaf(picture, x + 32, y + 104, LEAF)
    picture.path([slot, (x + 75, y + 104)], "cut")
    panel(picture, x, y, "1 descend", ["One slot a level, to the leaf whose span", "holds 200..249. Slot, word and meta of", "every step are kept in the path."])


def plan(picture, x, y):
    slot = above(picture, x, y, "box")
    leaf(picture, x + 32, y + 104, LEAF)
    picture.path([slot, (x + 75, y + 104)])
    picture.text(x + 126, y + 128, "200..249 free?", "small", "start")
    panel(picture, x, y, "2 plan", ["In the way: -EEXIST, at this instant.", "One leaf holds the result, and its slot", "was not frozen: the leaf path."])


def copy(picture, x, y):
    slot = above(picture, x, y, "box")
    leaf(picture, x, y + 104, LEAF)
    leaf(picture, x + 120, y + 104, COPY, "new")
    picture.path([slot, (x + 43, y + 104)])
    picture.path([(x + 120, y + 128), (x + 86, y + 128)], "gone")
    picture.text(x + 103, y + 120, "prev", "small")
    panel(picture, x, y, "3 copy", ["A leaf of the size that three ranges", "need. Nobody else can see it. Memory", "for retiring the old one is staged."])


def publish(picture, x, y):
    slot = above(picture, x, y, "new")
    leaf(picture, x, y + 104, LEAF, "old")
    leaf(picture, x + 120, y + 104, COPY, "new")
    picture.path([slot, (x + 163, y + 104)], "cut")
    picture.path([(x + 120, y + 128), (x + 86, y + 128)], "gone")
    panel(picture, x, y, "4 publish", ["One compare-and-swap of the slot, from", "the old leaf's word to the new one's.", "Here the insert takes effect."])


def stamp(picture, x, y):
    slot = above(picture, x, y, "box")
    leaf(picture, x + 8, y + 104, COPY)
    picture.path([slot, (x + 51, y + 104)])
    word(picture, x + 118, y + 104, "clock: 7")
    word(picture, x + 118, y + 136, "stamp: none, then 7", "new")
    picture.path([(x + 148, y + 124), (x + 148, y + 136)], "cut")
    panel(picture, x, y, "5 stamp", ["The clock as read after step 4, by the", "writer, or by a reader that comes first.", "Nobody follows a node without a stamp."])


def retire(picture, x, y):
    slot = above(picture, x, y, "box")
    leaf(picture, x, y + 104, LEAF, "old")
    leaf(picture, x + 120, y + 104, COPY)
    picture.path([slot, (x + 163, y + 104)])
    word(picture, x + 12, y + 156, "bag", "box")
    picture.path([(x + 30, y + 146), (x + 30, y + 156)], "gone")
    panel(picture, x, y, "6 retire", ["The old leaf is named in the thread's", "bag. Readers that are in it finish; its", "memory is reused two epochs later."])


def insert():
    picture = Picture(720, 520, "insert(200, 249, b), step by step: descend, plan, copy, publish, stamp, retire")
    for number, step in enumerate([descend, plan, copy, publish, stamp, retire]):
        step(picture, 12 + 242 * (number % 3), 24 + 256 * (number // 3))
    return picture


# ---- a store over three leaves ----

WIDE = [["100..199: a", "200..299: b"], ["400..499: c", "500..599: d"], ["800..899: e", "900..999: f"]]
FRESH = [["100..149: a", "150..850: x"], ["851..899: e", "900..999: f"]]


def node(picture, x, y, name, styles, style="box"):
    picture.box(x, y, 60 + CELL * len(styles), 26, [name], style)
    return slots(picture, x + 30, y + 26, styles)


def old_tree(picture, x, y, anchor, below, leaf_style="box", node_style="box"):
    """P above N and M, N above the three leaves. Returns where P's first slot is left from."""
    root = node(picture, x + 150, y, "P", [anchor, "box"])
    under = node(picture, x + 60, y + 76, "N", [below] * 3, node_style)
    picture.box(x + 250, y + 76, 60, 26, ["M"])
    picture.path([root[1], (x + 280, y + 76)])
    for number, lines in enumerate(WIDE):
        leaf(picture, x + 100 * number, y + 152, lines, leaf_style)
        picture.path([under[number], (x + 100 * number + 43, y + 152)], "gone" if node_style == "old" else "line")
    return root[0]


def wide_panel(picture, x, y, title, below, lines):
    picture.text(x, y - 12, title, "title", "start")
    captions(picture, x, y + below, lines)


def anchor(picture, x, y):
    root = old_tree(picture, x, y, "new", "box")
    picture.path([root, (x + 130, y + 76)], "cut")
    picture.text(x + 150, y + 62, "anchor", "small", "end")
    lines = ["The descent ends at N: no child of it holds all of 150..850.", "The slot that leads to N is the anchor, as it is not frozen and", "N has room for one child more and can lose one."]
    wide_panel(picture, x, y, "1 anchor", 216, lines)


def freeze(picture, x, y):
    root = old_tree(picture, x, y, "box", "frozen")
    picture.path([root, (x + 130, y + 76)])
    lines = ["FROZEN is set in every slot of N; of more levels, top-down.", "No update can succeed below N any more: what it holds is", "final. Lookups do not care."]
    wide_panel(picture, x, y, "2 freeze", 216, lines)


def rebuild(picture, x, y):
    root = old_tree(picture, x, y, "box", "frozen")
    picture.path([root, (x + 130, y + 76)])
    fresh_tree(picture, x, y + 206)
    picture.text(x + 200, y + 240, "not in the tree yet", "small", "start")
    lines = ["Fresh are N' and the leaves at both ends of the store. What", "lies in between is dropped whole; children outside of the", "store would be taken over as they are."]
    wide_panel(picture, x, y, "3 rebuild", 344, lines)


def fresh_tree(picture, x, y):
    below = node(picture, x + 30, y, "N'", ["new"] * 2, "new")
    for number, lines in enumerate(FRESH):
        leaf(picture, x + 100 * number, y + 76, lines, "new")
        picture.path([below[number], (x + 100 * number + 43, y + 76)], "cut")


def swing(picture, x, y):
    root = node(picture, x + 150, y, "P", ["new", "box"])
    picture.box(x + 270, y + 76, 60, 26, ["M"])
    picture.path([root[1], (x + 300, y + 76)])
    picture.path([root[0], (x + 85, y + 76)], "cut")
    fresh_tree(picture, x + 3, y + 76)
    picture.box(x + 3, y + 230, 190, 46, ["N and its three leaves", "retired; N' leads there by prev"], "old")
    lines = ["One compare-and-swap at the anchor: who looks finds all of", "the store or nothing of it. If it fails, what was built is", "freed, and the update begins anew."]
    wide_panel(picture, x, y, "4 publish, stamp, retire", 344, lines)


def wide_store():
    picture = Picture(720, 722, "store(150, 850, x) over three leaves: anchor, freeze, rebuild, publish")
    anchor(picture, 10, 36)
    freeze(picture, 375, 36)
    rebuild(picture, 10, 332)
    swing(picture, 375, 332)
    return picture


# ---- the life of a bag ----

BAG = [
    ("staged", ["before the update's", "compare-and-swap:", "may fail for memory"]),
    ("committed", ["after it: cannot fail.", "Full, or holds values:", "handed to a shard"]),
    ("inbox", ["of a shard: any thread", "pushes, the holder of", "the claim takes"]),
    ("limbo", ["stamped with the epoch", "s: the grace period", "begins"]),
    ("ready", ["the epoch is s + 2, or a", "poll saw no section:", "nobody can be in it"]),
    ("disposed of", ["nodes to the thread's", "magazine, release()", "called for values"]),
]


def bag():
    picture = Picture(720, 236, "The life of a bag: staged, committed, inbox, limbo, ready, disposed of")
    for number, (name, lines) in enumerate(BAG):
        x = 10 + 240 * (number % 3)
        y = 10 + 116 * (number // 3)
        picture.box(x, y, 210, 76, [name] + lines, "new" if name == "ready" else "box")
        if number % 3 < 2:
            picture.path([(x + 210, y + 38), (x + 240, y + 38)], "cut")
    picture.path([(595, 86), (595, 106), (115, 106), (115, 126)], "cut")
    captions(picture, 10, 226, ["Everything is first in, first out. A lost update aborts: staged entries are forgotten, nothing was retired."])
    return picture

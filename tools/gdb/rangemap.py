# SPDX-License-Identifier: BSD-2-Clause
"""gdb commands that show rangemaps, of a process that is stopped and of a core file.

    source rangemap.py
    rangemap print MAP [START LAST]     ranges and values, in order
    rangemap find MAP KEY               the range that holds a key, and the way to it
    rangemap info MAP                   size, height, frozen slots; the domain and its threads
    rangemap tree MAP                   as rangemap_dump() writes it

MAP is an expression for a map, its address or a pointer to it. Nothing is called in the program, and nothing written.
All is read by its layout, so that a library without debug information will do. No more ranges or nodes are printed than
`set print elements` says. A map that is damaged is shown as far as it can be read, with each fault in its place.

What is shown is what the slots hold now: an update that was under way has taken effect if its compare-and-swap has.
"""

# More than 400 lines, since it is one file: gdb loads it by itself where the library is installed, and it is carried to where a
# core file is.

import struct

import gdb

LINE = 64
FROZEN = 0x20
ADDRESS = 0x01FFFFFFFFFFFFC0  # the other bits of a slot are the gap class
ENTRIES_MAX = 15
SMALL_LEAF = 7
LEVEL_MAX = 16
STAMP_NONE = (1 << 54) - 1
KEY_MAX = (1 << 64) - 1
# What the debug information must agree with, where there is any: (type, member, offset).
LAYOUT = [
    ("struct rangemap", "domain", 8),
    ("struct rangemap", "clock", LINE),
    ("struct rangemap", "values", 2 * LINE),
    ("struct rm_inner", "separator", 8),
    ("struct rm_inner", "slot", 2 * LINE),
    ("struct rm_leaf", "start", 8),
    ("struct rm_pair", "value", 8),
]


# Where a domain and its threads have what is shown of them, (offset, size), for libraries without debug information. With
# it that is asked; gdb_test compares the two, and prints what should be here.
DOMAIN_LAYOUT = {
    "struct rangemap_domain.epoch.epoch": (0, 4),
    "struct rangemap_domain.maps": (272, 8),
    "struct rangemap_domain.pool.chunk_bytes": (192, 8),
    "struct rangemap_domain.roster.first": (432, 384),
    "struct rm_roster_page.next": (0, 8),
    "struct rm_roster_page.record": (16, 368),
    "struct rm_thread.standing": (200, 8),
    "struct rm_thread.section.active": (24, 4),
    "struct rm_thread.section.epoch": (20, 4),
    "struct rm_thread.busy": (384, 4),
    "struct rm_thread.retired_bytes": (488, 8),
    "struct rm_thread.reclaimed_bytes": (496, 8),
    "struct rm_thread.retries": (504, 8),
}
THREAD_STATES = ("free", "attached", "moving", "parked", "orphan")
known_layout = {}


class Fault(Exception):
    """What keeps a node from being shown."""


def number(value):
    """As printf's %#x."""
    return hex(value) if value else "0"


def pointer(value):
    """As printf's %p."""
    return hex(value) if value else "(nil)"


def symbolic(value):
    """As gdb shows a pointer: with the name of what is there, if it has one."""
    return str(gdb.Value(value).cast(gdb.lookup_type("void").pointer()))


def read_words(address, count):
    try:
        memory = gdb.selected_inferior().read_memory(address, 8 * count)
    except gdb.MemoryError:
        raise Fault(f"the memory at {number(address)} cannot be read") from None
    return struct.unpack(f"<{count}Q", bytes(memory))


# ---- nodes ----


class Node:
    """A node's words, taken apart. Count and level are checked, so that no walk is longer than the node."""

    def __init__(self, address):
        if address == 0 or address % LINE:
            raise Fault(f"{number(address)} is no address of a node: nodes are aligned to {LINE} bytes")
        self.address = address
        self.meta = read_words(address, 1)[0]
        self.count, self.level, self.stamp = self.meta & 31, self.meta >> 5 & 31, self.meta >> 10
        if self.count > ENTRIES_MAX or self.level > LEVEL_MAX or (self.level > 0 and self.count == 0):
            raise Fault(f"the node at {number(address)} has level {self.level} and {self.count} entries")
        self.lines = 4 if self.level else 2 + (self.count > 3) + 2 * (self.count > SMALL_LEAF) + (self.count > 11)
        self.words = read_words(address, self.lines * LINE // 8)

    def keys(self):
        """Separators of an inner node, starts of a leaf."""
        return self.words[1 : self.count + (self.level == 0)]

    def slots(self):
        return self.words[16 : 16 + self.count]

    def entries(self):
        """(start, last, value) of each range of a leaf."""
        pairs = self.words[8 if self.count <= SMALL_LEAF else 16 :]
        return zip(self.keys(), pairs[0 : 2 * self.count : 2], pairs[1 : 2 * self.count : 2])


def order_fault(node, low, high):
    """Which rule the keys of a node break that covers low..high, or None."""
    if node.level:
        for key in node.keys():
            if not low < key <= high:
                return f"separator {number(key)} does not ascend within {number(low)}..{number(high)}"
            low = key
        return None
    for start, last, _ in node.entries():
        if not low <= start <= last <= high:
            return f"range [{number(start)}, {number(last)}] does not ascend within {number(low)}..{number(high)}"
        low = last + 1
    return None


class Place:
    """A node where it was found; or, with a fault and no node, where one should be."""

    def __init__(self, slot, depth, low, high):
        self.depth, self.low, self.high = depth, low, high
        self.frozen = slot & FROZEN
        self.address = slot & ADDRESS
        self.node, self.fault = None, None

    def look(self, level):
        """Reads the node, which must be of `level` unless that is None."""
        try:
            node = Node(self.address)
        except Fault as fault:
            self.fault = str(fault)
            return
        if level is not None and node.level != level:
            self.fault = f"the node at {number(self.address)} is of level {node.level}, not {level}"
            return
        self.node, self.fault = node, order_fault(node, self.low, self.high)

    def children(self):
        keys = self.node.keys() if self.node.level else ()
        lows, highs = (self.low, *keys), (*(key - 1 for key in keys), self.high)
        for slot, low, high in zip(self.node.slots(), lows, highs):
            yield Place(slot, self.depth + 1, low & KEY_MAX, high & KEY_MAX)


def places(place, start=0, last=KEY_MAX, level=None):
    """The places below one that may hold keys of start..last, parents before children; itself first."""
    place.look(level)
    yield place
    if place.node is not None and place.node.level:
        for child in place.children():
            if place.fault or (child.low <= last and child.high >= start):
                yield from places(child, start, last, place.node.level - 1)


# ---- maps ----


def member_offsets(name):
    """Offsets of the members of a type, or {} if its definition is in no debug information."""
    try:
        return {field.name: field.bitpos // 8 for field in gdb.lookup_type(name).fields()}
    except (gdb.error, TypeError):
        return {}


def check_layout():
    for name, member, offset in LAYOUT:
        known = member_offsets(name)
        if known and known.get(member) != offset:
            raise gdb.GdbError(f"This program's rangemap is of another version than this script: {name}.{member}")


class Map:
    def __init__(self, expression):
        check_layout()
        self.address = address_of(expression)
        try:
            if self.address % LINE:
                raise Fault(f"maps are aligned to {LINE} bytes")
            words = read_words(self.address, 20)
            self.root, self.domain, self.clock, self.values = words[0], words[1], words[8], words[16:20]
            if self.root == 0 or self.root % LINE:
                raise Fault(f"its root would be at {number(self.root)}")
        except Fault as fault:
            raise gdb.GdbError(f"There is no map at {number(self.address)}: {fault}.") from None

    def places(self, start=0, last=KEY_MAX):
        return places(Place(self.root, 0, 0, KEY_MAX), start, last)


def address_of(expression):
    value = gdb.parse_and_eval(expression)
    if value.is_optimized_out:
        raise gdb.GdbError(f"'{expression}' is optimized out here.")
    code = value.type.strip_typedefs().code
    if code == gdb.TYPE_CODE_STRUCT and value.address is not None:
        return int(value.address)
    if code not in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
        raise gdb.GdbError(f"'{expression}' is neither a map nor the address of one.")
    return int(value) & KEY_MAX


# ---- domains ----


def layout_of(path):
    """(offset, size) of a member, as "struct name.member.member"; first by debug information, else as the table has it."""
    if path not in known_layout:
        known_layout[path] = debug_layout(path) or DOMAIN_LAYOUT[path]
    return known_layout[path]


def debug_layout(path):
    """The same by debug information alone; None without any."""
    name, *members = path.split(".")
    offset = 0
    try:
        kind = gdb.lookup_type(name)
        for member in members:
            field = next((field for field in kind.strip_typedefs().fields() if field.name == member), None)
            if field is None:
                raise gdb.GdbError(f"This program's rangemap is of another version than this script: {path}")
            offset += field.bitpos // 8
            kind = field.type
    except (gdb.error, TypeError):
        return None
    return offset, kind.sizeof


def read_member(address, path):
    offset, size = layout_of(path)
    try:
        memory = gdb.selected_inferior().read_memory(address + offset, min(size, 8))
    except gdb.MemoryError:
        raise Fault(f"the memory at {number(address + offset)} cannot be read") from None
    return int.from_bytes(bytes(memory), "little")


def thread_records(domain):
    """The addresses of the records of a domain's threads; no page of them is taken twice."""
    page, seen = domain + layout_of("struct rangemap_domain.roster.first")[0], set()
    offset, size = layout_of("struct rm_roster_page.record")
    while page and page not in seen:
        seen.add(page)
        yield from filter(None, read_words(page + offset, size // 8))
        page = read_member(page, "struct rm_roster_page.next")


def thread_line(thread, epoch):
    standing = read_member(thread, "struct rm_thread.standing")
    state = standing & 0x7F
    if state >= len(THREAD_STATES):
        raise Fault(f"the thread's record at {number(thread)} has state {state}")
    line = f"  thread {standing >> 8 & 0xFFFFFFFF}: {THREAD_STATES[state]}"
    if read_member(thread, "struct rm_thread.section.active"):
        behind = (epoch - read_member(thread, "struct rm_thread.section.epoch")) & 0xFFFFFFFF
        line += f", in a section {behind} epochs behind"
    if read_member(thread, "struct rm_thread.busy"):
        line += ", in an update or reclaiming"
    return line


def domain_lines(address):
    threads = list(thread_records(address))
    retired, reclaimed, retries = (
        sum(read_member(thread, f"struct rm_thread.{member}") for thread in threads)
        for member in ("retired_bytes", "reclaimed_bytes", "retries")
    )
    epoch = read_member(address, "struct rangemap_domain.epoch.epoch")
    yield (
        f"domain {number(address)}: {read_member(address, 'struct rangemap_domain.maps')} maps, epoch {epoch},"
        f" {read_member(address, 'struct rangemap_domain.pool.chunk_bytes')} bytes of chunks,"
        f" {(retired - reclaimed) & KEY_MAX} bytes pending, {retries} retries"
    )
    for thread in threads:
        yield thread_line(thread, epoch)


# ---- commands ----


def arguments(text, least, most):
    """Words that are separated by commas or, without any, by blanks; neither counts inside parentheses or quotes."""
    for separators in (",", " \t"):
        words, depth, quote = [""], 0, ""
        for letter in text.strip():
            quote = "" if letter == quote else quote or (letter if letter in "'\"" else "")
            depth += not quote and ((letter in "([{") - (letter in ")]}"))
            if letter in separators and depth == 0 and not quote:
                words.append("")
            else:
                words[-1] += letter
        words = [word.strip() for word in words if word.strip()]
        if len(words) > 1:
            break
    if not least <= len(words) <= most:
        raise gdb.GdbError("Wrong number of arguments: they are separated by commas or blanks; see 'help rangemap'.")
    return words


def key_of(expression):
    return int(gdb.parse_and_eval(expression)) & KEY_MAX


class Limit:
    """How much is printed at most: gdb's own setting for arrays and strings."""

    def __init__(self):
        self.left = gdb.parameter("print elements") or None

    def is_reached(self):
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0

    def explain(self, faults):
        print("... and more; 'set print elements 0' lifts the limit, START and LAST choose a part")
        summary(faults)


def summary(faults):
    if faults:
        raise gdb.GdbError(f"{faults} fault{'s' * (faults > 1)}, marked above.")


def print_fault(place, indent=""):
    print(f"{indent}FAULT in keys {number(place.low)}..{number(place.high)}: {place.fault}")


class Rangemap(gdb.Command):
    __doc__ = __doc__

    def __init__(self):
        super().__init__("rangemap", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, text, from_tty):
        raise gdb.GdbError("rangemap print, find, info or tree? See 'help rangemap'.")


class Print(gdb.Command):
    """Print the ranges of a map and their values: rangemap print MAP [START LAST]
With START and LAST, only those that share a key with them."""

    def __init__(self):
        super().__init__("rangemap print", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text, from_tty):
        expression, *window = arguments(text, 1, 3)
        start, last = (key_of(window[0]), key_of(window[-1])) if window else (0, KEY_MAX)
        faults, limit = 0, Limit()
        for place in Map(expression).places(start, last):
            if place.fault:
                print_fault(place)
                faults += 1
            if place.node is not None and not place.node.level:
                for first, end, value in place.node.entries():
                    if first <= last and end >= start:
                        if limit.is_reached():
                            return limit.explain(faults)
                        print(f"[{number(first)}, {number(end)}] = {symbolic(value)}")
        summary(faults)


class Find(gdb.Command):
    """Find the range of a map that holds a key, and the nodes on the way to it: rangemap find MAP KEY"""

    def __init__(self):
        super().__init__("rangemap find", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text, from_tty):
        expression, key = arguments(text, 2, 2)
        key = key_of(key)
        found, faults = None, 0
        for place in Map(expression).places(key, key):
            kind = "fault" if place.node is None else "inner" if place.node.level else "leaf"
            print(f"{kind} {number(place.address)}{' frozen' if place.frozen else ''}"
                  f" keys {number(place.low)}..{number(place.high)}")
            if place.fault:
                print_fault(place)
                faults += 1
            if kind == "leaf":
                found = next((entry for entry in place.node.entries() if entry[0] <= key <= entry[1]), found)
        if found:
            print(f"[{number(found[0])}, {number(found[1])}] = {symbolic(found[2])}")
        elif not faults:
            print(f"no range holds {number(key)}")
        summary(faults)


class Info(gdb.Command):
    """Show a map's size, height, frozen slots and callbacks, its domain and that one's threads: rangemap info MAP"""

    def __init__(self):
        super().__init__("rangemap info", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text, from_tty):
        this = Map(arguments(text, 1, 1)[0])
        all_places = list(this.places())
        nodes = [place.node for place in all_places if place.node is not None]
        leaves = [node for node in nodes if not node.level]
        faults = [place for place in all_places if place.fault]
        height = nodes[0].level if nodes else 0
        print(f"map {number(this.address)}: {sum(leaf.count for leaf in leaves)} ranges, height {height}")
        print(f"  {len(leaves)} leaves, {len(nodes) - len(leaves)} inner nodes, {sum(n.lines for n in nodes) * LINE} bytes")
        print(f"  {sum(place.frozen for place in all_places)} frozen slots, version {this.clock}")
        for name, value in zip(("split", "release", "retain"), this.values):
            if value:
                print(f"  {name} {symbolic(value)}")
        for place in faults:
            print_fault(place, "  ")
        self.print_domain(this.domain)
        summary(len(faults))

    def print_domain(self, address):
        known_layout.clear()  # it may be another program's
        try:
            for line in domain_lines(address):
                print(line)
        except Fault as fault:
            print(f"FAULT in domain {number(address)}: {fault}")


class Tree(gdb.Command):
    """Print every node of a map, as rangemap_dump() does: rangemap tree MAP"""

    def __init__(self):
        super().__init__("rangemap tree", gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    def invoke(self, text, from_tty):
        faults, limit = 0, Limit()
        for place in Map(arguments(text, 1, 1)[0]).places():
            if limit.is_reached():
                return limit.explain(faults)
            indent = "  " * place.depth
            if place.node is not None:
                self.print_node(place, place.node, indent)
            if place.fault:
                print_fault(place, indent)
                faults += 1
        summary(faults)

    def print_node(self, place, node, indent):
        print(f"{indent}{'inner' if node.level else 'leaf'} {pointer(node.address)} level {node.level} count {node.count}"
              f" version {'none' if node.stamp == STAMP_NONE else node.stamp}"
              f" keys {number(place.low)}..{number(place.high)}{' frozen' if place.frozen else ''}")
        if not node.level:
            for start, last, value in node.entries():
                print(f"{indent}  [{number(start)}, {number(last)}] = {pointer(value)}")


for command in (Rangemap, Print, Find, Info, Tree):
    command()

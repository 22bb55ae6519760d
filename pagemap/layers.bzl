"""The folders of pagemap, from the lowest: each includes and calls only those before it, and rangemap's public header.

This is where the row is written. pagemap/BUILD makes a library of each folder, //test/layers reads includes and symbols.
"""

PAGEMAP_LAYERS = [
    ("base", "atomics, waiting, mapping of addresses, warnings"),
    ("core", "the domain, read sections"),
    ("altmap", "the part of a device that holds its struct pages"),
    ("backend", "where memory is from: memfd, files, huge pages, DAX devices"),
    ("resource", "physical address space: regions"),
    ("devres", "what goes with a device"),
    ("notifier", "who is told before pages go"),
    ("percpu_ref", "references counted per CPU"),
    ("statistics", "numbers"),
    ("vmemmap", "struct pages: their place, and which were touched"),
    ("page", "the index of pfns, struct pages, their counts and marks"),
    ("mapping", "files: locks, lives, from a page to its place"),
    ("holders", "who holds a device, and waiting that says so"),
    ("memremap", "mapping devices, tearing them down, locking pages"),
    ("view", "views of files in this process"),
    ("file", "pages into files, out of them, and others in their place"),
    ("poison", "memory failures"),
    ("gup", "pages by address"),
    ("share", "devices for other processes"),
    ("sigbus", "failures of memory as signals"),
]

# Files of one folder, x.h and x.c as one, that need each other in a ring; all others are in an order. To be read together.
PAGEMAP_RINGS = {
    "percpu_ref/percpu percpu_ref/restart": "the first chunk of words decides how words are added to",
    "view/mechanism view/present view/revoke view/view": "view.h is what they all work on, and says what each does to it",
}

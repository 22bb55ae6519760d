# SPDX-License-Identifier: BSD-2-Clause
"""What a page says first: a sentence, and three numbers, from the largest map of ranges of mixed length."""

import results as res

LOOKUP, UPDATE = "lookup_alone/random/hit/threads:1", "erase_insert/threads:1"


def times(results, row):
    """(how many times as fast as the fastest other map that was measured, its title); None: there is no other."""
    found = res.find(results, "ns_per_operation", shape="mixed", row=row)
    largest = max((result["ranges"] for result in found), default=0)
    medians = {result["map"]: (result["values"]["ns_per_operation"]["median"], result["title"])
               for result in found if result["ranges"] == largest}
    own = medians.pop("rangemap", None)
    if own is None or not medians or min(medians.values())[0] <= 0 or own[0] <= 0:
        return None
    best, title = min(medians.values())
    return best / own[0], title


def side(factor):
    return "ahead of" if factor > 1.02 else "behind" if factor < 0.98 else "level with"


def words(results):
    lookups, updates = times(results, LOOKUP), times(results, UPDATE)
    if lookups is None or updates is None:
        return "rangemap beside its peers"
    return (f"rangemap's lookups are {side(lookups[0])} {lookups[1]}, the fastest other map of this run; "
            f"its updates are {side(updates[0])} {updates[1]}")


def numbers(results, targets):
    """Three times (number, what it is)."""
    lookups, updates = times(results, LOOKUP), times(results, UPDATE)
    met = sum(target["met"] for target in targets)
    return [
        (f"{lookups[0]:.2f}×" if lookups else "–", f"as many lookups as {lookups[1]}, one thread" if lookups else "lookups: not measured"),
        (f"{updates[0]:.2f}×" if updates else "–", f"as many updates as {updates[1]}, one thread" if updates else "updates: not measured"),
        (f"{met} of {len(targets)}", "targets met"),
    ]

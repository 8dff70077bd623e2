"""Shortest drives from arc to arc over a RoadGraph, compiled. It stops as soon as every target is settled.

A label is what it takes to get to the beginning of an arc: whole milliseconds, and of equally quick ways the
shorter one by its decimetres. So the answer does not depend on the order in which anything is looked at.

Arcs to be looked at wait in buckets of about a second (Dial's algorithm; inside a bucket, labels may still be
corrected): three times as fast as with a heap.
"""

import numpy as np
from numpy.typing import NDArray

from scheduler.compiled import compiled

Ints = NDArray[np.int32]

NEVER = np.iinfo(np.int32).max
"""What is not reached."""
BUCKET_BITS = 10  # a bucket is 1,024 ms


@compiled
def spread(
    ms: Ints, dm: Ints, next_first: Ints, next_arc: Ints, next_ms: Ints,
    begin: Ints,
    slot: Ints, slots: Ints,
    stop_early: bool,
    best_ms: Ints, best_dm: Ints, best_arc: Ints,
    entry_ms: Ints, entry_dm: Ints, parent: Ints,
    bucket: Ints, items_room: Ints,
) -> int:  # fmt: skip
    """One search. begin: rows of arcs to begin with, and of what it takes to get to their beginning (ms, dm).
    slot[arc] is the first column in `slots` of the targets on an arc: rows of the next column (-1: none), of
    which target, and of how far along it is (ms, dm).

    best_…: of each target what is known beforehand (NEVER: nothing), then the answer and the arc it is
    reached on. parent[arc]: the arc before, -1 at the beginning. bucket and items_room (shape (3, n)):
    room to work in; there are a power of two of buckets, more than the longest step from one arc to the next
    spans. Answers how many labels were looked at, or -1 when the room did not suffice.
    """
    begin_arc, begin_ms, begin_dm = begin[0], begin[1], begin[2]
    slot_next, slot_target, slot_ms, slot_dm = slots[0], slots[1], slots[2], slots[3]
    item_next, item_arc, item_ms = items_room[0], items_room[1], items_room[2]
    entry_ms[:] = NEVER
    bucket[:] = -1
    mask = len(bucket) - 1
    items, waiting = 0, 0
    for k in range(len(begin_arc)):
        arc = begin_arc[k]
        if begin_ms[k] < entry_ms[arc] or (begin_ms[k] == entry_ms[arc] and begin_dm[k] < entry_dm[arc]):
            entry_ms[arc], entry_dm[arc], parent[arc] = begin_ms[k], begin_dm[k], -1
            place = (begin_ms[k] >> BUCKET_BITS) & mask
            item_arc[items], item_ms[items], item_next[items] = arc, begin_ms[k], bucket[place]
            bucket[place] = items
            items += 1
            waiting += 1
    missing, bound = 0, 0
    for target in range(len(best_ms)):
        if best_ms[target] == NEVER:
            missing += 1
        bound = max(bound, best_ms[target])
    looked, turn = 0, 0
    while waiting > 0:
        if bucket[turn & mask] < 0:
            turn += 1
            if stop_early and missing == 0 and (turn << BUCKET_BITS) > bound:
                break
            continue
        item = bucket[turn & mask]
        bucket[turn & mask] = item_next[item]
        waiting -= 1
        arc, now = item_arc[item], item_ms[item]
        if now != entry_ms[arc]:
            continue  # a quicker way to it was found after this was put down
        looked += 1
        so_far = entry_dm[arc]
        found = False
        k = slot[arc]
        while k >= 0:
            target = slot_target[k]
            there, metres = now + slot_ms[k], so_far + slot_dm[k]
            if there < best_ms[target] or (there == best_ms[target] and metres < best_dm[target]):
                if best_ms[target] == NEVER:
                    missing -= 1
                best_ms[target], best_dm[target], best_arc[target] = there, metres, arc
                found = True
            k = slot_next[k]
        if found and missing == 0:
            bound = best_ms.max()
        here, length = now + ms[arc], so_far + dm[arc]
        for k in range(next_first[arc], next_first[arc + 1]):
            follower = next_arc[k]
            cost = here + next_ms[k]
            if cost > entry_ms[follower] or (cost == entry_ms[follower] and length >= entry_dm[follower]):
                continue
            entry_ms[follower], entry_dm[follower], parent[follower] = cost, length, arc
            if items == len(item_arc):
                return -1
            place = (cost >> BUCKET_BITS) & mask
            item_arc[items], item_ms[items], item_next[items] = follower, cost, bucket[place]
            bucket[place] = items
            items += 1
            waiting += 1
    return looked

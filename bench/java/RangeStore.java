// SPDX-License-Identifier: BSD-2-Clause
package bench;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Ranges in a ConcurrentSkipListMap by their first key, as a Java program would keep them. Lookups are
 * floorEntry(). An update of several ranges is not atomic: callers that update at once own disjoint ranges.
 * Keys arrive with the top bit flipped, which gives signed longs the order of unsigned ones.
 */
final class RangeStore {
    static final class Range {
        final long start, last, value;

        Range(long start, long last, long value) {
            this.start = start;
            this.last = last;
            this.value = value;
        }
    }

    final ConcurrentSkipListMap<Long, Range> map = new ConcurrentSkipListMap<>();

    /** The range that holds `key`, or null. */
    Range find(long key) {
        Map.Entry<Long, Range> entry = map.floorEntry(key);
        return entry != null && entry.getValue().last >= key ? entry.getValue() : null;
    }

    boolean insert(Range range) {
        Map.Entry<Long, Range> before = map.floorEntry(range.last);
        if (before != null && before.getValue().last >= range.start) {
            return false;
        }
        return map.putIfAbsent(range.start, range) == null;
    }

    boolean erase(Range range) {
        return map.remove(range.start) != null;
    }

    void store(Range range) {
        carve(range.start, range.last);
        map.put(range.start, range);
    }

    void carve(long start, long last) {
        Map.Entry<Long, Range> entry = map.floorEntry(start);
        if (entry == null || entry.getValue().last < start) {
            entry = map.higherEntry(start);
        }
        while (entry != null && entry.getKey() <= last) {
            Range old = entry.getValue();
            if (old.last > last) {
                map.put(last + 1, new Range(last + 1, old.last, old.value));
            }
            if (old.start < start) {
                map.put(old.start, new Range(old.start, start - 1, old.value));
            } else {
                map.remove(old.start);
            }
            entry = map.higherEntry(old.start);
        }
    }

    /** The sum of last - start + value over all ranges, visited in order. */
    long scan() {
        long sum = 0;
        for (Range range : map.values()) {
            sum += range.last - range.start + range.value;
        }
        return sum;
    }
}

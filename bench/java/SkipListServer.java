// SPDX-License-Identifier: BSD-2-Clause
package bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Random;

/**
 * Measures ConcurrentSkipListMap for bench/compare: reads commands from standard input, answers on standard
 * output, ends with its input. A command is a byte and its arguments, big-endian; bench/subjects/java_skip_list.cc is
 * the other side and names them.
 */
public final class SkipListServer {
    private final DataInputStream in = new DataInputStream(new BufferedInputStream(System.in, 1 << 16));
    private final DataOutputStream out = new DataOutputStream(new BufferedOutputStream(System.out, 1 << 16));
    private final Crew crew = new Crew();
    private RangeStore store = new RangeStore();
    private Mix.Input input = new Mix.Input();
    private final long clockNanoseconds = clockOverhead();

    public static void main(String[] arguments) throws Exception {
        SkipListServer server = new SkipListServer();
        server.warmUp(Long.parseLong(arguments[0]));
        server.out.writeUTF(System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        server.out.flush();
        try {
            while (true) {
                server.serve(server.in.readByte());
                server.out.flush();
            }
        } catch (EOFException end) {
            System.exit(0);
        }
    }

    private void serve(byte command) throws Exception {
        switch (command) {
            case 'c':
                store = new RangeStore();
                break;
            case 'l':
                out.writeDouble(insertAll(readRanges()));
                break;
            case 'i':
                out.writeBoolean(store.insert(readRange()));
                break;
            case 'e':
                out.writeBoolean(store.erase(readRange()));
                break;
            case 's':
                store.store(readRange());
                break;
            case 'v':
                store.carve(in.readLong(), in.readLong());
                break;
            case 'q':
                answer(readLongs());
                break;
            case 'a':
                writeContents();
                break;
            case 'b':
                out.writeLong(usedBytes());
                break;
            case 'w':
                out.writeDouble(timedScan());
                break;
            case 'r':
                input.ranges = readRanges();
                input.keys.clear();
                break;
            case 'k':
                readKeys();
                break;
            case 'm':
                runMix();
                break;
            case 't':
                runTimed();
                break;
            default:
                throw new IOException("unknown command " + command);
        }
    }

    private RangeStore.Range readRange() throws IOException {
        return new RangeStore.Range(in.readLong(), in.readLong(), in.readLong());
    }

    private RangeStore.Range[] readRanges() throws IOException {
        RangeStore.Range[] ranges = new RangeStore.Range[in.readInt()];
        for (int i = 0; i < ranges.length; i++) {
            ranges[i] = readRange();
        }
        return ranges;
    }

    private long[] readLongs() throws IOException {
        long[] longs = new long[in.readInt()];
        for (int i = 0; i < longs.length; i++) {
            longs[i] = in.readLong();
        }
        return longs;
    }

    private void readKeys() throws IOException {
        int number = in.readInt();
        long[][] lists = new long[in.readInt()][];
        for (int i = 0; i < lists.length; i++) {
            lists[i] = readLongs();
        }
        input.keys.put(number, lists);
    }

    private Mix.Plan readPlan() throws IOException {
        Mix.Plan plan = new Mix.Plan();
        plan.keys = in.readInt();
        plan.threads = in.readInt();
        plan.updatePercent = in.readInt();
        plan.writers = in.readInt();
        plan.storeCarve = in.readBoolean();
        plan.interleaved = in.readBoolean();
        plan.nanoseconds = in.readLong();
        plan.firstKey = in.readLong();
        return plan;
    }

    /** Seconds. Ranges are put in one by one, in the order given. */
    private double insertAll(RangeStore.Range[] ranges) {
        long begin = System.nanoTime();
        for (RangeStore.Range range : ranges) {
            store.insert(range);
        }
        return (System.nanoTime() - begin) * 1e-9;
    }

    private void answer(long[] keys) throws IOException {
        for (long key : keys) {
            RangeStore.Range range = store.find(key);
            out.writeBoolean(range != null);
            out.writeLong(range == null ? 0 : range.value);
        }
    }

    private void writeContents() throws IOException {
        out.writeInt(store.map.size());
        for (RangeStore.Range range : store.map.values()) {
            out.writeLong(range.start);
            out.writeLong(range.last);
            out.writeLong(range.value);
        }
    }

    /** Of the heap, after a collection: the map, and the workload's ranges and keys if there are any. */
    private long usedBytes() {
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private double timedScan() throws IOException {
        long begin = System.nanoTime();
        long sum = store.scan();
        double seconds = (System.nanoTime() - begin) * 1e-9;
        return sum == Long.MIN_VALUE + 1 ? -seconds : seconds; // keeps the sum alive
    }

    private void runMix() throws Exception {
        Mix.Plan plan = readPlan();
        Mix mix = new Mix(store, input, plan);
        writeTallies(crew.run(plan.threads, plan.nanoseconds, mix::run));
    }

    private void runTimed() throws Exception {
        Mix.Plan plan = readPlan();
        Mix mix = new Mix(store, input, plan);
        Histogram[] histograms = new Histogram[plan.threads];
        for (int i = 0; i < plan.threads; i++) {
            histograms[i] = new Histogram();
        }
        writeTallies(crew.run(plan.threads, plan.nanoseconds,
                (thread, stop) -> mix.runTimed(thread, stop, histograms[thread])));
        Histogram sum = new Histogram();
        for (Histogram histogram : histograms) {
            sum.add(histogram);
        }
        out.writeInt(sum.counts.length);
        for (int i = 0; i < sum.counts.length; i++) {
            out.writeLong(Math.max(0, Histogram.lowest(i) - clockNanoseconds));
            out.writeLong(sum.counts[i]);
        }
    }

    private void writeTallies(Mix.Tally[] tallies) throws IOException {
        for (Mix.Tally tally : tallies) {
            out.writeLong(tally.lookups);
            out.writeLong(tally.hits);
            out.writeLong(tally.updates);
            out.writeLong(tally.failedUpdates);
            out.writeLong(tally.checksum);
            out.writeDouble(tally.seconds);
        }
    }

    /** What timing nothing reads, at the median. */
    private static long clockOverhead() {
        long[] readings = new long[100_001];
        for (int i = 0; i < readings.length; i++) {
            long begin = System.nanoTime();
            readings[i] = System.nanoTime() - begin;
        }
        java.util.Arrays.sort(readings);
        return readings[readings.length / 2];
    }

    /** Runs every loop on a map of its own until the compiler has seen them all. */
    private void warmUp(long milliseconds) throws Exception {
        Random random = new Random(1);
        input.ranges = new RangeStore.Range[4096];
        long[] keys = new long[1 << 16];
        for (int i = 0; i < input.ranges.length; i++) {
            input.ranges[i] = new RangeStore.Range(i * 1000L, i * 1000L + 600, i);
        }
        input.keys.put(0, new long[][] {keys, keys});
        for (int i = 0; i < keys.length; i++) {
            keys[i] = random.nextInt(4096) * 1000L + random.nextInt(600);
        }
        insertAll(input.ranges);
        for (int percent : new int[] {0, 10, 50, 100}) {
            for (int threads = 1; threads <= 2; threads++) {
                warmUp(percent, threads, false, milliseconds * 1_000_000 / 20);
            }
        }
        warmUp(100, 1, true, milliseconds * 1_000_000 / 20);
        for (int i = 0; i < 100; i++) {
            store.scan();
        }
        store = new RangeStore();
        input = new Mix.Input();
    }

    private void warmUp(int percent, int threads, boolean storeCarve, long nanoseconds) throws Exception {
        Mix.Plan plan = new Mix.Plan();
        plan.threads = threads;
        plan.updatePercent = percent;
        plan.storeCarve = storeCarve;
        plan.nanoseconds = nanoseconds;
        Mix mix = new Mix(store, input, plan);
        crew.run(threads, nanoseconds, mix::run);
        if (percent < 100) {
            crew.run(threads, nanoseconds, (thread, stop) -> mix.runTimed(thread, stop, new Histogram()));
        }
    }
}

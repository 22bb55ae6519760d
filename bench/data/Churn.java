// SPDX-License-Identifier: BSD-2-Clause
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** What java.trace was recorded of: waves of threads that keep arrays for a while, and collections between them. */
final class Churn {
    private Churn() {}

    public static void main(String[] arguments) throws InterruptedException {
        for (int wave = 0; wave < 4; wave++) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                threads.add(new Thread(Churn::work));
            }
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            System.gc();
        }
    }

    private static void work() {
        TreeMap<Integer, byte[]> kept = new TreeMap<>();
        for (int i = 0; i < 2000; i++) {
            kept.put(i * 7919 % 100, new byte[1 << i % 17]);
            String.format("%d %x", i, kept.size());
        }
    }
}

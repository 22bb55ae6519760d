// SPDX-License-Identifier: BSD-2-Clause
// The loaders: what they take, what they report and skip, and what they make of overlaps.
#include <algorithm>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

#include "bench/check/oracle.h"
#include "bench/sets/csv.h"
#include "bench/sets/elf_symbols.h"
#include "bench/sets/iomem.h"
#include "bench/sets/line_reader.h"
#include "bench/sets/mmap_trace.h"
#include "bench/sets/proc_maps.h"

namespace bench
{
namespace
{

std::string write_file(const std::string &name, const std::string &text)
{
    std::string path = testing::TempDir() + "/" + name;
    std::ofstream(path) << text;
    return path;
}

// The ranges as "start-last:label", in hexadecimal, to compare at a glance.
std::string show(const RangeSet &set)
{
    std::string text;
    for (const Range &range : set.ranges) {
        char bounds[64];
        snprintf(bounds, sizeof bounds, "%lx-%lx:", static_cast<unsigned long>(range.start),
                 static_cast<unsigned long>(range.last));
        text += (text.empty() ? "" : " ") + (bounds + set.label(range.value));
    }
    return text;
}

TEST(Numbers, DecimalAndHexadecimal)
{
    uint64_t number;
    EXPECT_TRUE(parse_number("18446744073709551615", &number));
    EXPECT_EQ(number, UINT64_MAX);
    EXPECT_TRUE(parse_number("0xffffffffffffffff", &number));
    EXPECT_EQ(number, UINT64_MAX);
    for (const char *bad : {"", "0x", "-1", "+1", "18446744073709551616", "12a", "1 2", "0x1g", " 1"})
        EXPECT_FALSE(parse_number(bad, &number)) << bad;
}

TEST(Csv, TakesCommentsBlanksAndWindowsLines)
{
    std::string path = write_file("good.csv", "# head\n\n 20 , 0x1f , B C,D \r\n1,2,A\n5,5,last line");
    RangeSet set = load_csv("file", path);
    EXPECT_EQ(show(set), "1-2:A 5-5:last line 14-1f:B C,D");
    EXPECT_EQ(set.malformed, 0u);
    EXPECT_TRUE(set.actions.empty());
    EXPECT_TRUE(set.skipped.empty());
}

TEST(Csv, ReportsAndSkipsMalformedLines)
{
    std::string path = write_file("bad.csv", "1,2,A\n"
                                             "nonsense\n"
                                             "3,4\n"
                                             "9,8,X\n"
                                             "-1,8,X\n"
                                             "1,18446744073709551616,X\n"
                                             "7,8,\n"
                                             "10,18446744073709551615,B\n"
                                             ",,\n");
    testing::internal::CaptureStderr();
    RangeSet set = load_csv("file", path);
    std::string reported = testing::internal::GetCapturedStderr();
    EXPECT_EQ(show(set), "1-2:A a-ffffffffffffffff:B");
    EXPECT_EQ(set.malformed, 7u);
    for (int line : {2, 3, 4, 5, 6, 7, 9})
        EXPECT_NE(reported.find(path + ":" + std::to_string(line) + ": "), std::string::npos) << line;
    for (int line : {1, 8})
        EXPECT_EQ(reported.find(path + ":" + std::to_string(line) + ": "), std::string::npos) << line;
    EXPECT_NE(reported.find(":4: start is above last"), std::string::npos) << reported;
}

TEST(Csv, ManyMalformedLinesAreCounted)
{
    std::string text;
    for (int i = 0; i < 1000; i++)
        text += "nonsense\n";
    std::string path = write_file("many.csv", text + "1,1,A\n");
    testing::internal::CaptureStderr();
    RangeSet set = load_csv("file", path);
    std::string messages = testing::internal::GetCapturedStderr();
    EXPECT_LE(std::count(messages.begin(), messages.end(), '\n'), 110);
    EXPECT_EQ(set.malformed, 1000u);
    EXPECT_EQ(show(set), "1-1:A");
}

TEST(Csv, LaterLinesOverwriteEarlierOnes)
{
    std::string path =
        write_file("overlap.csv", "0,100,A\n16,32,B\n30,40,C\n18446744073709551615,0xffffffffffffffff,D\n");
    RangeSet set = load_csv("file", path);
    EXPECT_EQ(show(set), "0-f:A 10-1d:B 1e-28:C 29-64:A ffffffffffffffff-ffffffffffffffff:D");
    EXPECT_EQ(set.actions.size(), 4u);
    EXPECT_EQ(set.notes.size(), 1u);
}

TEST(Csv, FilesThatCannotBeRead)
{
    EXPECT_EQ(load_csv("file", "/nonexistent/file").skipped, "No such file or directory");
    EXPECT_EQ(load_csv("file", testing::TempDir()).skipped, "is a directory");
    EXPECT_EQ(load_csv("file", write_file("empty.csv", "")).skipped, "holds no range");
}

TEST(Iomem, InnermostResourceWins)
{
    std::string path = write_file("iomem", "00000000-00000fff : Reserved\n"
                                           "00001000-0009ffff : System RAM\n"
                                           "  00002000-00002fff : Kernel code\n"
                                           "  00003000-00003fff : Kernel data : more\n"
                                           "    00003800-000038ff : inner\n");
    EXPECT_EQ(show(load_iomem(path)), "0-fff:Reserved 1000-1fff:System RAM 2000-2fff:Kernel code "
                                      "3000-37ff:Kernel data : more 3800-38ff:inner "
                                      "3900-3fff:Kernel data : more 4000-9ffff:System RAM");
}

TEST(Iomem, HiddenAddressesAreSkipped)
{
    std::string path =
        write_file("hidden", "00000000-00000000 : Reserved\n  00000000-00000000 : System RAM\n");
    EXPECT_NE(load_iomem(path).skipped, "");
    EXPECT_NE(load_iomem("/nonexistent/iomem").skipped, "");
}

TEST(ProcMaps, EachProcessHasItsOwnAddresses)
{
    std::string root = testing::TempDir() + "/proc";
    for (const char *folder : {"", "/7", "/12", "/self", "/99"})
        mkdir((root + folder).c_str(), 0700);
    std::ofstream(root + "/7/maps") << "1000-3000 r-xp 00000000 fe:00 1 /bin/a\n"
                                       "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n";
    std::ofstream(root + "/12/maps") << "1000-2000 rw-p 00000000 00:00 0 \n2000-2000 bad\n";
    testing::internal::CaptureStderr();
    RangeSet set = load_proc_maps(root);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("/12/maps:2: "), std::string::npos);
    EXPECT_EQ(show(set), "1000-2fff:7 r-xp /bin/a 1000000001000-1000000001fff:12 rw-p");
    EXPECT_EQ(set.malformed, 1u);
    ASSERT_EQ(set.notes.size(), 1u);
    EXPECT_EQ(set.notes[0], "2 processes with mappings, 1 unreadable, 1 lines above 2^48 left out");
}

TEST(MmapTrace, FollowsEveryEvent)
{
    std::string path = write_file("trace", "# command: test\n"
                                           "1 map 0x10000 16384 rw-\n"
                                           "1 protect 0x11000 4096 r--\n"
                                           "1 unmap 0x13000 1\n"
                                           "1 brk 0x20000\n"
                                           "1 brk 0x22000\n"
                                           "1 brk 0x21000\n"
                                           "1 map 0x30000 8192 r-x\n"
                                           "1 move 0x30000 8192 0x40000 4096\n"
                                           "1 move 0x40000 4096 0x50000 4096 keep\n"
                                           "1 move 0x40000 0 0x58000 4096 keep\n"
                                           "1 move junk 4096 0x70000 4096 keep\n"
                                           "1 move 0x40000 junk 0x70000 4096 keep\n"
                                           "1 thread 2\n"
                                           "2 map 0x60000 1 ---\n");
    RangeSet set = load_mmap_trace("mmap", path);
    EXPECT_EQ(set.malformed, 2u);
    EXPECT_EQ(show(set), "10000-10fff:1 rw- 11000-11fff:1 r-- 12000-12fff:1 rw- "
                         "20000-20fff:1 heap 40000-40fff:1 moved 50000-50fff:1 moved "
                         "58000-58fff:1 moved "
                         "60000-60fff:2 ---");
}

TEST(MmapTrace, ForkCopiesAndExecLeaves)
{
    std::string path = write_file("fork", "1 map 0x1000 4096 rw-\n"
                                          "1 fork 2\n"
                                          "2 unmap 0x1000 4096\n"
                                          "1 fork 3\n"
                                          "1 exec\n"
                                          "1 map 0x5000 4096 r--\n");
    RangeSet set = load_mmap_trace("mmap", path);
    EXPECT_EQ(show(set), "2000000001000-2000000001fff:1 forked 3000000005000-3000000005fff:1 r--");
}

TEST(MmapTrace, ReportsAndSkipsMalformedLines)
{
    std::string path = write_file("badtrace", "1 map 0x1000 4096 rw-\n"
                                              "map 0x1000 4096 rw-\n"
                                              "1 map 0x1000 0 rw-\n"
                                              "1 map 0xffffffffff000000 4096 rw-\n"
                                              "1 jump 0x1000\n"
                                              "1 brk\n"
                                              "1\n");
    testing::internal::CaptureStderr();
    RangeSet set = load_mmap_trace("mmap", path);
    std::string reported = testing::internal::GetCapturedStderr();
    EXPECT_EQ(set.malformed, 6u);
    EXPECT_EQ(show(set), "1000-1fff:1 rw-");
    EXPECT_NE(reported.find(path + ":5: names an unknown event"), std::string::npos) << reported;
}

TEST(ElfSymbols, OwnLibraries)
{
    RangeSet set = load_elf_symbols(find_large_library());
    ASSERT_EQ(set.skipped, "");
    EXPECT_GT(set.ranges.size(), 1000u);
    EXPECT_TRUE(is_sorted_and_disjoint(set.ranges));
}

TEST(ElfSymbols, FilesThatAreNoElf)
{
    EXPECT_NE(load_elf_symbols(write_file("text", "no elf")).skipped, "");
    EXPECT_NE(load_elf_symbols("/nonexistent/library").skipped, "");
}

} // namespace
} // namespace bench

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}

// SPDX-License-Identifier: BSD-2-Clause
// Runs the test cases that C files register (ctest.h) as GoogleTest tests. This is the program's main().
#include "test/shim/ctest.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <setjmp.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace
{

// Constant-initialised: constructors of C files append to it before any C++ constructor has run.
struct test_case *first_case;
struct test_case **last_case = &first_case;

uint64_t seed = 1;
uint64_t scale = 1;

// The one that runs the tests, not a child of it.
const pid_t process = getpid();

// Where test_leave() goes. Only the thread that runs a test has it.
thread_local jmp_buf *way_out;

class Case : public testing::Test
{
  public:
    explicit Case(const struct test_case *test) : test_(test)
    {
    }

    // The jump passes C frames only: test_fail() and test_skip() have returned by then.
    void TestBody() override
    {
        jmp_buf here;

        way_out = &here;
        if (setjmp(here) == 0)
            test_->body();
        way_out = nullptr;
    }

  private:
    const struct test_case *const test_;
};

// Says how to repeat a failure. The seed stands first in the log as well, for a test that crashes.
class Repeat : public testing::EmptyTestEventListener
{
    void OnTestProgramStart(const testing::UnitTest &) override
    {
        std::printf("seed %" PRIu64 ", scale %" PRIu64 "\n", seed, scale);
        std::fflush(stdout);
    }

    void OnTestEnd(const testing::TestInfo &info) override
    {
        if (!info.result()->Failed())
            return;
        std::printf("seed %" PRIu64 "; rerun with --seed=%" PRIu64 " --scale=%" PRIu64
                    " --gtest_filter=%s.%s\n",
                    seed, seed, scale, info.test_suite_name(), info.name());
        std::fflush(stdout);
    }
};

__attribute__((format(printf, 1, 0))) std::string formatted(const char *format, va_list arguments)
{
    char text[1024];

    std::vsnprintf(text, sizeof text, format, arguments);
    return text;
}

std::string shown(struct test_value value)
{
    char text[64];

    switch (value.kind) {
    case TEST_NOTHING:
        return "";
    case TEST_STRING: {
        const char *string = reinterpret_cast<const char *>(value.bits);

        return string ? testing::PrintToString(std::string(string)) : "NULL";
    }
    case TEST_NEGATIVE:
        std::snprintf(text, sizeof text, "%" PRId64, static_cast<int64_t>(value.bits));
        return text;
    case TEST_UNSIGNED:
        std::snprintf(text, sizeof text, "%" PRIu64 " (0x%" PRIx64 ")", value.bits, value.bits);
        return text;
    case TEST_POINTER:
        std::snprintf(text, sizeof text, "pointer 0x%" PRIx64, value.bits);
        return text;
    }
    std::abort();
}

bool parse_number(const char *text, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = std::strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

bool parse_argument(const char *argument)
{
    if (std::strncmp(argument, "--seed=", 7) == 0)
        return parse_number(argument + 7, &seed);
    if (std::strncmp(argument, "--scale=", 8) == 0)
        return parse_number(argument + 8, &scale) && scale >= 1 && scale <= 1000000;
    if (std::strcmp(argument, "--long") != 0)
        return false;
    scale = 20;
    return true;
}

bool parse_environment()
{
    const char *text = std::getenv("TEST_SEED");

    if (text == nullptr)
        text = std::getenv("TEST_RANDOM_SEED");
    return text == nullptr || parse_number(text, &seed);
}

} // namespace

uint64_t test_seed(void)
{
    return seed;
}

unsigned test_scale(void)
{
    return static_cast<unsigned>(scale);
}

void test_register(struct test_case *test)
{
    *last_case = test;
    last_case = &test->next;
}

void test_fail(const char *file, int line, const char *claim, struct test_value a, struct test_value b,
               const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    std::string note = formatted(format, arguments);
    va_end(arguments);

    std::string text = std::string("Not so: ") + claim;
    if (a.kind != TEST_NOTHING)
        text += "\n  left:  " + shown(a) + "\n  right: " + shown(b);
    if (note != " ")
        text += "\n " + note;
    ADD_FAILURE_AT(file, line) << text;
}

bool test_has_failed(void)
{
    return testing::Test::HasFailure();
}

void test_skip(const char *file, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    std::string reason = formatted(format, arguments);
    va_end(arguments);
    GTEST_SKIP() << file << ":" << line << ": " << reason;
}

// The child of a fork has no test to leave: its parent looks at its status.
void test_leave(void)
{
    if (getpid() != process) {
        std::fflush(nullptr);
        _exit(1);
    }
    if (way_out == nullptr)
        pthread_exit(nullptr);
    longjmp(*way_out, 1);
}

bool test_same_text(struct test_value a, struct test_value b)
{
    const char *left = reinterpret_cast<const char *>(a.bits);
    const char *right = reinterpret_cast<const char *>(b.bits);

    return left == right || (left && right && std::strcmp(left, right) == 0);
}

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (!parse_environment()) {
        std::fprintf(stderr, "TEST_SEED is not a number\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (!parse_argument(argv[i])) {
            std::fprintf(stderr, "usage: %s [--seed=N] [--scale=N | --long] [--gtest_...]\n", argv[0]);
            return 2;
        }
    }
    for (const struct test_case *test = first_case; test != nullptr; test = test->next)
        testing::RegisterTest(test->suite, test->name, nullptr, nullptr, test->file, test->line,
                              [test]() -> Case * { return new Case(test); });
    if (testing::UnitTest::GetInstance()->total_test_count() == 0) {
        std::fprintf(stderr, "no test was linked into this program\n");
        return 1;
    }
    testing::UnitTest::GetInstance()->listeners().Append(new Repeat);
    return RUN_ALL_TESTS();
}

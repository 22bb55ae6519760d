// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests in C, run by GoogleTest: its filters, shards, XML and messages with file and line all work.
 *
 *     TEST_CASE(map, insert_then_find)
 *     {
 *         REQUIRE_EQ(rangemap_insert(map, 1, 9, value), 0);
 *         CHECK_EQ(found, value, "after %u entries, seed %" PRIu64, count, test_seed());
 *     }
 *
 * CHECK* records a failure and goes on. REQUIRE* records it and leaves the test; in a thread that the test
 * started it ends that thread instead, as pthread_exit() does, so what joins the thread must not depend on
 * its having finished. All of them may be called from any thread while the test runs. A printf format and
 * its arguments may follow the operands. Operands are evaluated once.
 */
#ifndef RANGEMAP_TEST_SHIM_CTEST_H
#define RANGEMAP_TEST_SHIM_CTEST_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* Defines a test. Suite and name are C identifiers. */
#define TEST_CASE(suite_, name_)                                                                             \
    static void suite_##_##name_##_body(void);                                                               \
    __attribute__((constructor)) static void suite_##_##name_##_register(void)                               \
    {                                                                                                        \
        static struct test_case self = {#suite_, #name_, __FILE__, __LINE__, suite_##_##name_##_body, 0};    \
        test_register(&self);                                                                                \
    }                                                                                                        \
    static void suite_##_##name_##_body(void)

/* Any condition. */
#define CHECK(condition, ...) TEST_THAT_(condition, #condition, (void)0, __VA_ARGS__)
#define REQUIRE(condition, ...) TEST_THAT_(condition, #condition, test_leave(), __VA_ARGS__)

/* Integers of any type and sign, compared by value, and pointers. A failure shows both operands. */
#define CHECK_EQ(a, b, ...) TEST_ORDER_(a, ==, b, #a " == " #b, (void)0, __VA_ARGS__)
#define CHECK_NE(a, b, ...) TEST_ORDER_(a, !=, b, #a " != " #b, (void)0, __VA_ARGS__)
#define CHECK_LT(a, b, ...) TEST_ORDER_(a, <, b, #a " < " #b, (void)0, __VA_ARGS__)
#define CHECK_LE(a, b, ...) TEST_ORDER_(a, <=, b, #a " <= " #b, (void)0, __VA_ARGS__)
#define CHECK_GT(a, b, ...) TEST_ORDER_(a, >, b, #a " > " #b, (void)0, __VA_ARGS__)
#define CHECK_GE(a, b, ...) TEST_ORDER_(a, >=, b, #a " >= " #b, (void)0, __VA_ARGS__)
#define REQUIRE_EQ(a, b, ...) TEST_ORDER_(a, ==, b, #a " == " #b, test_leave(), __VA_ARGS__)
#define REQUIRE_NE(a, b, ...) TEST_ORDER_(a, !=, b, #a " != " #b, test_leave(), __VA_ARGS__)
#define REQUIRE_LT(a, b, ...) TEST_ORDER_(a, <, b, #a " < " #b, test_leave(), __VA_ARGS__)
#define REQUIRE_LE(a, b, ...) TEST_ORDER_(a, <=, b, #a " <= " #b, test_leave(), __VA_ARGS__)
#define REQUIRE_GT(a, b, ...) TEST_ORDER_(a, >, b, #a " > " #b, test_leave(), __VA_ARGS__)
#define REQUIRE_GE(a, b, ...) TEST_ORDER_(a, >=, b, #a " >= " #b, test_leave(), __VA_ARGS__)

/* Strings. NULL equals only NULL. */
#define CHECK_STR_EQ(a, b, ...) TEST_TEXT_(a, b, #a " is " #b, (void)0, __VA_ARGS__)
#define REQUIRE_STR_EQ(a, b, ...) TEST_TEXT_(a, b, #a " is " #b, test_leave(), __VA_ARGS__)

/* Ends the test as skipped, with a printf format as the reason. For the test's own thread. */
#define TEST_SKIP(...) (test_skip(__FILE__, __LINE__, __VA_ARGS__), test_leave())

/* Whether a check of the running test has failed: for a child that the test forked, to tell by its exit status. */
bool test_has_failed(void);

/* From --seed=N, else TEST_SEED, else Bazel's TEST_RANDOM_SEED (--runs_per_test), else 1. */
uint64_t test_seed(void);

/* How many times the short variant's work to do: --scale=N; --long is --scale=20; else 1. */
unsigned test_scale(void);

/* The rest is what the macros above are made of. */

enum test_kind { TEST_NOTHING, TEST_UNSIGNED, TEST_NEGATIVE, TEST_POINTER, TEST_STRING };

/* An operand of a check. Integers keep their two's complement bits. */
struct test_value {
    enum test_kind kind;
    uint64_t bits;
};

struct test_case {
    const char *suite, *name, *file;
    int line;
    void (*body)(void);
    struct test_case *next;
};

void test_register(struct test_case *test);
void test_fail(const char *file, int line, const char *claim, struct test_value a, struct test_value b,
               const char *format, ...) __attribute__((format(printf, 6, 7)));
void test_skip(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void test_leave(void) __attribute__((noreturn));
bool test_same_text(struct test_value a, struct test_value b);

static inline struct test_value test_operand(enum test_kind kind, uint64_t bits)
{
    struct test_value value = {kind, bits};

    return value;
}

static inline struct test_value test_unsigned(uint64_t number)
{
    return test_operand(TEST_UNSIGNED, number);
}

static inline struct test_value test_signed(int64_t number)
{
    return test_operand(number < 0 ? TEST_NEGATIVE : TEST_UNSIGNED, (uint64_t)number);
}

static inline struct test_value test_pointer(const volatile void *pointer)
{
    return test_operand(TEST_POINTER, (uintptr_t)pointer);
}

static inline struct test_value test_string(const char *text)
{
    return test_operand(TEST_STRING, (uintptr_t)text);
}

/* Negative, zero or positive, as a is less than, equal to or greater than b. */
static inline int test_order(struct test_value a, struct test_value b)
{
    int by_sign = (b.kind == TEST_NEGATIVE) - (a.kind == TEST_NEGATIVE);

    return by_sign != 0 ? by_sign : (a.bits > b.bits) - (a.bits < b.bits);
}

/* clang-format off: it does not know _Generic */
#define TEST_VALUE_(x)                                                                                       \
    _Generic((x), bool                                                                                       \
             : test_unsigned, unsigned char                                                                  \
             : test_unsigned, unsigned short                                                                 \
             : test_unsigned, unsigned                                                                       \
             : test_unsigned, unsigned long                                                                  \
             : test_unsigned, unsigned long long                                                             \
             : test_unsigned, char                                                                           \
             : test_signed, signed char                                                                      \
             : test_signed, short                                                                            \
             : test_signed, int                                                                              \
             : test_signed, long                                                                             \
             : test_signed, long long                                                                        \
             : test_signed, default                                                                          \
             : test_pointer)(x)
/* clang-format on */

/* The space keeps the format from being empty, of which compilers warn. */
#define TEST_THAT_(condition, claim, then, ...)                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            test_fail(__FILE__, __LINE__, claim, test_operand(TEST_NOTHING, 0),                              \
                      test_operand(TEST_NOTHING, 0), " " __VA_ARGS__);                                       \
            then;                                                                                            \
        }                                                                                                    \
    } while (0)

#define TEST_PAIR_(a, b, holds, claim, then, ...)                                                            \
    do {                                                                                                     \
        struct test_value test_a_ = a, test_b_ = b;                                                          \
        if (!(holds)) {                                                                                      \
            test_fail(__FILE__, __LINE__, claim, test_a_, test_b_, " " __VA_ARGS__);                         \
            then;                                                                                            \
        }                                                                                                    \
    } while (0)

#define TEST_ORDER_(a, op, b, claim, then, ...)                                                              \
    TEST_PAIR_(TEST_VALUE_(a), TEST_VALUE_(b), test_order(test_a_, test_b_) op 0, claim, then, __VA_ARGS__)

#define TEST_TEXT_(a, b, claim, then, ...)                                                                   \
    TEST_PAIR_(test_string(a), test_string(b), test_same_text(test_a_, test_b_), claim, then, __VA_ARGS__)

#if defined(__cplusplus)
}
#endif

#endif

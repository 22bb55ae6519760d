// SPDX-License-Identifier: BSD-2-Clause
/* Usage: mistakes [NAME]. Makes that mistake once, for checked_test.sh; without a name, lists them. */
#include <string.h>

#include "mistakes.h"

char a[2] = "a";
struct rangemap *map;

#define ROW(name) {#name, name},
static const struct {
    const char *name;
    void (*make)(void);
} mistakes[] = {MISTAKES(ROW)};

int main(int argc, char **argv)
{
    create(NULL);
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        if (argc == 1) {
            puts(mistakes[i].name);
        } else if (strcmp(argv[1], mistakes[i].name) == 0) {
            mistakes[i].make();
            return 0;
        }
    }
    return argc == 1 ? 0 : 2;
}

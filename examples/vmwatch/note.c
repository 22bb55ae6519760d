// SPDX-License-Identifier: BSD-2-Clause
#include "examples/vmwatch/note.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "examples/preload/status.h"
#include "examples/preload/sys.h"

static struct slots *slots;
static struct slot *mine;
static uint32_t answered; /* the latest of slots->request */
static char program[sizeof mine->program];
static const char *latest_reason = "";

bool note_open(const char *path)
{
    long file = sys4(SYS_openat, (uint64_t)AT_FDCWD, sys_bits(path), O_RDWR | O_CLOEXEC, 0), result;
    struct sys_args args = {{0, sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED, (uint64_t)file, 0}};

    if (sys_failed(file)) {
        return false;
    }
    result = sys_call(SYS_mmap, &args);
    (void)sys3(SYS_close, (uint64_t)file, 0, 0);
    if (sys_failed(result)) {
        return false;
    }
    slots = (struct slots *)result;
    if (slots->version != SLOTS_VERSION) {
        slots = NULL;
    }
    return slots != NULL;
}

/* The link's text, or nothing. */
static void read_link(const char *path, char *text, size_t size)
{
    long bytes = sys3(SYS_readlink, sys_bits(path), sys_bits(text), size - 1);

    text[sys_failed(bytes) ? 0 : bytes] = '\0';
}

/* What it is called, where the system says so; else it goes by the old name, as in the child of a fork. */
static void read_program(const struct status *status)
{
    char path[sizeof program];

    read_link("/proc/self/exe", path, sizeof path);
    if (path[0] != '\0') {
        memcpy(program, path, sizeof program);
    } else if (program[0] == '\0') {
        memcpy(program, status->name, sizeof status->name);
    }
}

void note_fork(void)
{
    if (slots != NULL) {
        (void)__atomic_add_fetch(&slots->unborn, 1, __ATOMIC_RELAXED);
    }
}

/* Release: after the child has its slot. */
void note_birth(void)
{
    if (slots != NULL) {
        (void)__atomic_sub_fetch(&slots->unborn, 1, __ATOMIC_RELEASE);
    }
}

void note_identity(const struct status *status)
{
    if (mine != NULL) {
        mine->pid = status->pid;
        memcpy(program, status->name, sizeof status->name);
        memcpy(mine->program, program, sizeof program);
    }
}

static struct slot *take_free(uint32_t turn)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &slots->slot[(turn + i) % SLOTS];
        uint32_t found = SLOT_FREE;

        if (__atomic_compare_exchange_n(&slot->state, &found, SLOT_TAKEN, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            return slot;
        }
    }
    return NULL;
}

void note_take(bool may_ask)
{
    struct status status;
    uint32_t turn;

    mine = NULL;
    if (slots == NULL) {
        return;
    }
    turn = __atomic_fetch_add(&slots->turns, 1, __ATOMIC_RELAXED);
    mine = take_free(turn);
    if (mine == NULL) {
        (void)__atomic_fetch_add(&slots->no_room, 1, __ATOMIC_RELAXED);
        return;
    }
    memset(&mine->pid, 0, sizeof *mine - offsetof(struct slot, pid));
    mine->turn = turn;
    answered = __atomic_load_n(&slots->request, __ATOMIC_RELAXED);
    if (may_ask) {
        (void)status_read(&status);
        mine->pid = status.pid != 0 ? status.pid : (uint32_t)sys3(SYS_getpid, 0, 0, 0);
        read_program(&status);
    } else {
        note_reason(latest_reason);
    }
    memcpy(mine->program, program, sizeof program);
    note_state(SLOT_RUNNING);
}

struct slot *note_slot(void)
{
    return mine;
}

void note_reason(const char *reason)
{
    latest_reason = reason;
    if (mine != NULL) {
        strncpy(mine->reason, reason, sizeof mine->reason - 1);
    }
}

void note_state(enum slot_state state)
{
    struct slot *slot = mine;

    if (slot != NULL) {
        mine = state == SLOT_DONE ? NULL : slot;
        __atomic_store_n(&slot->state, (uint32_t)state, __ATOMIC_RELEASE);
    }
}

bool note_is_asked(void)
{
    uint32_t request = mine != NULL ? __atomic_load_n(&slots->request, __ATOMIC_RELAXED) : answered;

    return request != __atomic_load_n(&answered, __ATOMIC_RELAXED) &&
           __atomic_exchange_n(&answered, request, __ATOMIC_RELAXED) != request;
}

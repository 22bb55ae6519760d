// SPDX-License-Identifier: BSD-2-Clause
/* Identifiers of 16 bytes. */
#ifndef PAGEMAP_COMPAT_LINUX_UUID_H
#define PAGEMAP_COMPAT_LINUX_UUID_H

#include <linux/string.h>
#include <linux/types.h>

#define UUID_SIZE 16
#define UUID_STRING_LEN 36

typedef struct {
    u8 b[UUID_SIZE];
} guid_t;

typedef struct {
    u8 b[UUID_SIZE];
} uuid_t;

static inline bool guid_equal(const guid_t *a, const guid_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline bool uuid_equal(const uuid_t *a, const uuid_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static inline void guid_copy(guid_t *to, const guid_t *from)
{
    *to = *from;
}

static inline void uuid_copy(uuid_t *to, const uuid_t *from)
{
    *to = *from;
}

static inline bool uuid_is_null(const uuid_t *uuid)
{
    static const uuid_t null;

    return uuid_equal(uuid, &null);
}

static inline void import_guid(guid_t *to, const u8 *from)
{
    memcpy(to, from, sizeof *to);
}

static inline void export_guid(u8 *to, const guid_t *from)
{
    memcpy(to, from, sizeof *from);
}

static inline void import_uuid(uuid_t *to, const u8 *from)
{
    memcpy(to, from, sizeof *to);
}

static inline void export_uuid(u8 *to, const uuid_t *from)
{
    memcpy(to, from, sizeof *from);
}

#endif

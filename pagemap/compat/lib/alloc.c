// SPDX-License-Identifier: BSD-2-Clause
/* Memory for objects, and making it fail. */
#include <linux/bug.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <malloc.h>

#include "pagemap/compat/mm/mm.h"
#include "pagemap/compat/user.h"

static _Thread_local unsigned steps_to_go;

unsigned pagemap_compat_fail_after(unsigned steps)
{
    unsigned before = steps_to_go;

    steps_to_go = steps;
    return before;
}

bool pm_alloc_fails(gfp_t flags)
{
    return (flags & __GFP_NOFAIL) == 0 && steps_to_go > 0 && --steps_to_go == 0;
}

static void *or_end(void *object, gfp_t flags)
{
    BUG_ON(object == NULL && (flags & __GFP_NOFAIL) != 0);
    return object;
}

void *kmalloc(size_t bytes, gfp_t flags)
{
    bytes = bytes == 0 ? 1 : bytes;
    if (pm_alloc_fails(flags)) {
        return NULL;
    }
    return or_end((flags & __GFP_ZERO) != 0 ? calloc(1, bytes) : malloc(bytes), flags);
}

void *krealloc(const void *old, size_t bytes, gfp_t flags)
{
    size_t had = ksize(old);
    void *object;

    if (bytes == 0 || pm_alloc_fails(flags)) {
        if (bytes == 0) {
            kfree(old);
        }
        return NULL;
    }
    object = or_end(realloc((void *)(uintptr_t)old, bytes), flags);
    if (object != NULL && (flags & __GFP_ZERO) != 0 && bytes > had) {
        memset((char *)object + had, 0, bytes - had);
    }
    return object;
}

void kfree(const void *object)
{
    if (!ZERO_OR_NULL_PTR(object)) {
        free((void *)(uintptr_t)object);
    }
}

size_t ksize(const void *object)
{
    return ZERO_OR_NULL_PTR(object) ? 0 : malloc_usable_size((void *)(uintptr_t)object);
}

/* ---- text ---- */

void *kmemdup(const void *from, size_t bytes, gfp_t flags)
{
    void *copy = kmalloc(bytes, flags);

    return copy == NULL ? NULL : memcpy(copy, from, bytes);
}

char *kstrndup(const char *text, size_t most, gfp_t flags)
{
    size_t length = text == NULL ? 0 : strnlen(text, most);
    char *copy = text == NULL ? NULL : kmemdup(text, length + 1, flags);

    if (copy != NULL) {
        copy[length] = 0;
    }
    return copy;
}

char *kstrdup(const char *text, gfp_t flags)
{
    return kstrndup(text, SIZE_MAX - 1, flags);
}

const char *kstrdup_const(const char *text, gfp_t flags)
{
    return kstrdup(text, flags);
}

void kfree_const(const void *text)
{
    kfree(text);
}

char *kvasprintf(gfp_t flags, const char *format, va_list arguments)
{
    va_list again;
    int length;
    char *text;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    text = length < 0 ? NULL : kmalloc((size_t)length + 1, flags);
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    }
    return text;
}

char *kasprintf(gfp_t flags, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = kvasprintf(flags, format, arguments);
    va_end(arguments);
    return text;
}

/* ---- objects of one size ---- */

struct kmem_cache {
    unsigned bytes;
    void (*construct)(void *object);
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned bytes, unsigned align, slab_flags_t flags,
                                     void (*construct)(void *object))
{
    struct kmem_cache *cache = kzalloc(sizeof *cache, GFP_KERNEL);

    (void)name, (void)align, (void)flags;
    if (cache != NULL) {
        cache->bytes = bytes;
        cache->construct = construct;
    }
    return cache;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
    kfree(cache);
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
    void *object = kmalloc(cache->bytes, flags);

    if (object != NULL && cache->construct != NULL) {
        cache->construct(object);
    }
    return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
    (void)cache;
    kfree(object);
}

/* ---- of devices ---- */

static void free_object(void *object)
{
    kfree(object);
}

void *devm_kmalloc(struct device *dev, size_t bytes, gfp_t flags)
{
    void *object = kmalloc(bytes, flags);

    return object == NULL || devm_add_action_or_reset(dev, free_object, object) != 0 ? NULL : object;
}

void devm_kfree(struct device *dev, const void *object)
{
    if (object != NULL) {
        (void)devm_release_action(dev, free_object, (void *)(uintptr_t)object);
    }
}

void *devm_kmemdup(struct device *dev, const void *from, size_t bytes, gfp_t flags)
{
    void *copy = devm_kmalloc(dev, bytes, flags);

    return copy == NULL ? NULL : memcpy(copy, from, bytes);
}

char *devm_kstrdup(struct device *dev, const char *text, gfp_t flags)
{
    return text == NULL ? NULL : devm_kmemdup(dev, text, strlen(text) + 1, flags);
}

char *devm_kasprintf(struct device *dev, gfp_t flags, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = kvasprintf(flags, format, arguments);
    va_end(arguments);
    return text == NULL || devm_add_action_or_reset(dev, free_object, text) != 0 ? NULL : text;
}

// SPDX-License-Identifier: BSD-2-Clause
/* What a composer says: to the stream and the bags while it composes, to the caller's `displaced` afterwards. */
#include "rangemap/base/cancel.h"
#include "rangemap/epoch/retire.h"
#include "rangemap/tree/rewrite.h"

bool rm_sink_put(struct rm_sink *sink, uint64_t start, uint64_t last, void *value)
{
    sink->changed = true;
    if (sink->stream == NULL || rm_stream_put(sink->stream, start, last, value)) {
        return true;
    }
    sink->outcome = sink->stream->outcome;
    return false;
}

bool rm_sink_keep(struct rm_sink *sink, const struct rangemap_entry *entry)
{
    if (sink->stream == NULL || rm_stream_put(sink->stream, entry->start, entry->last, entry->value)) {
        return true;
    }
    sink->outcome = sink->stream->outcome;
    return false;
}

struct rm_run *rm_sink_room(struct rm_sink *sink, unsigned count)
{
    struct rm_stream *stream = sink->stream;

    if (stream->run.count + count <= RM_STREAM_ENTRIES || rm_stream_spill(stream)) {
        return &stream->run;
    }
    sink->outcome = stream->outcome;
    return NULL;
}

bool rm_sink_release(struct rm_sink *sink, void *value)
{
    if (sink->stream == NULL || rm_retire_stage_value(sink->thread, value, sink->values)) {
        return true;
    }
    sink->outcome = RM_NO_MEMORY;
    return false;
}

bool rm_sink_displace(struct rm_sink *sink, const struct rangemap_entry *entry, unsigned owners)
{
    sink->changed = true;
    if (sink->stream == NULL) {
        if (sink->rewrite->displaced != NULL) {
            int cancel = rm_cancel_hold();

            sink->rewrite->displaced(entry, sink->rewrite->displaced_context);
            rm_cancel_let_through(cancel);
        }
        return true;
    }
    if (owners == 2) {
        sink->shares_value = true;
        sink->shared = entry->value;
    }
    return owners > 0 || rm_sink_release(sink, entry->value);
}

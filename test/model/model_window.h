// SPDX-License-Identifier: BSD-2-Clause
/* The model's random updates of windows. */
#ifndef TEST_MODEL_MODEL_WINDOW_H
#define TEST_MODEL_MODEL_WINDOW_H

#include "test/model/model.h"

typedef void model_operation(struct model *model, uint64_t start, uint64_t last);

model_operation model_splice, model_change, model_erase_value, model_carve_value, model_evict, model_resize,
    model_clone;

/* Whether the values run on like offsets: an equality for maps with offsets; the context is the model. */
bool model_continues(const struct rangemap_entry *left, const struct rangemap_entry *right, void *context);

#endif

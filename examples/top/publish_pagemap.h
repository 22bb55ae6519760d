// SPDX-License-Identifier: BSD-2-Clause
/* Lets `top` see the devices of this process, and what pagemap has counted. */
#ifndef EXAMPLES_TOP_PUBLISH_PAGEMAP_H
#define EXAMPLES_TOP_PUBLISH_PAGEMAP_H

#ifdef __cplusplus
extern "C" {
#endif

/* From now on, also of devices that come later. Errors as top_publish_member(). */
int top_publish_pagemap(void);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* object.h - what the requests for objects do. */
#pragma once
#include <stdint.h>

struct request;

void object_create(struct request *r);
void object_read(struct request *r);
void object_write(struct request *r);
void object_remove(struct request *r);
void object_discard(struct request *r);

/* From the inode of @vid, if there is one. */
void object_describe_vdi(uint32_t vid, uint8_t *copies,
			 uint8_t *block_size_shift);

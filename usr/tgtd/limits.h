/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/limits.h - what the daemon asks of the system for itself. */
#pragma once

/* As many descriptors as we may have; last to be killed when memory runs out.
 * An ordinary user gets less, which is no error. */
void tgtd_limits_raise(void);

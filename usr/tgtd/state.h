/* SPDX-License-Identifier: BSD-3-Clause */
/* tgtd/state.h - the directory of what must survive a restart. */
#pragma once
#include <stddef.h>

/*
 * Find and make the directory: @given, or /var/lib/tgtd, or for an ordinary user
 * $XDG_STATE_HOME/tgtd or ~/.local/state/tgtd.  Identities of logical units and
 * their reservations rest on it from then on.  A default that cannot be used is only
 * a warning; @given is an error, with a sentence.  Before threads start, but for
 * workers.
 */
int tgtd_state_start(const char *given, char *why, size_t why_bytes);

/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/config_fault.c - see config_fault.h. */
#include "mgmt/config_fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"
#include "mgmt/config_plan.h"

int mgmt_config_fault(struct mgmt_fault *f, const char *where, const char *fmt, ...)
{
	va_list ap;

	*f = (struct mgmt_fault){ .field = "state", .error = MGMT_ERR_INVALID };
	text_copy(f->where, sizeof(f->where), where);
	va_start(ap, fmt);
	vsnprintf(f->sentence, sizeof(f->sentence), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int mgmt_config_fault_target(struct mgmt_fault *f, const struct mgmt_config_target *t,
			     const char *member, const char *fmt, ...)
{
	char sentence[768], where[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	snprintf(where, sizeof(where), "state.targets[%u].%.160s", t->index, member);
	return mgmt_config_fault(f, where, "target %s: %s", t->name, sentence);
}

int mgmt_config_fault_no_memory(struct mgmt_fault *f)
{
	mgmt_config_fault(f, "state", "out of memory");
	f->error = MGMT_ERR_NOMEM;
	return -ENOMEM;
}

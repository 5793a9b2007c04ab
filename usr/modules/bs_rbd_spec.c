/* SPDX-License-Identifier: BSD-3-Clause */
/* bs_rbd_spec.c - see bs_rbd_spec.h. */
#include "bs_rbd_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBVIRT_SECRETS	"/etc/libvirt/secrets"
#define PARTS_MAX	3	/* pool, namespace, image */
#define KEY_BYTES_MAX	256

int bs_rbd_why_set(struct bs_rbd_why *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return err;
}

/* --- the image --- */

/* Cuts @text at its slashes; the number of parts, or PARTS_MAX + 1. */
static int split(char *text, char *parts[PARTS_MAX])
{
	int n = 0;

	while (n < PARTS_MAX) {
		char *slash = strchr(text, '/');

		parts[n++] = text;
		if (!slash)
			return n;
		*slash = '\0';
		text = slash + 1;
	}
	return PARTS_MAX + 1;
}

static int take(struct bs_rbd_spec *ret, const char *pool, const char *ns, const char *image,
		const char *snap)
{
	ret->pool = strdup(pool);
	ret->ns = strdup(ns);
	ret->image = image ? strdup(image) : NULL;
	ret->snap = snap ? strdup(snap) : NULL;
	return !ret->pool || !ret->ns || (image && !ret->image) || (snap && !ret->snap) ?
	       -ENOMEM : 0;
}

int bs_rbd_spec_parse(const char *text, struct bs_rbd_spec *ret, struct bs_rbd_why *why)
{
	char *copy = strdup(text), *parts[PARTS_MAX], *snap;
	int n, err;

	memset(ret, 0, sizeof(*ret));
	if (!copy)
		return -ENOMEM;
	snap = strchr(copy, '@');
	if (snap)
		*snap++ = '\0';
	n = split(copy, parts);
	err = n > PARTS_MAX || (snap && (!*snap || strpbrk(snap, "@/"))) ? -EINVAL : 0;
	for (int i = 0; !err && i < n; i++)
		if (!*parts[i])
			err = -EINVAL;
	if (err)
		bs_rbd_why_set(why, err, "an image is [pool/[namespace/]]image[@snapshot], "
					 "not '%s'", text);
	else
		err = take(ret, n > 1 ? parts[0] : BS_RBD_POOL, n > 2 ? parts[1] : "",
			   parts[n - 1], snap);
	free(copy);
	return err;
}

int bs_rbd_spec_parse_pool(const char *text, struct bs_rbd_spec *ret, struct bs_rbd_why *why)
{
	char *copy = strdup(*text ? text : BS_RBD_POOL), *parts[PARTS_MAX];
	int n, err;

	memset(ret, 0, sizeof(*ret));
	if (!copy)
		return -ENOMEM;
	n = split(copy, parts);
	if (n > 2 || strchr(text, '@') || !*parts[0] || (n == 2 && !*parts[1]))
		err = bs_rbd_why_set(why, -EINVAL, "images are in pool[/namespace], not in '%s'",
				     text);
	else
		err = take(ret, parts[0], n == 2 ? parts[1] : "", NULL, NULL);
	free(copy);
	return err;
}

void bs_rbd_spec_free(struct bs_rbd_spec *s)
{
	free(s->pool);
	free(s->ns);
	free(s->image);
	free(s->snap);
	memset(s, 0, sizeof(*s));
}

/* --- the identity --- */

static bool is_uuid(const char *s)
{
	return strlen(s) == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36;
}

/* The value of a secret of libvirt, as virsh secret-set-value left it. */
static int read_secret(const char *uuid, char **ret_key, struct bs_rbd_why *why)
{
	char path[128], key[KEY_BYTES_MAX];
	size_t n;
	FILE *f;

	if (!is_uuid(uuid))
		return bs_rbd_why_set(why, -EINVAL, "virsecretuuid=%s is not a UUID", uuid);
	snprintf(path, sizeof(path), "%s/%s.base64", LIBVIRT_SECRETS, uuid);
	f = fopen(path, "re");
	if (!f)
		return bs_rbd_why_set(why, -EINVAL, "secret of libvirt: %s: %s", path,
				      strerror(errno));
	n = fread(key, 1, sizeof(key) - 1, f);
	(void)fclose(f);
	while (n && isspace((unsigned char)key[n - 1]))
		n--;
	key[n] = '\0';
	if (!n)
		return bs_rbd_why_set(why, -EINVAL, "secret of libvirt: %s is empty", path);
	*ret_key = strdup(key);
	explicit_bzero(key, sizeof(key));
	return *ret_key ? 0 : -ENOMEM;
}

static int copy_text(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

int bs_rbd_identity_copy(const struct bs_rbd_identity *from, struct bs_rbd_identity *ret)
{
	*ret = *from;
	/* All are assigned, so that it can be freed. */
	return copy_text(from->conf, &ret->conf) | copy_text(from->cluster, &ret->cluster) |
	       copy_text(from->id, &ret->id) | copy_text(from->key, &ret->key) |
	       copy_text(from->override, &ret->override) ? -ENOMEM : 0;
}

int bs_rbd_identity_parse(const struct bs_params *p, struct bs_rbd_identity *ret,
			  struct bs_rbd_why *why)
{
	/* Only read. */
	const struct bs_rbd_identity borrowed = {
		.conf = (char *)bs_param_text(p, "conf"),
		.cluster = (char *)bs_param_text(p, "cluster"),
		.id = (char *)bs_param_text(p, "id"),
		.key = (char *)bs_param_text(p, "cephx_key"),
		.override = (char *)bs_param_text(p, "override"),
		.timeout_s = (unsigned int)bs_param_u64(p, "timeout"),
		.cache = bs_param_bool(p, "cache"),
	};
	const char *uuid = bs_param_text(p, "virsecretuuid");
	int err = bs_rbd_identity_copy(&borrowed, ret);

	if (err || !uuid)
		return err;
	if (ret->key)
		return bs_rbd_why_set(why, -EINVAL, "give virsecretuuid= or cephx_key=, not both");
	return read_secret(uuid, &ret->key, why);
}

void bs_rbd_identity_free(struct bs_rbd_identity *i)
{
	free(i->conf);
	free(i->cluster);
	free(i->id);
	if (i->key)
		explicit_bzero(i->key, strlen(i->key));
	free(i->key);
	free(i->override);
	memset(i, 0, sizeof(*i));
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool bs_rbd_identity_equal(const struct bs_rbd_identity *a, const struct bs_rbd_identity *b)
{
	return same(a->conf, b->conf) && same(a->cluster, b->cluster) && same(a->id, b->id) &&
	       same(a->key, b->key) && same(a->override, b->override) &&
	       a->timeout_s == b->timeout_s && a->cache == b->cache &&
	       a->osd_timeout == b->osd_timeout;
}

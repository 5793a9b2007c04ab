/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bs_sheepdog_volume.c - see bs_sheepdog_volume.h.
 *
 * VDIs are thin: what is to be preallocated takes its space as it is written, too.
 */
#include "bs_sheepdog_volume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/macros.h"
#include "bs_sheepdog_call.h"

#define SLOTS_AT_ONCE 65536U

struct session {
	struct sheep_spec spec;
	struct sheep_cluster *cluster;
	struct sheep_call c;
	uint32_t vid;
	struct sheep_inode inode; /* its head */
};

/* --- sessions --- */

static int session_open(struct session *s, const struct bs_volume_args *a,
			enum sheep_spec_of what)
{
	int err = bs_sheepdog_spec_parse(a->path, what, &s->spec);

	s->c.fd = -1;
	s->cluster = NULL;
	if (!err)
		err = bs_sheepdog_cluster_get(&s->spec, &s->cluster);
	if (!err)
		err = bs_sheepdog_call_open(
			&s->c, s->cluster,
			(unsigned int)bs_param_u64(a->params, "timeout") *
				1000);
	return err;
}

static void session_close(struct session *s)
{
	bs_sheepdog_call_close(&s->c);
	bs_sheepdog_cluster_put(s->cluster);
}

/* The VDI that the session is about, and its inode's head. */
static int find(struct session *s)
{
	int err = bs_sheepdog_call_lookup(&s->c, SHEEP_GET_VDI_INFO,
					  &s->spec.names, s->spec.snapid, 0,
					  &s->vid);
	const char *wrong;

	if (!err)
		err = bs_sheepdog_call_read(&s->c, "its inode",
					    sheep_inode_oid(s->vid), 0,
					    &s->inode, sizeof(s->inode));
	if (err)
		return err;
	wrong = bs_sheepdog_wire_check_inode(&s->inode, s->vid);
	if (!wrong)
		return 0;
	bs_say("%s", wrong);
	return -EINVAL;
}

static int find_vdi(struct session *s, const struct bs_volume_args *a)
{
	const int err = session_open(s, a, SHEEP_SPEC_VDI);

	return err ? err : find(s);
}

static uint32_t nr_slots(const struct session *s)
{
	return bs_sheepdog_wire_slots(le64_get(s->inode.size_bytes),
				      s->inode.object_exp);
}

static int read_slots(struct session *s, uint32_t n, le32 **ret)
{
	_cleanup_free_ le32 *slots = calloc(n, sizeof(*slots));
	int err;

	if (!slots)
		return -ENOMEM;
	err = bs_sheepdog_call_read(&s->c, "its map", sheep_inode_oid(s->vid),
				    sheep_slot_off(0), slots,
				    (uint32_t)(n * sizeof(*slots)));
	if (!err)
		*ret = TAKE_PTR(slots);
	return err;
}

static int only_the_vdi(const struct session *s, const char *what)
{
	if (!sheep_spec_is_snapshot(&s->spec))
		return 0;
	bs_say("a snapshot cannot be %s", what);
	return -EINVAL;
}

/* --- making --- */

struct new_vdi {
	char name[SHEEP_NAME_BYTES];
	uint64_t size_bytes;
	uint32_t base_vid;
	bool is_snapshot;
	uint8_t copies, copy_policy, object_exp; /* 0: as the cluster has it */
};

static int make(struct session *s, const struct new_vdi *n)
{
	const struct sheep_header h = {
		.version = SHEEP_VERSION,
		.op = SHEEP_NEW_VDI,
		.flags = le16_make(SHEEP_FLAG_WRITE),
		.data_bytes = le32_make(sizeof(n->name)),
		.vdi = {
			.size_bytes = le64_make(n->size_bytes),
			.base_vid = le32_make(n->base_vid),
			.copies = n->copies,
			.copy_policy = n->copy_policy,
			.object_exp = n->object_exp,
			.snapid = le32_make(n->is_snapshot),
		},
	};

	return bs_sheepdog_call_ok(&s->c, n->name, &h, n->name, NULL, 0);
}

/* The sheep would make one that its map cannot address. */
static int check_size(struct session *s, uint64_t size_bytes,
		      unsigned int object_exp)
{
	if (!object_exp) {
		const struct sheep_header h = { .version = SHEEP_VERSION,
						.op = SHEEP_CLUSTER_DEFAULT };
		const int err = bs_sheepdog_call_ok(
			&s->c, "the cluster's defaults", &h, NULL, NULL, 0);

		if (err)
			return err;
		object_exp = s->c.reply.object_exp;
	}
	if (object_exp < SHEEP_EXP_MIN || object_exp > SHEEP_EXP_MAX ||
	    bs_sheepdog_wire_slots(size_bytes, object_exp) > SHEEP_SLOTS) {
		bs_say("with objects of %llu bytes a VDI has at most %llu bytes",
		       1ULL << object_exp % 64,
		       (unsigned long long)SHEEP_SLOTS << object_exp % 32);
		return -EFBIG;
	}
	return 0;
}

static int create(struct session *s, const struct bs_volume_args *a)
{
	struct new_vdi n = { .size_bytes = a->size_bytes };
	int err = session_open(s, a, SHEEP_SPEC_VDI);

	if (!err)
		err = only_the_vdi(
			s, "made so: it is taken of a VDI (--op snapshot)");
	if (!err)
		err = check_size(s, a->size_bytes, 0);
	if (err)
		return err;
	memcpy(n.name, s->spec.names.name, sizeof(n.name));
	return make(s, &n);
}

/* As what the session has found: redundancy and objects. */
static struct new_vdi like(const struct session *s)
{
	return (struct new_vdi){
		.size_bytes = le64_get(s->inode.size_bytes),
		.base_vid = s->vid,
		.copies = s->inode.copies,
		.copy_policy = s->inode.copy_policy,
		.object_exp = s->inode.object_exp,
	};
}

static int check_tag(struct session *s, const char *tag)
{
	struct sheep_names names = s->spec.names;
	uint32_t vid;
	int err;

	if (!*tag || strlen(tag) >= sizeof(names.tag) ||
	    strspn(tag, "0123456789") == strlen(tag)) {
		bs_say("'%.40s' is not a tag: 1 to %d bytes, not all of them digits",
		       tag, SHEEP_NAME_BYTES - 1);
		return -EINVAL;
	}
	memset(names.tag, 0, sizeof(names.tag));
	memcpy(names.tag, tag, strlen(tag));
	err = bs_sheepdog_call_lookup(&s->c, SHEEP_GET_VDI_INFO, &names, 0, 0,
				      &vid);
	if (!err) {
		bs_say("a snapshot '%.40s' exists already", tag);
		return -EEXIST;
	}
	return err == -ENOENT ? 0 : err;
}

/* The tag is that of the VDI that is now open; it becomes the snapshot. */
static int set_tag(struct session *s, const char *tag)
{
	char text[SHEEP_NAME_BYTES] = { 0 };

	snprintf(text, sizeof(text), "%s", tag);
	return bs_sheepdog_call_write(&s->c, "its tag", sheep_inode_oid(s->vid),
				      offsetof(struct sheep_inode, tag), text,
				      sizeof(text));
}

static int snapshot(struct session *s, const struct bs_volume_args *a)
{
	struct new_vdi n;
	int err = find_vdi(s, a);

	if (!err)
		err = only_the_vdi(s, "taken of a snapshot: clone it");
	if (!err)
		err = check_tag(s, a->path2);
	if (!err)
		err = set_tag(s, a->path2);
	if (err)
		return err;
	n = like(s);
	memcpy(n.name, s->spec.names.name, sizeof(n.name));
	n.is_snapshot = true;
	err = make(s, &n);
	if (err && s->c.fd != -1)
		set_tag(s, "");
	return err;
}

/* --to may be a name, or name the cluster again. */
static int clone_name(const struct session *s, const char *to, char *name)
{
	struct sheep_spec spec = s->spec;
	const char *colon = strrchr(to, ':');
	int err = 0;

	if (colon) {
		err = bs_sheepdog_spec_parse(to, SHEEP_SPEC_VDI, &spec);
		if (!err && (sheep_spec_is_snapshot(&spec) ||
			     strcmp(spec.path, s->spec.path) != 0 ||
			     spec.nr_gateways != s->spec.nr_gateways)) {
			bs_say("'%.80s': must be a VDI of the same cluster",
			       to);
			err = -EINVAL;
		}
	} else if (!*to || strlen(to) >= SHEEP_NAME_BYTES) {
		bs_say("a VDI's name has 1 to %d bytes", SHEEP_NAME_BYTES - 1);
		err = -EINVAL;
	}
	if (err)
		return err;
	memset(name, 0, SHEEP_NAME_BYTES);
	memcpy(name, colon ? spec.names.name : to,
	       strlen(colon ? spec.names.name : to));
	return 0;
}

static int clone(struct session *s, const struct bs_volume_args *a)
{
	struct new_vdi n;
	int err = find_vdi(s, a);

	if (err)
		return err;
	if (!le64_get(s->inode.snapped)) {
		bs_say("only a snapshot can be cloned: take one (--op snapshot) and name it, "
		       "VDI:TAG");
		return -EINVAL;
	}
	n = like(s);
	err = clone_name(s, a->path2, n.name);
	return err ? err : make(s, &n);
}

/* --- changing --- */

static int resize(struct session *s, const struct bs_volume_args *a)
{
	const le64 size = le64_make(a->size_bytes);
	int err = find_vdi(s, a);

	if (!err)
		err = only_the_vdi(s, "resized");
	if (!err)
		err = check_size(s, a->size_bytes, s->inode.object_exp);
	if (err)
		return err;
	if (a->size_bytes < le64_get(s->inode.size_bytes)) {
		bs_say("it has %llu bytes, and a VDI cannot be made smaller",
		       (unsigned long long)le64_get(s->inode.size_bytes));
		return -EINVAL;
	}
	return bs_sheepdog_call_write(&s->c, "its size",
				      sheep_inode_oid(s->vid),
				      offsetof(struct sheep_inode, size_bytes),
				      &size, sizeof(size));
}

/* Where locks are kept, one that stands says that the VDI is in use. */
static int check_unused(struct session *s, const struct bs_volume_args *a)
{
	uint32_t vid;
	int err;

	if (a->flags & BS_VOLUME_FORCE || sheep_spec_is_snapshot(&s->spec))
		return 0;
	err = bs_sheepdog_call_lookup(&s->c, SHEEP_LOCK_VDI, &s->spec.names, 0,
				      SHEEP_LOCK_EXCLUSIVE, &vid);
	if (!err) {
		const struct sheep_header h =
			bs_sheepdog_wire_release(vid, SHEEP_LOCK_EXCLUSIVE);

		return bs_sheepdog_call(&s->c, &h, NULL, NULL, 0);
	}
	if (err == -EBUSY)
		bs_say("it is locked, so it is in use (--force removes it all the same)");
	return err;
}

/* Let go of its objects, in runs of slots that are not 0 already. */
static int empty_map(struct session *s, const struct bs_volume_args *a)
{
	static const le32 zeroes[SLOTS_AT_ONCE];
	_cleanup_free_ le32 *slots = NULL;
	const uint32_t n = nr_slots(s);
	int err = read_slots(s, n, &slots);

	for (uint32_t i = 0, end; !err && i < n; i = end) {
		for (end = i + 1; end < n && end - i < SLOTS_AT_ONCE; end++)
			if (!le32_get(slots[end]) != !le32_get(slots[i]))
				break;
		if (!le32_get(slots[i]))
			continue;
		err = bs_sheepdog_call_write(&s->c, "its map",
					     sheep_inode_oid(s->vid),
					     sheep_slot_off(i), zeroes,
					     4 * (end - i));
		if (!err && a->progress)
			a->progress(a->progress_ctx,
				    (uint64_t)end << s->inode.object_exp,
				    (uint64_t)n << s->inode.object_exp);
	}
	return err;
}

/* A sheep that did nothing says success all the same. */
static int check_gone(struct session *s)
{
	uint32_t vid;
	const int err = bs_sheepdog_call_lookup(&s->c, SHEEP_GET_VDI_INFO,
						&s->spec.names, s->spec.snapid,
						0, &vid);

	if (err == -ENOENT || (!err && vid != s->vid))
		return 0;
	if (!err)
		bs_say("the sheep has not removed it");
	return err ? err : -EIO;
}

static int remove_vdi(struct session *s, const struct bs_volume_args *a)
{
	struct sheep_header h;
	int err = find_vdi(s, a);

	if (!err)
		err = check_unused(s, a);
	if (!err)
		err = empty_map(s, a);
	if (err)
		return err;
	h = bs_sheepdog_wire_lookup(SHEEP_DEL_VDI, s->spec.snapid,
				    SHEEP_LOCK_EXCLUSIVE);
	err = bs_sheepdog_call_ok(&s->c, "it cannot be removed", &h,
				  &s->spec.names, NULL, 0);
	return err ? err : check_gone(s);
}

/* --- looking --- */

static int info(struct session *s, const struct bs_volume_args *a,
		struct bs_volume_info *ret)
{
	_cleanup_free_ le32 *slots = NULL;
	uint32_t n = 0;
	int err = find_vdi(s, a);

	if (!err)
		err = read_slots(s, nr_slots(s), &slots);
	if (err)
		return err;
	for (uint32_t i = 0; i < nr_slots(s); i++)
		n += le32_get(slots[i]) != 0;
	ret->size_bytes = le64_get(s->inode.size_bytes);
	ret->allocated_bytes =
		MIN((uint64_t)n << s->inode.object_exp, ret->size_bytes);
	return 0;
}

static int list_one(struct session *s, uint32_t vid,
		    void (*found)(void *ctx, const char *name,
				  uint64_t size_bytes),
		    void *ctx)
{
	struct sheep_inode *i = &s->inode;
	char name[2 * SHEEP_NAME_BYTES + 1];
	const int err = bs_sheepdog_call_read(
		&s->c, "an inode", sheep_inode_oid(vid), 0, i, sizeof(*i));

	if (s->c.fd != -1 && s->c.result == SHEEP_NO_OBJ)
		return 0; /* removed meanwhile */
	if (err || !i->name[0])
		return err;
	i->name[sizeof(i->name) - 1] = i->tag[sizeof(i->tag) - 1] = '\0';
	if (!le64_get(i->snapped))
		snprintf(name, sizeof(name), "%s", i->name);
	else if (i->tag[0])
		snprintf(name, sizeof(name), "%s:%s", i->name, i->tag);
	else
		snprintf(name, sizeof(name), "%s:%u", i->name,
			 le32_get(i->snapid));
	found(ctx, name, le64_get(i->size_bytes));
	return 0;
}

static int list(struct session *s, const struct bs_volume_args *a,
		void (*found)(void *ctx, const char *name, uint64_t size_bytes),
		void *ctx)
{
	const struct sheep_header h = { .version = SHEEP_VERSION,
					.op = SHEEP_READ_VDIS,
					.data_bytes =
						le32_make(SHEEP_VIDS_BYTES) };
	_cleanup_free_ uint8_t *vids = malloc(SHEEP_VIDS_BYTES);
	int err = vids ? session_open(s, a, SHEEP_SPEC_CLUSTER) : -ENOMEM;

	if (!err && s->spec.names.name[0]) {
		bs_say("list takes a cluster without a VDI: unix:PATH or tcp:HOST:PORT");
		err = -EINVAL;
	}
	if (!err)
		err = bs_sheepdog_call_ok(&s->c, "the list of VDIs", &h, NULL,
					  vids, SHEEP_VIDS_BYTES);
	for (uint32_t vid = 0; !err && vid < 8 * SHEEP_VIDS_BYTES; vid++)
		if (vids[vid / 8] & BIT(vid % 8))
			err = list_one(s, vid, found, ctx);
	return err;
}

/* --- the module's --- */

/* Each with a session that is closed, whatever happens. */
static int with_session(int (*run)(struct session *s,
				   const struct bs_volume_args *a),
			const struct bs_volume_args *a)
{
	struct session s = { .c.fd = -1 };
	const int err = run(&s, a);

	session_close(&s);
	return err;
}

int bs_sheepdog_volume_create(const struct bs_volume_args *a)
{
	return with_session(create, a);
}

int bs_sheepdog_volume_remove(const struct bs_volume_args *a)
{
	return with_session(remove_vdi, a);
}

int bs_sheepdog_volume_resize(const struct bs_volume_args *a)
{
	return with_session(resize, a);
}

int bs_sheepdog_volume_snapshot(const struct bs_volume_args *a)
{
	return with_session(snapshot, a);
}

int bs_sheepdog_volume_clone(const struct bs_volume_args *a)
{
	return with_session(clone, a);
}

int bs_sheepdog_volume_list(const struct bs_volume_args *a,
			    void (*found)(void *ctx, const char *name,
					  uint64_t size_bytes),
			    void *ctx)
{
	struct session s = { .c.fd = -1 };
	const int err = list(&s, a, found, ctx);

	session_close(&s);
	return err;
}

int bs_sheepdog_volume_info(const struct bs_volume_args *a,
			    struct bs_volume_info *ret)
{
	struct session s = { .c.fd = -1 };
	const int err = info(&s, a, ret);

	session_close(&s);
	return err;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* mgmt/lun_params.c - a row per parameter; values come as text (as tgtadm sends
 * them), as numbers or as booleans. */
#include "mgmt/lun_params.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/macros.h"
#include "base/parse.h"
#include "base/text.h"
#include "lu/journal_file.h"
#include "mgmt/lun_page.h"

#define CONFIG(member)	offsetof(struct scsi_device_config, member), \
			sizeof(((struct scsi_device_config *)NULL)->member)

#define VALUE(kind)	.set = set_##kind, .get = get_##kind

#define LIMIT(member)	.off = offsetof(struct lu_qos_limits, member)
#define LIMIT_IOPS_MAX	1000000000ULL
#define LIMIT_BYTES_MAX	(1ULL << 50)

struct param {
	const char *name;
	enum mgmt_lun_news news;
	int (*set)(struct mgmt_lun_change *c, const struct param *p,
		   const char *value, struct mgmt_fault *f);
	/* The value as set() takes it, in JSON. */
	json_t *(*get)(const struct mgmt_lun_change *c, const struct param *p);
	size_t off, bytes;		/* of the config's member; off: or of the limits' */
	uint64_t max;
	const char *range, *help;
};

static int __attribute__((format(printf, 3, 4)))
fault(struct mgmt_fault *f, const struct param *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	*f = (struct mgmt_fault){ .field = "params", .error = MGMT_ERR_INVALID };
	snprintf(f->where, sizeof(f->where), "params.%s", p->name);
	n = snprintf(f->sentence, sizeof(f->sentence), "parameter '%s': ", p->name);
	va_start(ap, fmt);
	vsnprintf(f->sentence + n, sizeof(f->sentence) - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int set_number(struct mgmt_lun_change *c, const struct param *p,
		      const char *value, struct mgmt_fault *f)
{
	uint8_t *to = (uint8_t *)&c->config + p->off;
	uint64_t n;

	if (parse_u64(value, 0, p->max, &n) < 0)
		return fault(f, p, "must be 0 to %" PRIu64, p->max);
	switch (p->bytes) {
	case 1:
		*to = (uint8_t)n;
		break;
	case 2:
		*(uint16_t *)(void *)to = (uint16_t)n;
		break;
	default:
		assert(p->bytes == 4);
		*(uint32_t *)(void *)to = (uint32_t)n;
	}
	return 0;
}

static int set_bool(struct mgmt_lun_change *c, const struct param *p,
		    const char *value, struct mgmt_fault *f)
{
	bool *to = (bool *)((uint8_t *)&c->config + p->off);

	if (parse_bool(value, to) < 0)
		return fault(f, p, "must be 0 or 1");
	return 0;
}

static int set_sense_format(struct mgmt_lun_change *c, const struct param *p,
			    const char *value, struct mgmt_fault *f)
{
	c->config.mode_fixed |= SCSI_DEVICE_MODE_D_SENSE;
	return set_bool(c, p, value, f);
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* tgt cuts what is too long, and configurations exist that rely on it. */
static void cut(struct mgmt_lun_change *c, const struct param *p, const char *value, char *to,
		size_t bytes)
{
	if (strlen(value) >= bytes)
		snprintf(c->warning, sizeof(c->warning),
			 "parameter '%s' is cut to %zu characters", p->name, bytes - 1);
	memset(to, 0, bytes);
	text_copy(to, bytes, value);
}

/* SPC-4 4.4.1: ASCII, left-aligned in a field of fixed size. */
static int set_text(struct mgmt_lun_change *c, const struct param *p,
		    const char *value, struct mgmt_fault *f)
{
	if (!is_printable(value))
		return fault(f, p, "must be printable ASCII");
	cut(c, p, value, (char *)&c->config + p->off, p->bytes);
	return 0;
}

static int set_scsi_id(struct mgmt_lun_change *c, const struct param *p,
		       const char *value, struct mgmt_fault *f)
{
	char text[LU_ID_MAX + 1];

	cut(c, p, value, text, sizeof(text));
	if (!*value || lu_identity_set_id(&c->id, text) < 0)
		return fault(f, p, "must be 1 to %d printable characters", LU_ID_MAX);
	return 0;
}

static int set_scsi_sn(struct mgmt_lun_change *c, const struct param *p,
		       const char *value, struct mgmt_fault *f)
{
	char text[LU_SN_MAX + 1];

	cut(c, p, value, text, sizeof(text));
	if (!*value || lu_identity_set_sn(&c->id, text) < 0)
		return fault(f, p, "must be 1 to %d printable characters", LU_SN_MAX);
	return 0;
}

/* Comes before scsi_id and scsi_sn in the table, so that these still count. */
static int set_tgt_ids(struct mgmt_lun_change *c, const struct param *p,
		       const char *value, struct mgmt_fault *f)
{
	bool tgt;

	if (parse_bool(value, &tgt) < 0)
		return fault(f, p, "must be 0 or 1");
	if (tgt)
		lu_identity_tgt(&c->id, c->tid, c->lun);
	else
		lu_identity_default(&c->id, c->target_name, c->tid, c->lun);
	return 0;
}

static int set_rotation_rate(struct mgmt_lun_change *c, const struct param *p,
			     const char *value, struct mgmt_fault *f)
{
	uint64_t n;

	/* SBC-3 r36 table 223: 1 is non-rotating, 2 to 400h are reserved. */
	if (parse_u64(value, 0, 0xfffe, &n) < 0 || (n > 1 && n <= 0x400))
		return fault(f, p, "must be 0 (not reported), 1 (no rotation) or 1025 to 65534");
	c->config.rotation_rate = (uint16_t)n;
	return 0;
}

static int set_mode_page(struct mgmt_lun_change *c, const struct param *p,
			 const char *value, struct mgmt_fault *f)
{
	char why[96];

	if (mgmt_lun_page_set(c, value, why, sizeof(why)) < 0)
		return fault(f, p, "%s", why);
	return 0;
}

static int set_limit(struct mgmt_lun_change *c, const struct param *p, uint64_t n)
{
	*(uint64_t *)(void *)((uint8_t *)&c->limits + p->off) = n;
	return 0;
}

static int set_ops(struct mgmt_lun_change *c, const struct param *p,
		   const char *value, struct mgmt_fault *f)
{
	uint64_t n;

	if (parse_u64(value, 0, p->max, &n) < 0)
		return fault(f, p, "must be 0 (none) to %" PRIu64, p->max);
	return set_limit(c, p, n);
}

static int set_bytes(struct mgmt_lun_change *c, const struct param *p,
		     const char *value, struct mgmt_fault *f)
{
	uint64_t n;

	if (parse_size(value, &n) < 0 || n > p->max)
		return fault(f, p, "must be 0 (none) to %" PRIu64
			     " bytes, with a suffix k, M, G, T if you like", p->max);
	return set_limit(c, p, n);
}

/* size=auto|BYTES; also as forks of tgt have it: disksize=auto, bsopts=size=BYTES. */
static int set_size(struct mgmt_lun_change *c, const struct param *p,
		    const char *value, struct mgmt_fault *f)
{
	uint64_t bytes = 0;

	if (strcmp(value, "auto") != 0 && (parse_size(value, &bytes) < 0 || !bytes))
		return fault(f, p, "must be 'auto' (all that the store has) or a number of bytes");
	c->resize = true;
	c->size_bytes = bytes;
	return 0;
}

static int set_store_option(struct mgmt_lun_change *c, const struct param *p,
			    const char *value, struct mgmt_fault *f)
{
	static const char size[] = "size=";

	if (strncmp(value, size, strlen(size)) != 0)
		return fault(f, p, "of a LUN that exists, only size=BYTES or size=auto can be given");
	return set_size(c, p, value + strlen(size), f);
}

static int set_pr_clear(struct mgmt_lun_change *c, const struct param *p,
			const char *value, struct mgmt_fault *f)
{
	if (parse_bool(value, &c->pr_clear) < 0)
		return fault(f, p, "must be 1 (or 0, which does nothing)");
	return 0;
}

/* A medium that comes makes the unit ready, as in tgt. */
static int set_path(struct mgmt_lun_change *c, const struct param *p,
		    const char *value, struct mgmt_fault *f)
{
	(void)p, (void)f;
	c->path = value;
	if (*value)
		c->config.online = true;
	return 0;
}

static int refuse_open_option(struct mgmt_lun_change *c, const struct param *p,
			      const char *value, struct mgmt_fault *f)
{
	(void)c, (void)value;
	return fault(f, p, "can be given only when the LUN is made");
}

static int set_atomic_write(struct mgmt_lun_change *c, const struct param *p,
			    const char *value, struct mgmt_fault *f)
{
	uint64_t n;

	if (parse_size(value, &n) < 0 || n > p->max || n % 512)
		return fault(f, p, "must be 0 (none) to %" PRIu64
			     " bytes in whole blocks, with a suffix k or M if you like", p->max);
	c->atomic_bytes = (uint32_t)n;
	return 0;
}

static int set_write_cache(struct mgmt_lun_change *c, const struct param *p,
			   const char *value, struct mgmt_fault *f)
{
	bool on;

	if (parse_bool(value, &on) < 0)
		return fault(f, p, "must be 0 or 1");
	c->write_cache = on;
	c->config.mode_fixed |= SCSI_DEVICE_MODE_WCE;
	return 0;
}

/* --- values, to be told ------------------------------------------------ */

static json_t *get_number(const struct mgmt_lun_change *c, const struct param *p)
{
	const uint8_t *from = (const uint8_t *)&c->config + p->off;
	uint16_t two;
	uint32_t four;

	if (p->bytes == 1)
		return json_integer(*from);
	if (p->bytes == 2) {
		memcpy(&two, from, sizeof(two));
		return json_integer(two);
	}
	assert(p->bytes == 4);
	memcpy(&four, from, sizeof(four));
	return json_integer(four);
}

static json_t *get_rotation_rate(const struct mgmt_lun_change *c, const struct param *p)
{
	return get_number(c, p);
}

static json_t *get_bool(const struct mgmt_lun_change *c, const struct param *p)
{
	return json_integer(*(const bool *)((const uint8_t *)&c->config + p->off));
}

static json_t *get_text(const struct mgmt_lun_change *c, const struct param *p)
{
	return json_string((const char *)&c->config + p->off);
}

static json_t *get_limit(const struct mgmt_lun_change *c, const struct param *p)
{
	uint64_t n;

	memcpy(&n, (const uint8_t *)&c->limits + p->off, sizeof(n));
	return json_integer((json_int_t)n);
}

static json_t *get_ops(const struct mgmt_lun_change *c, const struct param *p)
{
	return get_limit(c, p);
}

static json_t *get_bytes(const struct mgmt_lun_change *c, const struct param *p)
{
	return get_limit(c, p);
}

static json_t *get_atomic_write(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return json_integer(c->atomic_bytes);
}

static json_t *get_tgt_ids(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return json_integer(c->id.tgt_compat);
}

static json_t *get_scsi_id(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return json_string(c->id.scsi_id);
}

static json_t *get_scsi_sn(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return json_string(c->id.scsi_sn);
}

static json_t *get_write_cache(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return json_integer(c->write_cache);
}

static json_t *get_mode_page(const struct mgmt_lun_change *c, const struct param *p)
{
	(void)p;
	return mgmt_lun_page_get(c);
}

static const struct param params[] = {
	{ "tgt_ids", MGMT_LUN_NEWS_INQUIRY, VALUE(tgt_ids), .range = "0, 1",
	  .help = "1: the ids that tgt gave to this tid and LUN (not unique across hosts); 0: our own" },
	{ "scsi_id", MGMT_LUN_NEWS_INQUIRY, VALUE(scsi_id), .range = "1 to 36 characters",
	  .help = "SCSI id, of the device identification VPD page" },
	{ "scsi_sn", MGMT_LUN_NEWS_INQUIRY, VALUE(scsi_sn), .range = "1 to 36 characters",
	  .help = "unit serial number" },
	{ "vendor_id", MGMT_LUN_NEWS_INQUIRY, VALUE(text), CONFIG(vendor_id),
	  .range = "8 characters", .help = "vendor of the INQUIRY data" },
	{ "product_id", MGMT_LUN_NEWS_INQUIRY, VALUE(text), CONFIG(product_id),
	  .range = "16 characters", .help = "product of the INQUIRY data" },
	{ "product_rev", MGMT_LUN_NEWS_INQUIRY, VALUE(text), CONFIG(product_rev),
	  .range = "4 characters", .help = "revision of the INQUIRY data" },
	{ "sense_format", MGMT_LUN_NEWS_MODE, .set = set_sense_format, .get = get_bool,
	  CONFIG(sense_descriptor),
	  .range = "0, 1", .help = "sense data: 0 fixed, 1 descriptor format" },
	{ "lbppbe", MGMT_LUN_NEWS_CAPACITY, VALUE(number), CONFIG(lbppbe), .max = 15,
	  .range = "0 to 15", .help = "logical blocks per physical block, as a power of two" },
	{ "la_lba", MGMT_LUN_NEWS_CAPACITY, VALUE(number), CONFIG(la_lba), .max = 0x3fff,
	  .range = "0 to 16383", .help = "lowest aligned logical block" },
	{ "optimal_xfer_gran", MGMT_LUN_NEWS_INQUIRY, VALUE(number),
	  CONFIG(optimal_xfer_gran), .max = UINT16_MAX, .range = "0 to 65535",
	  .help = "optimal transfer length granularity, blocks; 0: what the store says" },
	{ "optimal_xfer_len", MGMT_LUN_NEWS_INQUIRY, VALUE(number),
	  CONFIG(optimal_xfer_len), .max = UINT32_MAX, .range = "0 to 4294967295",
	  .help = "optimal transfer length, blocks; 0: what the store says" },
	{ "removable", MGMT_LUN_NEWS_INQUIRY, VALUE(bool), CONFIG(removable), .range = "0, 1",
	  .help = "the medium is removable" },
	{ "readonly", MGMT_LUN_NEWS_MODE, VALUE(bool), CONFIG(readonly), .range = "0, 1",
	  .help = "writes are refused with WRITE PROTECTED" },
	/* Comes before online. */
	{ "path", MGMT_LUN_NEWS_NONE, .set = set_path, .range = "a path, or nothing",
	  .help = "of a removable LUN: take the medium out and put this one in (with `online=1`); nothing: leave it empty" },
	{ "online", MGMT_LUN_NEWS_MEDIUM, VALUE(bool), CONFIG(online), .range = "0, 1",
	  .help = "0: the medium is not ready" },
	{ "thin_provisioning", MGMT_LUN_NEWS_INQUIRY, VALUE(bool), CONFIG(thin_provisioning),
	  .range = "0, 1", .help = "offer UNMAP, where the store has it" },
	{ "atomic_write", MGMT_LUN_NEWS_NONE, VALUE(atomic_write), .max = LU_JOURNAL_BYTES_MAX,
	  .range = "0 to 1M, suffix k, M",
	  .help = "offer WRITE ATOMIC of so many bytes, with a journal in the state directory; only when the LUN is made" },
	{ "rotation_rate", MGMT_LUN_NEWS_INQUIRY, VALUE(rotation_rate),
	  CONFIG(rotation_rate), .range = "0, 1, 1025 to 65534",
	  .help = "revolutions a minute; 1: no rotation; 0: not reported" },
	{ "mode_page", MGMT_LUN_NEWS_MODE, VALUE(mode_page),
	  .range = "page:subpage:length:byte:...",
	  .help = "8:0 sets WCE (write cache), 10:0 sets D_SENSE and SWP; another page is shown as given (length 0: no longer)" },
	{ "iops_limit", MGMT_LUN_NEWS_NONE, VALUE(ops), LIMIT(iops_limit),
	  .max = LIMIT_IOPS_MAX, .range = "0 to 1000000000",
	  .help = "operations a second, of all initiators together; 0: no limit" },
	{ "iops_burst", MGMT_LUN_NEWS_NONE, VALUE(ops), LIMIT(iops_burst),
	  .max = LIMIT_IOPS_MAX, .range = "0 to 1000000000",
	  .help = "operations at once after a pause; 0: a tenth of iops_limit" },
	{ "bw_limit", MGMT_LUN_NEWS_NONE, VALUE(bytes), LIMIT(bw_limit),
	  .max = LIMIT_BYTES_MAX, .range = "0 to 1P, suffix k, M, G, T",
	  .help = "bytes a second, of all initiators together; 0: no limit" },
	{ "bw_burst", MGMT_LUN_NEWS_NONE, VALUE(bytes), LIMIT(bw_burst),
	  .max = LIMIT_BYTES_MAX, .range = "0 to 1P, suffix k, M, G, T",
	  .help = "bytes at once after a pause; 0: a tenth of bw_limit" },
	{ "write_cache", MGMT_LUN_NEWS_MODE, VALUE(write_cache), .range = "0, 1",
	  .help = "WCE, whether writes may rest in a cache; default: what an initiator has saved, or what the store does by itself" },
	{ "pr_clear", MGMT_LUN_NEWS_NONE, set_pr_clear, .range = "1",
	  .help = "forget all registrations and reservations, for a cluster that is lost" },
	{ "size", MGMT_LUN_NEWS_CAPACITY, set_size, .range = "auto, or bytes (with k, M, G, T, P)",
	  .help = "look at the store anew and show all of it, or that much (never more than it has)" },
	/* From here on without a word in the documentation. */
	{ "disksize", MGMT_LUN_NEWS_CAPACITY, set_size, .help = "" },
	{ "bsopts", MGMT_LUN_NEWS_CAPACITY, set_store_option, .help = "" },
	{ "bsoflags", MGMT_LUN_NEWS_MEDIUM, refuse_open_option, .help = "" },
};

const char *mgmt_lun_params_name(unsigned int n, const char **ret_range,
				 const char **ret_help)
{
	if (n >= ARRAY_SIZE(params) || !*params[n].help)
		return NULL;
	*ret_range = params[n].range;
	*ret_help = params[n].help;
	return params[n].name;
}

static bool is_param(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(params); i++)
		if (!strcmp(params[i].name, name))
			return true;
	return false;
}

/* What is set to what it was is no news. */
static bool differs(const struct mgmt_lun_change *a, const struct mgmt_lun_change *b,
		    const struct param *p)
{
	if (p->bytes)
		return memcmp((const char *)&a->config + p->off,
			      (const char *)&b->config + p->off, p->bytes) != 0;
	return strcmp(a->id.scsi_id, b->id.scsi_id) != 0 ||
	       strcmp(a->id.scsi_sn, b->id.scsi_sn) != 0 ||
	       memcmp(a->id.naa, b->id.naa, sizeof(a->id.naa)) != 0 ||
	       a->write_cache != b->write_cache || a->config.swp != b->config.swp ||
	       a->config.sense_descriptor != b->config.sense_descriptor ||
	       a->config.nr_pages != b->config.nr_pages ||
	       memcmp(a->config.pages, b->config.pages, sizeof(a->config.pages)) != 0;
}

static int set_one(struct mgmt_lun_change *c, const struct param *p, const json_t *v,
		   struct mgmt_fault *f)
{
	struct mgmt_lun_change before;
	char number[MGMT_SCALAR_BYTES];
	int err;

	if (p->set == set_path && !json_is_string(v))
		return fault(f, p, "must be text");
	before = *c;
	err = p->set(c, p, mgmt_fields_scalar(v, number), f);
	if (!err && differs(&before, c, p))
		c->news |= BIT(p->news);
	return err;
}

int mgmt_lun_params_set(struct mgmt_lun_change *c, const json_t *values,
			struct mgmt_fault *ret_fault)
{
	const char *name;
	json_t *v, *item;
	char quoted[64];
	size_t n;
	int err = 0;

	json_object_foreach((json_t *)values, name, v) {
		if (is_param(name))
			continue;
		*ret_fault = (struct mgmt_fault){ "params", MGMT_ERR_INVALID, "", "" };
		snprintf(ret_fault->sentence, sizeof(ret_fault->sentence),
			 "a logical unit has no parameter '%s'",
			 text_quote(quoted, sizeof(quoted), name, strlen(name)));
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(params) && !err; i++) {
		v = json_object_get(values, params[i].name);
		if (!v)
			continue;
		if (!json_is_array(v)) {
			err = set_one(c, &params[i], v, ret_fault);
			continue;
		}
		json_array_foreach(v, n, item) {
			if (!err)
				err = set_one(c, &params[i], item, ret_fault);
		}
	}
	return err;
}

json_t *mgmt_lun_params_get(const struct mgmt_lun_change *c)
{
	struct mgmt_lun_change fresh = *c;
	json_t *all = json_object();

	fresh.config = scsi_device_default;
	fresh.limits = (struct lu_qos_limits){ 0 };
	fresh.write_cache = -1;
	fresh.atomic_bytes = 0;
	if (c->id.tgt_compat)
		lu_identity_tgt(&fresh.id, c->tid, c->lun);
	else
		lu_identity_default(&fresh.id, c->target_name, c->tid, c->lun);
	fresh.id.tgt_compat = false;
	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const struct param *p = &params[i];
		json_t *v, *without;

		if (!p->get)
			continue;
		v = p->get(c, p);
		without = p->get(&fresh, p);
		if (!json_equal(v, without))
			json_object_set(all, p->name, v);
		json_decref(v);
		json_decref(without);
	}
	return all;
}

unsigned int mgmt_lun_params_news(const json_t *before, const json_t *after)
{
	unsigned int news = 0;

	for (size_t i = 0; i < ARRAY_SIZE(params); i++) {
		const json_t *a = json_object_get(before, params[i].name);
		const json_t *b = json_object_get(after, params[i].name);

		if (a != b && !json_equal(a, b))
			news |= BIT(params[i].news);
	}
	return news;
}

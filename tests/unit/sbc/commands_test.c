/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * commands_test.c - walks the command tables.  With --doc it prints what
 * doc/supported-commands.md has to be (scripts/gen-supported-commands).
 */
#include "../bs/modules.h"
#include "sbc/sbc.h"
#include "spc/spc.h"

static const struct {
	const struct scsi_command *rows;
	const size_t *n;
	const char *title, *text;
} tables[] = {
	{ spc_commands, &spc_nr_commands, "Every device (SPC-4)",
	  "The controller at LUN 0 has these and no others." },
	{ spc_medium_commands, &spc_nr_medium_commands,
	  "Devices with a medium (SPC-4, SPC-2)", NULL },
	{ spc_copy_commands, &spc_nr_copy_commands, "Third-party copies (SPC-4)",
	  "See [copying](copying.md)." },
	{ sbc_commands, &sbc_nr_commands, "Disks (SBC-3)", NULL },
};

/* --- the documentation --- */

static void print_usage(FILE *f, const struct scsi_command *c)
{
	for (unsigned int i = 0; i < c->cdb_bytes; i++)
		fprintf(f, "%s%02x", i ? " " : "", c->usage[i]);
}

static const char *notes(const struct scsi_command *c)
{
	if (c->flags & SCSI_CMD_THIN)
		return "only with thin provisioning";
	if (c->flags & SCSI_CMD_KEEPS)
		return "only with a state directory";
	if (c->flags & SCSI_CMD_ATOMIC)
		return "only with `atomic_write`";
	if (c->flags & SCSI_CMD_ANY_LUN)
		return "also for a LUN that does not exist";
	return "";
}

static void print_row(FILE *f, const struct scsi_command *c)
{
	char code[16];

	if (c->has_sa)
		snprintf(code, sizeof(code), "%02Xh/%02Xh", c->opcode, c->sa);
	else
		snprintf(code, sizeof(code), "%02Xh", c->opcode);
	fprintf(f, "| %s | %s | %u | `", code, c->name, c->cdb_bytes);
	print_usage(f, c);
	fprintf(f, "` | %s |\n", notes(c));
}

static void print_doc(FILE *f)
{
	fputs("# Supported commands\n\n"
	      "Made by `scripts/gen-supported-commands` from the command tables; a test\n"
	      "compares.  An initiator gets the same with REPORT SUPPORTED OPERATION CODES.\n\n"
	      "*CDB usage* has the bits that are evaluated or accepted; any other bit that is\n"
	      "set ends the command with INVALID FIELD IN CDB and a pointer to that bit.  What\n"
	      "is not listed ends with INVALID COMMAND OPERATION CODE.\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(f, "\n## %s\n\n", tables[i].title);
		if (tables[i].text)
			fprintf(f, "%s\n\n", tables[i].text);
		fputs("| Code | Command | CDB bytes | CDB usage (hex) | |\n"
		      "|---|---|---|---|---|\n", f);
		for (size_t k = 0; k < *tables[i].n; k++)
			print_row(f, &tables[i].rows[k]);
	}
}

static void the_documentation_is_that_of_the_tables(void **state)
{
	const char *src = getenv("SRC");
	char path[PATH_MAX], *want = NULL, *got;
	size_t bytes = 0, n;
	FILE *f = open_memstream(&want, &bytes);

	(void)state;
	assert_non_null(f);
	print_doc(f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/doc/supported-commands.md", src ? src : ".");
	f = fopen(path, "r");
	if (!f) {
		fail_msg("%s: %s", path, strerror(errno));
		return;
	}
	got = calloc(1, bytes + 2);
	assert_non_null(got);
	n = fread(got, 1, bytes + 1, f);
	fclose(f);
	if (n != bytes || memcmp(got, want, bytes))
		fail_msg("%s is not up to date: run scripts/gen-supported-commands", path);
	free(got);
	free(want);
}

/* --- the rows --- */

static void rows_are_sorted_and_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t k = 1; k < *tables[i].n; k++) {
			const struct scsi_command *a = &tables[i].rows[k - 1], *b = a + 1;

			if (a->opcode > b->opcode ||
			    (a->opcode == b->opcode &&
			     !(a->has_sa && b->has_sa && a->sa < b->sa)))
				fail_msg("%s, then %s", a->name, b->name);
		}
}

/* SPC-4 r37 4.2.5.1: the group code, bits 7-5 of the opcode. */
static unsigned int bytes_of_group(uint8_t opcode)
{
	static const uint8_t bytes[] = { 6, 10, 10, 32, 16, 12, 0, 0 };

	return bytes[opcode >> 5];
}

static bool covers(const struct scsi_command *c, struct scsi_field f)
{
	for (unsigned int i = f.at; i < f.at + f.bytes; i++)
		if (!c->usage[i])
			return false;
	return f.at + f.bytes <= c->cdb_bytes;
}

static const char *wrong(const struct scsi_command *c)
{
	if (!c->name || !c->run || !c->timeout_s)
		return "name, handler or timeout is missing";
	if (c->cdb_bytes != bytes_of_group(c->opcode))
		return "CDB length is not that of the opcode's group";
	if (c->usage[0] != c->opcode)
		return "usage[0] is not the opcode";
	if (c->has_sa && (c->usage[1] & 0x1f) != c->sa)
		return "usage[1] is not the service action";
	for (unsigned int i = c->cdb_bytes - 1U; i < SCSI_CDB_MAX; i++)
		if (c->usage[i])
			return "usage of the CONTROL byte, or behind the CDB";
	if (!covers(c, c->lba) || !covers(c, c->len))
		return "a field lies outside the usage or the CDB";
	if (c->flags & SCSI_CMD_RANGE && !c->lba.bytes)
		return "a range without an LBA";
	if (c->data == SCSI_DATA_OUT && !c->len.bytes && !c->parse)
		return "data out without a length";
	if (c->unit == SCSI_UNIT_BLOCKS && !(c->flags & SCSI_CMD_RANGE))
		return "blocks without a range check";
	if (c->flags & SCSI_CMD_ANY_LUN &&
	    (!(c->flags & SCSI_CMD_NO_UA && c->flags & SCSI_CMD_NO_MEDIUM) ||
	     c->unit == SCSI_UNIT_BLOCKS || c->flags & SCSI_CMD_RANGE))
		return "runs without a logical unit, but wants something of it";
	return NULL;
}

static void rows_are_complete_and_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t k = 0; k < *tables[i].n; k++) {
			const char *why = wrong(&tables[i].rows[k]);

			if (why)
				fail_msg("%s: %s", tables[i].rows[k].name, why);
		}
}

static void types_are_registered_with_all_rows(void **state)
{
	(void)state;
	assert_int_equal(spc_register(), 0);
	assert_int_equal(sbc_register(), 0);
	assert_ptr_equal(scsi_device_type_nth(0), spc_controller_type());
	assert_ptr_equal(scsi_device_type_find("disk"), sbc_disk_type());
	assert_null(scsi_device_type_find("controller"));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (size_t k = 0; k < *tables[i].n; k++) {
			const struct scsi_command *c = &tables[i].rows[k];
			const uint8_t cdb[SCSI_CDB_MAX] = { c->opcode, (uint8_t)c->sa };
			bool known;

			assert_ptr_equal(scsi_device_type_command(sbc_disk_type(), cdb,
								  &known), c);
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_sorted_and_unique),
		cmocka_unit_test(rows_are_complete_and_consistent),
		cmocka_unit_test(types_are_registered_with_all_rows),
		cmocka_unit_test(the_documentation_is_that_of_the_tables),
	};

	if (argc == 2 && !strcmp(argv[1], "--doc")) {
		print_doc(stdout);
		return 0;
	}
	return cmocka_run_group_tests_name("sbc/commands", tests, NULL, NULL);
}

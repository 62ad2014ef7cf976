// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's own counters: /proc/interrupts and /proc/softirqs. Reading them disturbs no core. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "pinning/noise/internal.h"

#define INTERRUPTS "/proc/interrupts"
#define SOFTIRQS   "/proc/softirqs"
#define ROWS_STEP  64

/* Where in the header's columns each core stands: those that are offline have none. */
static int header_parse(const char *line, const unsigned int *cores, unsigned int ncores, unsigned int *columns)
{
	unsigned int column = 0, found = 0;

	for (line = strstr(line, "CPU"); line; line = strstr(line + 1, "CPU"), column++) {
		unsigned long core = strtoul(line + strlen("CPU"), NULL, 10);

		for (unsigned int i = 0; i < ncores; i++) {
			if (cores[i] != core)
				continue;
			columns[i] = column;
			found++;
		}
	}
	return found == ncores ? (int)column : -EPROTO;
}

/* "IR-PCI-MSIX-0000:02:00.0   1-edge      nvme0q1": of a line's words those after the last run of blanks. */
static void what_copy(struct counter_row *row, const char *text)
{
	const char *last = text;

	if (isdigit((unsigned char)row->name[0]))
		for (const char *at = text; *at; at++)
			if (isblank((unsigned char)at[0]) && isblank((unsigned char)at[1]))
				last = at + 2;
	last += strspn(last, " \t");
	snprintf(row->what, sizeof(row->what), "%s", last);
}

/* A row with fewer numbers than there are columns (ERR, MIS) counts for the whole machine: false. */
static bool row_parse(char *line, const unsigned int *columns, unsigned int ncolumns, unsigned int ncores,
		      struct counter_row *row)
{
	char *colon = strchr(line, ':'), *at, *end;

	if (!colon)
		return false;
	*colon = '\0';
	snprintf(row->name, sizeof(row->name), "%s", line + strspn(line, " \t"));
	at = colon + 1;
	for (unsigned int column = 0; column < ncolumns; column++, at = end) {
		unsigned long long count = strtoull(at, &end, 10);

		if (end == at)
			return false;
		for (unsigned int i = 0; i < ncores; i++)
			if (columns[i] == column)
				row->counts[i] = count;
	}
	what_copy(row, at + strspn(at, " \t"));
	return true;
}

static struct counter_row *row_add(struct counter_table *table)
{
	struct counter_row *row;

	if (table->count % ROWS_STEP == 0) {
		void *rows = reallocarray(table->rows, table->count + ROWS_STEP, sizeof(*table->rows));

		if (!rows)
			return NULL;
		table->rows = rows;
	}
	row = &table->rows[table->count];
	*row = (struct counter_row){ .counts = calloc(table->ncores, sizeof(*row->counts)) };
	if (!row->counts)
		return NULL;
	table->count++;
	return row;
}

static int rows_parse(char *text, const unsigned int *columns, unsigned int ncolumns, struct counter_table *table)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct counter_row *row = row_add(table);

		if (!row)
			return fail(-ENOMEM, "no memory for the kernel's counters");
		if (row_parse(line, columns, ncolumns, table->ncores, row))
			continue;
		table->count--;
		free(row->counts);
	}
	return 0;
}

static int table_parse(char *text, const unsigned int *cores, unsigned int *columns, struct counter_table *table)
{
	char *body = strchr(text, '\n');
	int ncolumns;

	if (!body)
		return -EPROTO;
	*body++ = '\0';
	ncolumns = header_parse(text, cores, table->ncores, columns);
	if (ncolumns < 0)
		return ncolumns;
	return rows_parse(body, columns, (unsigned int)ncolumns, table);
}

int counters_parse(const char *text, const unsigned int *cores, unsigned int ncores, struct counter_table *table)
{
	unsigned int *columns = calloc(ncores, sizeof(*columns));
	char *copy = strdup(text);
	int err;

	*table = (struct counter_table){ .ncores = ncores };
	if (columns && copy)
		err = table_parse(copy, cores, columns, table);
	else
		err = fail(-ENOMEM, "no memory for the kernel's counters");
	free(copy);
	free(columns);
	return err;
}

void counters_free(struct counter_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i].counts);
	free(table->rows);
	*table = (struct counter_table){ 0 };
}

static const struct counter_row *row_find(const struct counter_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}

/*
 * Rows that are part of others, no interruptions of their own: TLB is in CAL (arch/x86/mm/tlb.c, flush_tlb_func()),
 * and the banks are polled by a timer (arch/x86/kernel/cpu/mce/core.c, machine_check_poll()).
 */
static bool is_part(const char *name)
{
	return strcmp(name, "TLB") == 0 || strcmp(name, "MCP") == 0;
}

static enum noise_kind row_kind(const char *name, bool softirqs)
{
	if (softirqs)
		return NOISE_SOFTIRQ;
	if (is_part(name))
		return NOISE_CALL;
	return isdigit((unsigned char)name[0]) ? NOISE_LINE : NOISE_VECTOR;
}

/* A line that was set up meanwhile began at 0. */
static int row_compare(struct noise *noise, const struct counter_row *before, const struct counter_row *after,
		       bool softirqs)
{
	struct noise_key key = { .kind = row_kind(after->name, softirqs), .name = after->name };
	struct noise_source *source = noise_source(noise, &key);

	if (!source)
		return -ENOMEM;
	source->counted = true;
	memcpy(source->what, after->what, sizeof(source->what));
	for (unsigned int i = 0; i < noise->ncores; i++) {
		uint64_t was = before ? before->counts[i] : 0;

		source->counts[i].count = after->counts[i] > was ? after->counts[i] - was : 0;
	}
	return 0;
}

int counters_compare(struct noise *noise, const struct counter_table *before, const struct counter_table *after,
		     bool softirqs)
{
	int err = 0;

	for (size_t i = 0; !err && i < after->count; i++)
		err = row_compare(noise, row_find(before, after->rows[i].name), &after->rows[i], softirqs);
	return err;
}

static int table_read(struct noise *noise, const char *path, struct counter_table *table)
{
	char *text;
	int err = kernel_text(path, &text);

	if (err)
		return err;
	err = counters_parse(text, noise->cores, noise->ncores, table);
	free(text);
	return err == -EPROTO ? fail(err, "%s: no column for each of the cores in it", path) : err;
}

int counters_look(struct noise *noise, struct counters *counters)
{
	int err = table_read(noise, INTERRUPTS, &counters->interrupts);

	if (!err)
		err = table_read(noise, SOFTIRQS, &counters->softirqs);
	return err;
}

void counters_release(struct counters *counters)
{
	counters_free(&counters->interrupts);
	counters_free(&counters->softirqs);
}

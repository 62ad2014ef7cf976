// SPDX-License-Identifier: GPL-2.0-only
/* What can be done about it, as commands: printed, never run. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/doctor/internal.h"

#define MASK_WORDS (CPU_SETSIZE / 32)

/* "2 3", for a shell's loop */
static void each_put(const cpu_set_t *set, FILE *out)
{
	const char *space = "";

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set)) {
			fprintf(out, "%s%d", space, cpu);
			space = " ";
		}
}

/* "1-2,4", whatever its length: what people read may be cut, a command not. */
static void list_put(const cpu_set_t *set, FILE *out)
{
	const char *comma = "";

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		int first = cpu;

		if (!CPU_ISSET(cpu, set))
			continue;
		while (cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, set))
			cpu++;
		fprintf(out, first == cpu ? "%s%d" : "%s%d-%d", comma, first, cpu);
		comma = ",";
	}
}

static uint32_t mask_word(const cpu_set_t *set, int word)
{
	uint32_t bits = 0;

	for (int bit = 0; bit < 32; bit++)
		if (CPU_ISSET(word * 32 + bit, set))
			bits |= 1u << bit;
	return bits;
}

/* "1,ffffffff": the highest word that has a bit first */
static void mask_put(const cpu_set_t *set, FILE *out)
{
	int word = MASK_WORDS - 1;

	while (word > 0 && !mask_word(set, word))
		word--;
	fprintf(out, "%" PRIx32, mask_word(set, word));
	while (word-- > 0)
		fprintf(out, ",%08" PRIx32, mask_word(set, word));
}

/* What the pool must hold: what is in use, and what the VM wants, or 1 GiB where no VM is asked about. */
static void pages_put(const struct doctor *doctor, uint64_t size, FILE *out)
{
	long long needed = doctor->vm ? pages_needed(doctor, size) : (long long)(GIB(1) / size);

	fprintf(out, "%lld", needed + pages_in_use(doctor, size));
}

static const char *const words[] = { "cores", "each", "others", "others_mask", "module", "pages_2m", "pages_1g" };
#define CHOICE (ARRAY_SIZE(words) + 1)

/* "{npt|ept}": AMD's, or Intel's. */
static void choice_put(const char *text, size_t len, const struct doctor *doctor, FILE *out)
{
	size_t amd = (size_t)((const char *)memchr(text, '|', len) - text);

	if (!doctor)
		fprintf(out, "%.*s", (int)len, text);
	else if (strcmp(doctor->module, "kvm_amd") == 0)
		fprintf(out, "%.*s", (int)amd, text);
	else
		fprintf(out, "%.*s", (int)(len - amd - 1), text + amd + 1);
}

static void word_put(size_t word, const struct doctor *doctor, FILE *out)
{
	switch (word) {
	case 0:
		list_put(&doctor->cores, out);
		break;
	case 1:
		each_put(&doctor->cores, out);
		break;
	case 2:
		list_put(&doctor->others, out);
		break;
	case 3:
		mask_put(&doctor->others, out);
		break;
	case 4:
		fputs(doctor->module, out);
		break;
	default:
		pages_put(doctor, word == 5 ? MIB(2) : GIB(1), out);
	}
}

/* Which word of ours "{...}" is, or ARRAY_SIZE(words): a brace of the shell's. */
static size_t word_find(const char *text, size_t len)
{
	size_t i = 0;

	if (text[len] != '}')
		return ARRAY_SIZE(words);
	if (memchr(text, '|', len))
		return CHOICE;

	while (i < ARRAY_SIZE(words) && (strlen(words[i]) != len || strncmp(words[i], text, len) != 0))
		i++;
	return i;
}

static void name_put(const char *name, FILE *out)
{
	for (; *name; name++)
		putc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, out);
}

char *fix_expand(const char *text, const struct doctor *doctor)
{
	char *expanded = NULL;
	size_t size;
	FILE *out = open_memstream(&expanded, &size);

	if (!out)
		return NULL;
	while (*text) {
		size_t len = *text == '{' ? strcspn(text + 1, "}") : 0;
		size_t word = *text == '{' ? word_find(text + 1, len) : ARRAY_SIZE(words);

		if (word == ARRAY_SIZE(words)) {
			putc(*text++, out);
			continue;
		}
		if (word == CHOICE)
			choice_put(text + 1, len, doctor, out);
		else if (doctor)
			word_put(word, doctor, out);
		else
			name_put(words[word], out);
		text += len + 2;
	}
	if (fclose(out)) {
		free(expanded);
		return NULL;
	}
	return expanded;
}

/* --- the script --- */

struct lines {
	char **lines;
	size_t count;
};

static void lines_free(struct lines *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->lines[i]);
	free(list->lines);
	*list = (struct lines){ 0 };
}

/* Each once. Modules are loaded again after all of their options were written, so that moves to the end. */
static int line_add(struct lines *list, const char *line)
{
	char **grown, *copy;

	for (size_t i = 0; i < list->count; i++) {
		char *same = list->lines[i];

		if (strcmp(same, line) != 0)
			continue;
		if (strncmp(line, "modprobe -r", strlen("modprobe -r")) != 0)
			return 0;
		memmove(&list->lines[i], &list->lines[i + 1], (list->count - i - 1) * sizeof(*list->lines));
		list->lines[list->count - 1] = same;
		return 0;
	}
	copy = strdup(line);
	grown = copy ? realloc(list->lines, (list->count + 1) * sizeof(*grown)) : NULL;
	if (!grown) {
		free(copy);
		return -ENOMEM;
	}
	list->lines = grown;
	list->lines[list->count++] = copy;
	return 0;
}

/* The parts of one row's text, split at @separator, into @list. */
static int parts_add(struct lines *list, const char *text, const char *separator, const struct doctor *doctor)
{
	char *expanded = fix_expand(text, doctor), *rest = expanded, *part;
	int err = expanded ? 0 : -ENOMEM;

	while (!err && (part = strsep(&rest, separator)))
		if (*part)
			err = line_add(list, part);
	free(expanded);
	return err;
}

static int fixes_collect(const struct diagnosis *diagnosis, const struct doctor *doctor, struct lines *commands,
			 struct lines *boot)
{
	int err = 0;

	for (size_t i = 0; !err && i < diagnosis->count; i++) {
		const struct check *check = diagnosis->rows[i].check;

		if (diagnosis->rows[i].finding.status < CHECK_WARN)
			continue;
		err = parts_add(commands, check->fix, "\n", doctor);
		if (!err)
			err = parts_add(boot, check->fix_boot, " ", doctor);
	}
	return err;
}

int fix_print(const struct diagnosis *diagnosis, const struct doctor *doctor, FILE *out)
{
	struct lines commands = { 0 }, boot = { 0 };
	int err = fixes_collect(diagnosis, doctor, &commands, &boot);

	if (err)
		fail(err, "doctor: no memory for the commands");
	for (size_t i = 0; !err && i < commands.count; i++)
		fprintf(out, "%s\n", commands.lines[i]);
	if (!err && boot.count)
		fputs("# on the kernel's command line:", out);
	for (size_t i = 0; !err && i < boot.count; i++)
		fprintf(out, " %s", boot.lines[i]);
	if (!err)
		fputs(boot.count ? "\n" : commands.count ? "" : "# nothing to change\n", out);
	lines_free(&commands);
	lines_free(&boot);
	return err;
}

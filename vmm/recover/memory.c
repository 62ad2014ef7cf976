// SPDX-License-Identifier: GPL-2.0-only
/* Memory in files with a name, which the death of all who knew it hasn't ended. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "vmm/recover/recover.h"

void fate_find(struct fate *fate, const char *state, const char *name, pid_t pid, const char *who)
{
	struct memory_cleared memory, rings;
	char file[MEMORY_FILE_MAX];
	int found, beside;

	snprintf(file, sizeof(file), "%s" MEMORY_RINGS, name);
	found = memory_recover(state, name, pid, &memory);
	beside = memory_recover(state, file, pid, &rings);
	fate->cleared = memory.bytes;
	fate->failed = memory.failed;
	fate->err = MIN(MIN(found, beside), 0);
	if (fate->err)
		snprintf(fate->text, sizeof(fate->text), MEMORY_STAYS);
	else if (found)
		snprintf(fate->text, sizeof(fate->text), "cleared by %s", who);
	else
		snprintf(fate->text, sizeof(fate->text), MEMORY_NOT_CLEARED);
}

struct walk {
	struct recovered *recovered;
	const char *run, *state, *who;
	int err;
};

/* Tried a moment ago, as a life's, by its claims, or as the file beside this one: once more would be no better. */
static bool is_known_to_stay(const struct recovered *recovered, const char *name)
{
	json_t *life;
	size_t i;

	json_array_foreach (recovered->lives, i, life)
		if (strcmp(json_string_value(json_object_get(life, "vm")), name) == 0 &&
		    strcmp(json_string_value(json_object_get(life, "memory")), MEMORY_STAYS) == 0)
			return true;
	return false;
}

/* That of rings comes with its VM's, of which the record is the first of the two, or is what is left of both. */
static void memory_one(void *context, const char *file, pid_t pid)
{
	struct walk *walk = context;
	char name[MEMORY_FILE_MAX];
	struct fate fate;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "~"), file);
	if (life_is_open(walk->run, name, pid) || is_known_to_stay(walk->recovered, name))
		return;
	fate_find(&fate, walk->state, name, pid, walk->who);
	walk->err = walk->err ? walk->err : fate.err;
	if (strcmp(fate.text, MEMORY_NOT_CLEARED) != 0)
		recovered_add(walk->recovered, name, "running", &fate);
}

int recover_memory(struct recovered *recovered, const char *run, const char *state, const char *who)
{
	struct walk walk = { recovered, run, state, who, 0 };
	int err = memory_left_each(state, memory_one, &walk);

	return walk.err ? walk.err : err;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"

int timeline_make(struct timeline *timeline, unsigned int vcpus)
{
	*timeline = (struct timeline){ .vcpus = vcpus, .interval = TIMELINE_INTERVAL };
	timeline->exits = calloc((size_t)TIMELINE_MAX * vcpus, sizeof(*timeline->exits));
	return timeline->exits ? 0 : fail(-ENOMEM, "no memory for the report's timeline");
}

void timeline_free(struct timeline *timeline)
{
	free(timeline->exits);
	*timeline = (struct timeline){ 0 };
}

static struct exits *row(const struct timeline *timeline, unsigned int i)
{
	return timeline->exits + (size_t)i * timeline->vcpus;
}

/* Every second one goes, but those to be kept, and the first. */
static void timeline_thin(struct timeline *timeline)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < timeline->count; i++) {
		if (i % 2 && !timeline->kept[i])
			continue;
		timeline->ns[count] = timeline->ns[i];
		timeline->kept[count] = timeline->kept[i];
		memmove(row(timeline, count), row(timeline, i), timeline->vcpus * sizeof(*timeline->exits));
		count++;
	}
	timeline->count = count;
	timeline->interval *= 2;
}

struct exits *timeline_add(struct timeline *timeline, int64_t ns, bool keep)
{
	unsigned int i;

	if (timeline->count == TIMELINE_MAX)
		timeline_thin(timeline);
	i = timeline->count++;
	timeline->ns[i] = ns;
	timeline->kept[i] = keep;
	timeline->next = ns + timeline->interval;
	return row(timeline, i);
}

const struct exits *timeline_at(const struct timeline *timeline, unsigned int i)
{
	return row(timeline, i);
}

int64_t timeline_wait(const struct timeline *timeline, int64_t now)
{
	if (!timeline->vcpus)
		return -1;
	return MAX((timeline->next - now + 999999) / 1000000, 0);
}

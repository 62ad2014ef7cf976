// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/rings/process.h"

void heart_begin(struct heart *heart, int64_t now)
{
	if (heart->watched)
		return;
	heart->watched = true;
	heart->last = now;
}

/* Any change is a beat: whether a guest that means no good has a heart is its own affair. */
void heart_check(struct heart *heart, const struct rings *shared, int64_t now)
{
	uint64_t beats = atomic_load_explicit(&shared->beats, memory_order_relaxed);
	int64_t allowed = (int64_t)heart->beat_ms * heart->missed * 1000000;

	if (!heart->beat_ms)
		return;
	if (beats != heart->beats) {
		heart->beats = beats;
		heart->last = now;
		heart->watched = true;
		if (heart->silent || !heart->heard)
			word_send(RINGS_WORD_BEATS, 0, "");
		heart->heard = true;
		heart->silent = false;
	} else if (heart->watched && !heart->silent && now - heart->last > allowed) {
		heart->silent = true;
		word_send(RINGS_WORD_SILENT, (uint64_t)(now - heart->last) / 1000000, "");
	}
}

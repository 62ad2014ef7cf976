// SPDX-License-Identifier: GPL-2.0-only
/* What only a reboot can change, as words for the kernel's command line. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/file.h"
#include "pinning/host/internal.h"

static int word_add(struct host *host, char *word, const char *why)
{
	if (!word || host->nwords == BOOT_WORDS_MAX) {
		free(word);
		return fail(-ENOMEM, "host: no memory for the kernel's command line");
	}
	host->words[host->nwords++] = (struct boot_word){ word, why };
	return 0;
}

static bool file_has(const struct host *host, const char *file, const char *word)
{
	char *path = host_path(host, "%s", file), *text = path ? file_get(path) : NULL;
	bool has = text && text_has_word(text, word);

	free(text);
	free(path);
	return has;
}

/* The cores that the list in @file lacks, as WORD=LIST; nothing if it lacks none. */
static int word_for_missing(struct host *host, const char *file, const char *format, const char *why)
{
	char *path = host_path(host, "%s", file), *list;
	struct cpus has = { 0 };
	int err = path ? cpus_read(&has, path) : -ENOMEM;

	free(path);
	if (err == -ENOMEM)
		return err;
	if (err == -ENOENT)
		return lines_add(&host->lacking, "%s isn't there: this kernel was built without what %s", file, why);
	if (cpus_within(&host->cores, &has)) /* "(null)", no list, is how some kernels spell none */
		return 0;
	cpus_or(&has, &has, &host->cores);
	list = cpus_to_list(&has);
	err = word_add(host, list ? text_make("%s%s", format, list) : NULL, why);
	free(list);
	return err;
}

/* Those that the plan found can't be moved by any other means. */
static bool managed_interrupts_are_there(const struct host *host)
{
	for (size_t i = 0; i < host->lacking.count; i++)
		if (strncmp(host->lacking.list[i], "interrupt ", strlen("interrupt ")) == 0)
			return true;
	return false;
}

/*
 * arch/x86/kernel/tsc.c: the TSC isn't watched if it is constant, never stops and has a register to adjust it, or if
 * told so; else a timer visits each CPU in turn, twice a second.
 */
static bool clock_is_watched(const struct host *host)
{
	return file_has(host, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc") &&
	       !(file_has(host, "/proc/cpuinfo", "constant_tsc") && file_has(host, "/proc/cpuinfo", "nonstop_tsc") &&
		 file_has(host, "/proc/cpuinfo", "tsc_adjust")) &&
	       !file_has(host, "/proc/cmdline", "tsc=reliable") && !file_has(host, "/proc/cmdline", "tsc=nowatchdog");
}

static bool virtualization_comes_and_goes(const struct host *host)
{
	return file_has(host, "/sys/module/kvm/parameters/enable_virt_at_load", "N");
}

int plan_reboot(struct host *host)
{
	char *list = cpus_to_list(&host->cores);
	int err = word_for_missing(host, "/sys/devices/system/cpu/nohz_full",
				   "nohz_full=", "stops the timer tick and takes RCU's work from cores with one task");

	if (!list && !err)
		err = -ENOMEM;
	if (!err && managed_interrupts_are_there(host))
		err = word_add(host, text_make("isolcpus=managed_irq,%s", list),
			       "keeps interrupts away that drivers spread themselves");
	if (!err && clock_is_watched(host))
		err = word_add(host, strdup("tsc=nowatchdog"), "ends the timer that compares each core's clock");
	if (!err && virtualization_comes_and_goes(host))
		err = word_add(host, strdup("kvm.enable_virt_at_load=Y"),
			       "switches virtualization on once, not with the first VM and off with the last");
	free(list);
	return err;
}

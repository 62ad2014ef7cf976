// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/boot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/*
 * What a stock kernel must be told so that it needs no device that isn't there and, once booted, no hypervisor.
 * Where an option may come twice Linux takes the last, so the guest's own part, which follows, can override it.
 * Each is one that Linux knows: it hands unknown ones to init. So not dis_ucode_ldr, which isn't registered, and which
 * the hypervisor bit of CPUID implies (arch/x86/kernel/cpu/microcode/core.c).
 * No console=: those add up and none can be taken back, so which one there is stays the guest's choice.
 */
struct option {
	const char *text;
	const char *why;
};

static const struct option options[] = {
	{ "tsc=reliable", "no clock source watchdog, which would compare the TSC with a device that isn't there" },
	{ "clocksource=tsc", "reading the time is an instruction, and never an exit" },
	{ "no_timer_check", "there is no PIT whose interrupts could be counted through the I/O APIC" },
	{ "lapic=notscdeadline", "a write of the deadline MSR is an exit, at each tick" },
	{ "highres=off", "keeps the local APIC timer periodic, armed once: no exit to arm it again" },
	{ "nohz=off", "the same: an idle vCPU would stop its timer and arm it as one-shot" },
	{ "nowatchdog", "lockup detectors need a performance counter and timers of their own" },
	{ "mce=off", "polling machine check banks reads MSRs, which are exits" },
	{ "io_delay=none", "the delay is a write to port 0x80, an exit" },
	{ "reboot=acpi", "ACPI's reset register is the reboot port" },
	{ "reboot=force", "ends at the end port at once, without switching off other CPUs and their APICs first" },
	{ "reboot=panic_warm", "a panic's reset leaves 0x1234 at 0x472, a reboot's 0: so they can be told apart" },
	{ "panic=-1", "a panic reboots at once, instead of hanging in a guest that no one can see" },
};

/* The options, separated by spaces; returns how long they are, as snprintf() does. */
static size_t options_print(char *to, size_t size, uint32_t tsc_khz)
{
	size_t len = snprintf(to, size, "tsc_early_khz=%" PRIu32, tsc_khz);

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		len += snprintf(len < size ? to + len : NULL, len < size ? size - len : 0, " %s", options[i].text);
	return len;
}

/* A newline or the like in a command line is a mistake in a file; the kernel would take it for white space. */
static int text_check(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return fail(-EINVAL, "cmdline: character 0x%02x at position %zu: wanted no control characters",
				    (unsigned char)*c, (size_t)(c - text) + 1);
	return 0;
}

int cmdline_build(const struct boot_request *req, uint32_t max, char **cmdline)
{
	const char *own = req->cmdline ? req->cmdline : "";
	size_t own_len = strlen(own), ours = options_print(NULL, 0, req->tsc_khz), len = ours + 1 + own_len;
	int err = text_check(own);
	char *text;

	if (err)
		return err;
	if (len > max)
		return fail(-E2BIG,
			    "cmdline: %zu characters, the guest's %zu + nohype's %zu: this kernel takes %" PRIu32, len,
			    own_len, ours + 1, max);
	text = malloc(len + 1);
	if (!text)
		return fail(-ENOMEM, "cmdline: out of memory for %zu characters", len + 1);
	options_print(text, len + 1, req->tsc_khz);
	if (own_len)
		snprintf(text + ours, len + 1 - ours, " %s", own);
	*cmdline = text;
	return 0;
}

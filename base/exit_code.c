// SPDX-License-Identifier: GPL-2.0-only
#include "base/exit_code.h"

#include "base/util.h"

static const char *const texts[] = {
	[EXIT_CLEAN] = "a clean end: the guest powered off, or it was stopped by order or Ctrl-C",
	[EXIT_ERROR] = "an error of nohype's own",
	[EXIT_USAGE] = "bad usage or configuration",
	[EXIT_HOST] = "this host can't, or can't keep a guarantee that was asked for",
	[EXIT_GUEST] = "the guest died: triple fault, panic (sealed or not), or KVM can't run it on",
	[EXIT_VIOLATION] = "a violation: the sealed guest did what the seal level forbids",
	[EXIT_ABORTED] = "aborted: by order, heartbeat, time limit, or as a guarantee or a function was lost",
	[EXIT_TIMEOUT] = "what was waited for did not come in the time that --timeout gave",
};

const char *exit_code_text(enum exit_code code)
{
	if ((unsigned int)code >= ARRAY_SIZE(texts) || !texts[code])
		return "unknown";
	return texts[code];
}

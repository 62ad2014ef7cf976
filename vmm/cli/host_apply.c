// SPDX-License-Identifier: GPL-2.0-only
/* `nohype host plan` and `nohype host apply`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "pinning/host/host.h"
#include "vmm/cli/host.h"

static int list_complain(const char *text, int err, unsigned int core)
{
	char quoted[64];

	quote_text(quoted, sizeof(quoted), text, strlen(text));
	if (err == -EEXIST)
		return fail(err, "host: cores: %s: core %u is there twice", quoted, core);
	if (err == -ERANGE)
		return fail(err, "host: cores: %s: cores are numbered 0 to %d", quoted, CPUS_MAX - 1);
	return fail(err, "host: cores: %s: wanted a list of cores, as 2-3,6", quoted);
}

static int plan_exit(int err)
{
	switch (err) {
	case 0:
		return EXIT_CLEAN;
	case -EINVAL:
		return EXIT_USAGE;
	case -ENODEV:
	case -EBUSY:
	case -EEXIST:
		return EXIT_HOST;
	default:
		return EXIT_ERROR;
	}
}

static int list_plan(struct host *host, const char *text)
{
	unsigned int *cores = calloc(CPUS_MAX, sizeof(*cores)), count = 0;
	int err = cores ? cores_parse(text, cores, CPUS_MAX, &count) : -ENOMEM;

	if (err) {
		list_complain(text, err, cores ? cores[count] : 0);
		err = -EINVAL;
	} else {
		err = host_plan(host, "", cores, count);
	}
	free(cores);
	return err;
}

/* One at a time: what was there before the first is what is to come back. */
static int journal_check(const char *state)
{
	struct journal journal;
	int err = journal_read(&journal, state, "");

	if (!err && journal.applied)
		err = fail(-EEXIST,
			   "host: cores %s are taken already: nohype host status tells more, nohype host undo gives "
			   "them back",
			   journal.cores);
	else if (!err)
		err = fail(-EEXIST, "host: taking cores %s was cut off: nohype host undo first", journal.cores);
	else if (err == -ENOENT || err == -ESTALE)
		err = 0;
	else
		err = -EEXIST;
	journal_free(&journal);
	return err;
}

static void plan_show(const struct host *host, bool json)
{
	if (json)
		host_print_json(host_plan_json(host));
	else
		host_print_plan(host, stdout);
}

int host_plan_main(int argc, char **argv)
{
	struct host_options options;
	struct host host = { 0 };
	int err;

	if (!host_options_parse(&options, "cj", argc, argv))
		return EXIT_USAGE;
	err = journal_check(options.state);
	if (!err)
		err = list_plan(&host, options.cores);
	if (!err)
		plan_show(&host, options.json);
	host_free(&host);
	return plan_exit(err);
}

/* What only trying tells. */
static void refused_warn(const struct changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];

		if (!(change->flags & CHANGE_REFUSED))
			continue;
		if (change->subject == SUBJECT_INTERRUPTS)
			warn("host: %s (%s): the kernel keeps it at %s, as its driver manages it: isolcpus=managed_irq "
			     "on "
			     "the kernel's command line keeps it off while others can take it",
			     change->path, change->detail, change->old);
		else if (change->subject == SUBJECT_FAIR_SERVER)
			warn("host: %s: the kernel refused to switch it off: its timer stays on that core",
			     change->path);
	}
}

static void applied_show(const struct host *host, bool json)
{
	char *list;

	for (size_t i = 0; i < host->lacking.count; i++)
		warn("host: %s", host->lacking.list[i]);
	refused_warn(&host->changes);
	if (json) {
		host_print_json(host_plan_json(host));
		return;
	}
	list = cpus_to_list(&host->cores);
	printf("cores %s are the VMs' now; %zu settings were changed, and nohype host undo restores them\n",
	       list ? list : "", host->changes.count);
	free(list);
}

/* Planned and done under one lock. */
static int apply_locked(struct host *host, const struct host_options *options)
{
	int err = journal_check(options->state);

	if (!err)
		err = list_plan(host, options->cores);
	if (err)
		return plan_exit(err);
	if (host_apply(host, options->state))
		return EXIT_HOST;
	applied_show(host, options->json);
	return EXIT_CLEAN;
}

int host_apply_main(int argc, char **argv)
{
	struct host_options options;
	struct host host = { 0 };
	int lock, code;

	if (!host_options_parse(&options, "cdj", argc, argv))
		return EXIT_USAGE;
	if (options.dry_run) {
		code = plan_exit(journal_check(options.state));
		if (!code)
			code = plan_exit(list_plan(&host, options.cores));
		if (!code)
			plan_show(&host, options.json);
		host_free(&host);
		return code;
	}
	lock = state_lock(options.state, true);
	if (lock < 0)
		return lock == -EBUSY ? EXIT_HOST : EXIT_ERROR;
	code = apply_locked(&host, &options);
	host_free(&host);
	close(lock);
	return code;
}

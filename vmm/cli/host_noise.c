// SPDX-License-Identifier: GPL-2.0-only
/* `nohype host noise`: what the host interrupts cores for. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/noise/noise.h"
#include "vmm/cli/bystanders.h"
#include "vmm/cli/host.h"
#include "vmm/supervisor/control.h"
#include "vmm/x86/reasons.h"

#define SECONDS_DEFAULT 10
#define SECONDS_MAX	86400
#define BAR_WIDTH	40

struct noise_options {
	const char *vm; /* NULL: the cores were given */
	unsigned int cores[VM_CORES_MAX];
	unsigned int ncores;
	unsigned int seconds;
	bool counters_only, json;
};

static int cores_set(struct noise_options *opt, const char *text)
{
	char quoted[64];
	int err = cores_parse(text, opt->cores, VM_CORES_MAX, &opt->ncores);

	if (!err)
		return 0;
	quote_text(quoted, sizeof(quoted), text, strlen(text));
	if (err == -EEXIST)
		return fail(err, "host noise: --cores: %s: host CPU %u is there twice", quoted,
			    opt->cores[opt->ncores]);
	return fail(err, "host noise: --cores: %s: wanted host CPUs, at most %d of them, as 1,3-5", quoted,
		    VM_CORES_MAX);
}

static int seconds_set(struct noise_options *opt, const char *text)
{
	char quoted[64], *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	opt->seconds = (unsigned int)value;
	if (*text >= '0' && *text <= '9' && !*end && !errno && value && value <= SECONDS_MAX)
		return 0;
	quote_text(quoted, sizeof(quoted), text, strlen(text));
	return fail(-EINVAL, "host noise: --seconds: %s: wanted whole seconds, 1 to %d", quoted, SECONDS_MAX);
}

static int vm_set(struct noise_options *opt, const char *name)
{
	if (strlen(name) > VM_NAME_MAX)
		return fail(-EINVAL, "host noise: --vm: no VM has a name of over %d bytes", VM_NAME_MAX);
	opt->vm = name;
	return 0;
}

static const struct noise_option {
	const char *name;
	int (*set)(struct noise_options *opt, const char *value);
} valued[] = {
	{ "--cores", cores_set },
	{ "--seconds", seconds_set },
	{ "--vm", vm_set },
};

/* An option with its value, at argv[*i]. */
static int option_take(struct noise_options *opt, int argc, char **argv, int *i)
{
	char quoted[64];

	for (size_t k = 0; k < ARRAY_SIZE(valued); k++) {
		if (strcmp(argv[*i], valued[k].name) != 0)
			continue;
		if (++*i == argc)
			return fail(-EINVAL, "host noise: option %s: its value is missing", valued[k].name);
		return valued[k].set(opt, argv[*i]);
	}
	quote_text(quoted, sizeof(quoted), argv[*i], strlen(argv[*i]));
	return fail(-EINVAL, "host noise: %s: unknown: see nohype host noise --help", quoted);
}

static int options_take(struct noise_options *opt, int argc, char **argv)
{
	int err = 0;

	*opt = (struct noise_options){ .seconds = SECONDS_DEFAULT };
	for (int i = 1; !err && i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			opt->json = true;
		else if (strcmp(argv[i], "--counters") == 0)
			opt->counters_only = true;
		else
			err = option_take(opt, argc, argv, &i);
	}
	if (!err && !opt->vm == !opt->ncores)
		err = fail(-EINVAL, "host noise: wanted --cores LIST or --vm NAME, one of the two");
	return err;
}

static json_t *exits_ask(const char *name)
{
	char text[CONTROL_TEXT_MAX];
	json_t *answer;

	if (control_ask(name, "exits", text, sizeof(text)))
		return NULL;
	answer = json_loads(text, 0, NULL);
	if (json_is_true(json_object_get(answer, "ok")))
		return answer;
	fail(-EPROTO, "\"%s\": its supervisor doesn't tell its cores: is it of another version?", name);
	json_decref(answer);
	return NULL;
}

/* The cores of a running VM, from itself. */
static int vm_cores(struct noise_options *opt)
{
	json_t *exits = exits_ask(opt->vm), *vcpu;
	size_t i;

	if (!exits)
		return -ESRCH;
	json_array_foreach (json_object_get(exits, "vcpus"), i, vcpu)
		if (opt->ncores < VM_CORES_MAX)
			opt->cores[opt->ncores++] = (unsigned int)json_integer_value(json_object_get(vcpu, "core"));
	json_decref(exits);
	if (opt->ncores)
		return 0;
	return fail(-EAGAIN, "\"%s\": it has no vCPU yet, or none any more", opt->vm);
}

static json_int_t vcpu_number(const json_t *exits, size_t i, const char *key)
{
	return json_integer_value(json_object_get(json_array_get(json_object_get(exits, "vcpus"), i), key));
}

/* By KVM's own counters, as `nohype exits` has them. */
static json_t *vm_exits(const char *name, const json_t *before, const json_t *after)
{
	json_t *vcpus = json_array();

	for (size_t i = 0; i < json_array_size(json_object_get(after, "vcpus")); i++) {
		json_int_t all = vcpu_number(after, i, "exits") - vcpu_number(before, i, "exits");
		json_int_t host = vcpu_number(after, i, "host") - vcpu_number(before, i, "host");

		json_array_append_new(vcpus,
				      json_pack("{s:I, s:I, s:I, s:I}", "vcpu", (json_int_t)i, "core",
						vcpu_number(after, i, "core"), "host", host, "guest", all - host));
	}
	return json_pack("{s:s, s:o}", "name", name, "vcpus", vcpus);
}

static const char *exit_name(uint32_t isa, uint32_t number, bool *host)
{
	const struct vendor *vendor = vendor_by_isa(isa);
	const struct exit_reason *reason = vendor ? reason_find(vendor, number) : NULL;

	*host = reason && reason->host;
	return reason ? reason->name : NULL;
}

/* What goes on beside the measurement. */
struct beside {
	int signal_fd;
	unsigned int seconds;
	bool shown;		/* the bar */
	const char *vm;		/* or NULL */
	json_t *before, *after; /* its exits */
};

static void edge(void *ctx, bool end)
{
	struct beside *beside = ctx;

	if (!end)
		note("host noise: it is measured from now on, for %u s", beside->seconds);
	if (beside->vm)
		*(end ? &beside->after : &beside->before) = exits_ask(beside->vm);
}

/* Ctrl-C is no error: what was seen until then is the result. */
static bool progress(void *ctx, int64_t done, int64_t ns)
{
	struct beside *beside = ctx;
	struct signalfd_siginfo info;
	int filled = (int)(done * BAR_WIDTH / ns);

	if (read(beside->signal_fd, &info, sizeof(info)) > 0)
		return false;
	if (!isatty(STDERR_FILENO))
		return true;
	beside->shown = true;
	fprintf(stderr, "\rnoise [%.*s%*s] %" PRId64 " of %" PRId64 " s", filled,
		"########################################", BAR_WIDTH - filled, "", done / 1000000000, ns / 1000000000);
	return true;
}

static int signals_take(struct beside *beside)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fail(-errno, "block signals: %s", strerror(errno));
	beside->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return beside->signal_fd < 0 ? fail(-errno, "signalfd: %s", strerror(errno)) : 0;
}

static void vm_print(const json_t *vm)
{
	const json_t *vcpus = json_object_get(vm, "vcpus");

	for (size_t i = 0; i < json_array_size(vcpus); i++) {
		const json_t *vcpu = json_array_get(vcpus, i);

		printf("%s: vCPU %zu on core %" JSON_INTEGER_FORMAT ": exits: %" JSON_INTEGER_FORMAT
		       " by the host, %" JSON_INTEGER_FORMAT " by the guest (KVM's counters)\n",
		       json_string_value(json_object_get(vm, "name")), i,
		       json_integer_value(json_object_get(vcpu, "core")),
		       json_integer_value(json_object_get(vcpu, "host")),
		       json_integer_value(json_object_get(vcpu, "guest")));
	}
}

static void result_print(const struct noise_options *opt, const struct noise *noise, const json_t *vm)
{
	json_t *json;

	if (!opt->json) {
		if (vm)
			vm_print(vm);
		noise_print(noise, stdout);
		return;
	}
	json = noise_json(noise);
	if (vm)
		json_object_set(json, "vm", (json_t *)vm);
	json_dumpf(json, stdout, 0);
	putchar('\n');
	json_decref(json);
}

static int measure(const struct noise_options *opt)
{
	struct beside beside = { .signal_fd = -1, .seconds = opt->seconds, .vm = opt->vm };
	struct noise_request request = { .cores = opt->cores,
					 .ncores = opt->ncores,
					 .ns = (int64_t)opt->seconds * 1000000000,
					 .counters_only = opt->counters_only,
					 .exit_name = exit_name,
					 .progress = progress,
					 .edge = edge,
					 .ctx = &beside };
	struct noise noise = { 0 };
	json_t *vm = NULL;
	int err = signals_take(&beside);

	if (!err)
		err = noise_measure(&request, &noise);
	if (beside.shown)
		fprintf(stderr, "\r\033[K");
	if (beside.before && beside.after)
		vm = vm_exits(opt->vm, beside.before, beside.after);
	if (!err)
		result_print(opt, &noise, vm);
	json_decref(vm);
	json_decref(beside.before);
	json_decref(beside.after);
	noise_free(&noise);
	fd_close(&beside.signal_fd);
	if (err == -ENODEV || err == -ENODATA)
		return EXIT_HOST;
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

int host_noise_main(int argc, char **argv)
{
	struct noise_options opt;

	if (options_take(&opt, argc, argv))
		return EXIT_USAGE;
	if (!opt.counters_only && bystanders_check("switching tracepoints on interrupts every core of the host: "
						   "measure with --counters, or before it is sealed"))
		return EXIT_HOST;
	if (opt.vm && vm_cores(&opt))
		return EXIT_ERROR;
	return measure(&opt);
}

// SPDX-License-Identifier: GPL-2.0-only
/* Prometheus' text format, version 0.0.4. A VM's name has nothing in it that a label must escape. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vmm/system/system.h"

#define PATIENCE_NS INT64_C(4000000000) /* for all supervisors together */

static json_int_t sum(const json_t *vcpus, const char *key)
{
	json_int_t total = 0;
	const json_t *vcpu;
	size_t i;

	json_array_foreach (vcpus, i, vcpu)
		total += json_integer_value(json_object_get(vcpu, key));
	return total;
}

/* Exits of the whole VM, as its supervisor counts them now. */
static void exits_write(struct manager *manager, struct managed *vm, FILE *out)
{
	json_t *live = vm_live_json(manager, vm), *vcpus = json_object_get(live, "vcpus");

	if (!live)
		return;
	fprintf(out, "nohype_vm_exits_total{vm=\"%s\",by=\"host\"} %lld\n", vm->name, (long long)sum(vcpus, "host"));
	fprintf(out, "nohype_vm_exits_total{vm=\"%s\",by=\"guest\"} %lld\n", vm->name,
		(long long)(sum(vcpus, "exits") - sum(vcpus, "host")));
	json_decref(live);
}

char *metrics_text(struct manager *manager, size_t *len)
{
	int64_t until = clock_now() + PATIENCE_NS;
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (!out)
		return NULL;
	fprintf(out,
		"# HELP nohype_build_info The version of nohyped.\n# TYPE nohype_build_info gauge\n"
		"nohype_build_info{version=\"" NOHYPE_VERSION "\"} 1\n"
		"# HELP nohype_events_total Events that there were, ever.\n# TYPE nohype_events_total counter\n"
		"nohype_events_total %lld\n"
		"# HELP nohype_vm_state 1 for the state that the VM is in.\n# TYPE nohype_vm_state gauge\n",
		(long long)manager->last_stored);
	for (unsigned int i = 0; i < manager->count; i++)
		fprintf(out, "nohype_vm_state{vm=\"%s\",state=\"%s\"} 1\n", manager->vms[i]->name,
			manager->vms[i]->state);
	fputs("# HELP nohype_vm_exits_total Exits of a running VM.\n# TYPE nohype_vm_exits_total counter\n", out);
	/* whoever is late is missing, and so are those behind them: orders wait for this */
	for (unsigned int i = 0; i < manager->count && clock_now() < until; i++)
		exits_write(manager, manager->vms[i], out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

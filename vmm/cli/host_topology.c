// SPDX-License-Identifier: GPL-2.0-only
/* `nohype host topology`: what cores there are, where, and who has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/claim.h"
#include "base/exit_code.h"
#include "base/util.h"
#include "memmap/memmap.h"
#include "pinning/host/host.h"
#include "pinning/pinning.h"
#include "vmm/cli/host.h"

struct view {
	struct topology topology;
	struct placement host; /* whose cores are whose, VMs apart */
	struct cpus isolated;  /* in whatever way */
	struct claim_holders holders;
};

static int view_read(struct view *view)
{
	int err = topology_read(&view->topology, NULL);

	if (!err)
		err = placement_host(&view->host);
	if (!err)
		err = cpus_isolated(&view->isolated);
	return err ? err : claims_read(&view->holders, "");
}

static void view_free(struct view *view)
{
	topology_free(&view->topology);
	claims_free(&view->holders);
}

static const char *cpu_kind(const struct view *view, unsigned int cpu)
{
	if (cpus_has(&view->host.partition, cpu))
		return "partition";
	if (cpus_has(&view->host.isolated, cpu))
		return "isolated at boot";
	return cpus_has(&view->isolated, cpu) ? "another's partition" : "host";
}

static const struct claim_holder *cpu_holder(const struct view *view, unsigned int cpu, const struct claim **claim)
{
	char what[CLAIM_WHAT_MAX];

	snprintf(what, sizeof(what), "core %u", cpu);
	return claims_find(&view->holders, what, claim);
}

/* Isolated for us, and no VM's. */
static bool cpu_is_free(const struct view *view, unsigned int cpu)
{
	return (cpus_has(&view->host.partition, cpu) || cpus_has(&view->host.isolated, cpu)) &&
	       !cpu_holder(view, cpu, NULL);
}

static const uint64_t page_sizes[] = { MIB(2), GIB(1) }; /* that guests can have */

/* --- for people --- */

static const char *bytes_text(uint64_t bytes, char text[32])
{
	if (bytes >= GIB(1))
		snprintf(text, 32, "%.1f GiB", (double)bytes / (double)GIB(1));
	else if (bytes >= MIB(1))
		snprintf(text, 32, "%" PRIu64 " MiB", bytes >> 20);
	else
		snprintf(text, 32, "%" PRIu64 " KiB", bytes >> 10);
	return text;
}

static uint64_t node_bytes(const struct topology *topology, unsigned int node)
{
	for (size_t i = 0; i < topology->nnodes; i++)
		if (topology->nodes[i].number == node)
			return topology->nodes[i].bytes;
	return 0;
}

static void pages_print(unsigned int node)
{
	char size[SIZE_TEXT];
	uint64_t all, free;

	for (size_t i = 0; i < ARRAY_SIZE(page_sizes); i++)
		if (hugepages_count(node, page_sizes[i], &all, &free) && all)
			printf(", %" PRIu64 " pages of %s (%" PRIu64 " free)", all, size_exact(size, page_sizes[i]),
			       free);
	putchar('\n');
}

/* What has begun with @place, after @last (NULL: all of it). */
static void headings_print(const struct view *view, const struct cpu_place *last, const struct cpu_place *place)
{
	bool package = !last || last->package != place->package;
	bool node = package || last->node != place->node;
	bool cache = node || last->cache != place->cache;
	char text[32];

	if (package)
		printf("socket %u\n", place->package);
	if (node) {
		printf("|- node %u, %s", place->node, bytes_text(node_bytes(&view->topology, place->node), text));
		pages_print(place->node);
	}
	if (cache && place->cache >= 0)
		printf("|  |- L3 cache %d, %s\n", place->cache, bytes_text(place->cache_bytes, text));
}

static void cpu_print(const struct view *view, const struct cpu_place *last, const struct cpu_place *place)
{
	const struct claim *claim = NULL;
	const struct claim_holder *holder = cpu_holder(view, place->cpu, &claim);
	char core[32] = "";

	if (!last || last->core != place->core)
		snprintf(core, sizeof(core), "core %u", place->core);
	printf("|  |  %s %-10s CPU %-4u %-20s", *core ? "|-" : "| ", core, place->cpu, cpu_kind(view, place->cpu));
	if (holder)
		printf(" %s: %s (process %d of user %u)\n", holder->vm, claim->note, (int)holder->pid,
		       (unsigned int)holder->uid);
	else
		printf(" %s\n", place->cpu == 0 ? "no VM's; boot CPU" : "no VM's");
}

static bool is_core(const struct claim *claim)
{
	return strncmp(claim->what, "core ", 5) == 0;
}

static void rest_print(const struct view *view)
{
	for (size_t i = 0; i < view->holders.count; i++) {
		const struct claim_holder *holder = &view->holders.list[i];

		for (size_t k = 0; k < holder->count; k++) {
			const struct claim *claim = &holder->list[k];

			if (is_core(claim))
				continue;
			printf("%s: %s", holder->vm, claim->what);
			if (claim->mode == CLAIM_PART)
				printf(": %" PRIu64, claim->amount);
			printf("%s%s\n", *claim->note ? ": " : "", claim->note);
		}
	}
}

/* Where none is isolated, nothing. */
static void free_print(const struct view *view)
{
	struct cpus isolated, left = { 0 };
	char *list;

	cpus_or(&isolated, &view->host.partition, &view->host.isolated);
	if (cpus_empty(&isolated))
		return;
	for (size_t i = 0; i < view->topology.count; i++)
		if (cpu_is_free(view, view->topology.list[i].cpu))
			cpus_add(&left, view->topology.list[i].cpu);
	list = cpus_to_list(&left);
	printf("isolated, and no VM's: %s\n", list && *list ? list : "none");
	free(list);
}

static void view_print(const struct view *view)
{
	const struct cpu_place *last = NULL;

	for (size_t i = 0; i < view->topology.count; last = &view->topology.list[i++]) {
		headings_print(view, last, &view->topology.list[i]);
		cpu_print(view, last, &view->topology.list[i]);
	}
	rest_print(view);
	free_print(view);
}

/* --- for programs --- */

static json_t *cpu_json(const struct view *view, const struct cpu_place *place)
{
	const struct claim *claim = NULL;
	const struct claim_holder *holder = cpu_holder(view, place->cpu, &claim);
	json_t *json =
		json_pack("{s:i, s:i, s:i, s:i, s:s}", "cpu", (int)place->cpu, "core", (int)place->core, "socket",
			  (int)place->package, "node", (int)place->node, "kind", cpu_kind(view, place->cpu));

	json_object_set_new(json, "l3", place->cache < 0 ? json_null() : json_integer(place->cache));
	json_object_set_new(json, "vm", holder ? json_string(holder->vm) : json_null());
	json_object_set_new(json, "use", holder ? json_string(claim->note) : json_null());
	return json;
}

static json_t *holder_json(const struct claim_holder *holder)
{
	static const char *const modes[] = {
		[CLAIM_ALONE] = "alone", [CLAIM_SHARED] = "shared", [CLAIM_PART] = "part"
	};
	json_t *claims = json_array();

	for (size_t i = 0; i < holder->count; i++) {
		const struct claim *claim = &holder->list[i];

		json_array_append_new(claims,
				      json_pack("{s:s, s:s, s:I, s:s}", "what", claim->what, "mode", modes[claim->mode],
						"amount", (json_int_t)claim->amount, "use", claim->note));
	}
	return json_pack("{s:s, s:i, s:i, s:o}", "vm", holder->vm, "pid", (int)holder->pid, "uid", (int)holder->uid,
			 "claims", claims);
}

static json_t *pages_json(unsigned int node)
{
	json_t *pages = json_array();
	uint64_t all, free;

	for (size_t i = 0; i < ARRAY_SIZE(page_sizes); i++)
		if (hugepages_count(node, page_sizes[i], &all, &free))
			json_array_append_new(pages, json_pack("{s:I, s:I, s:I}", "size", (json_int_t)page_sizes[i],
							       "all", (json_int_t)all, "free", (json_int_t)free));
	return pages;
}

static json_t *view_json(const struct view *view)
{
	json_t *nodes = json_array(), *cpus = json_array(), *vms = json_array(), *left = json_array();

	for (size_t i = 0; i < view->topology.nnodes; i++)
		json_array_append_new(nodes, json_pack("{s:i, s:I, s:o}", "node", (int)view->topology.nodes[i].number,
						       "bytes", (json_int_t)view->topology.nodes[i].bytes, "pages",
						       pages_json(view->topology.nodes[i].number)));
	for (size_t i = 0; i < view->topology.count; i++) {
		json_array_append_new(cpus, cpu_json(view, &view->topology.list[i]));
		if (cpu_is_free(view, view->topology.list[i].cpu))
			json_array_append_new(left, json_integer(view->topology.list[i].cpu));
	}
	for (size_t i = 0; i < view->holders.count; i++)
		json_array_append_new(vms, holder_json(&view->holders.list[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "nodes", nodes, "cpus", cpus, "vms", vms, "free", left);
}

int host_topology_main(int argc, char **argv)
{
	struct host_options options;
	struct view view = { 0 };
	int err;

	if (!host_options_parse(&options, "j", argc, argv))
		return EXIT_USAGE;
	err = view_read(&view);
	if (!err && options.json)
		host_print_json(view_json(&view));
	else if (!err)
		view_print(&view);
	view_free(&view);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}

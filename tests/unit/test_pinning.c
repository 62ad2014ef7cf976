// SPDX-License-Identifier: GPL-2.0-only
/* Which host cores a VM gets, on hosts as hwloc describes them; and this very machine. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "pinning/pinning.h"
#include "vmm/supervisor/internal.h"

/* Two sockets, a node each, two L3s a node, two cores below each, two threads a core: CPUs 0-15, siblings 0-1, 2-3, ...
 */
#define BIG "package:2 [numa(memory=4GiB)] l3:2 core:2 pu:2"
/* The same as Linux numbers it: the second threads after all first ones. Siblings 0 and 8, 1 and 9, ... */
#define REAL "package:2 [numa(memory=4GiB)] l3:2 core:2 pu:2(indexes=0,8,1,9,2,10,3,11,4,12,5,13,6,14,7,15)"
#define FOUR "package:4 [numa(memory=1GiB)] core:4 pu:1"
#define FLAT "package:1 core:4 pu:1"

static char root[64];

/* The folder of the claims is this test's own. */
static void setup(void)
{
	char path[128];

	strcpy(root, "/tmp/test-pinning.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/run", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/run/nohype", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/run/nohype/claims", root);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", root);
	ck_assert_int_eq(system(command), 0);
}

/* What is asked for, and of what. */
struct ask {
	const char *topology, *partition, *isolated, *allowed; /* lists; NULL: none, and all allowed */
	const char *cores;				       /* NULL: auto */
	unsigned int vcpus;
	enum smt smt;
	int function_node;	  /* 1 more than its number; 0: none */
	const char *memory_nodes; /* a list; NULL: none */
	const char *others;	  /* cores of a VM "web" */
	const char *want;	  /* the cores in their order, and those beside them: "3,1 beside 0,2" */
	const char *message;	  /* or what is said, without "nohype: error: " */
	int err;
};

static void set_make(struct cpus *set, const char *list)
{
	ck_assert_int_eq(cpus_from_list(set, list ? list : ""), 0);
}

static unsigned int wanted_make(const char *list, unsigned int *wanted)
{
	unsigned int count = 0;

	for (const char *c = list; c && *c; c += strcspn(c, ",") + (c[strcspn(c, ",")] == ','))
		wanted[count++] = (unsigned int)atoi(c);
	return count;
}

static struct claims others_take(const char *list)
{
	struct claims claims = CLAIMS_NONE;
	struct claim claim = { .mode = CLAIM_ALONE };
	unsigned int cores[64], count = wanted_make(list, cores);

	claims.root = root;
	ck_assert_int_eq(claims_begin(&claims, "web"), 0);
	for (unsigned int i = 0; i < count; i++) {
		snprintf(claim.what, sizeof(claim.what), "core %u", cores[i]);
		ck_assert_int_eq(claims_add(&claims, &claim, "test"), 0);
	}
	ck_assert_int_eq(claims_commit(&claims), 0);
	return claims;
}

static void result_print(char *text, const unsigned int *cores, unsigned int count, const struct cpus *beside)
{
	char *list = cpus_to_list(beside);

	*text = '\0';
	for (unsigned int i = 0; i < count; i++)
		text += sprintf(text, "%s%u", i ? "," : "", cores[i]);
	if (*list)
		sprintf(text, " beside %s", list);
	free(list);
}

static void asked(const struct ask *ask)
{
	char result[256], message[600], *text;
	struct claims others = others_take(ask->others), claims = CLAIMS_NONE;
	unsigned int wanted[64], nodes[64], cores[256];
	struct placement placement = { .wanted = wanted,
				       .nwanted = wanted_make(ask->cores, wanted),
				       .smt = ask->smt,
				       .function_node = ask->function_node - 1,
				       .memory_nodes = nodes,
				       .nmemory_nodes = wanted_make(ask->memory_nodes, nodes) };
	struct topology topology;
	struct capture cap;
	struct cpus beside;
	int err;

	placement.vcpus = placement.nwanted ? placement.nwanted : ask->vcpus;
	ck_assert_int_eq(topology_read(&topology, ask->topology), 0);
	placement.topology = &topology;
	set_make(&placement.partition, ask->partition);
	set_make(&placement.isolated, ask->isolated);
	set_make(&placement.allowed, ask->allowed);
	if (!ask->allowed)
		topology_cpus(&topology, &placement.allowed);
	claims.root = root;
	ck_assert_int_eq(claims_begin(&claims, "db"), 0);
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = cores_choose(&placement, &claims, cores, &beside);
	text = capture_end(&cap);
	message[0] = '\0';
	if (ask->message) {
		int len = snprintf(message, sizeof(message), "nohype: %s", err ? "error: " : "");

		snprintf(message + len, sizeof(message) - (size_t)len, ask->message, (int)getpid(),
			 (unsigned int)geteuid());
		strcat(message, "\n");
	}
	ck_assert_str_eq(text, message);
	free(text);
	ck_assert_int_eq(err, ask->err);
	if (!err) {
		result_print(result, cores, placement.vcpus, &beside);
		ck_assert_str_eq(result, ask->want);
		ck_assert_int_eq(claims_commit(&claims), 0);
	}
	topology_free(&topology);
	claims_release(&claims);
	claims_release(&others);
}

#define HOLDER "(process %d of user %u)"

static const struct ask asks[] = {
	/* as before there was a topology: isolated first, then the highest */
	{ .topology = FLAT, .vcpus = 1, .want = "3" },
	{ .topology = FLAT, .vcpus = 4, .want = "3,2,1,0" },
	{ .topology = FLAT, .isolated = "1", .vcpus = 2, .want = "1,3" },
	{ .topology = FLAT, .isolated = "1,3,9", .allowed = "0-1", .vcpus = 3, .want = "3,1,0" },
	{ .topology = FLAT,
	  .isolated = "1",
	  .allowed = "0",
	  .vcpus = 3,
	  .err = -ENOSPC,
	  .message = "vcpus: 3: each takes a core of its own, and this host has 2 for it" },
	/* the partition's, all or none */
	{ .topology = FLAT, .partition = "1-2", .allowed = "0,3", .vcpus = 2, .want = "2,1" },
	{ .topology = FLAT, .partition = "1", .isolated = "2", .allowed = "0,3", .vcpus = 1, .want = "1" },
	{ .topology = FLAT, .partition = "1", .allowed = "0,2-3", .vcpus = 2, .want = "3,2" },
	{ .topology = FLAT,
	  .partition = "1-2",
	  .cores = "2,3",
	  .err = -EINVAL,
	  .message = "cores: 3: not of the partition, 1-2, which others of this VM's are: wanted all of them there, or "
		     "none" },
	/* one vCPU a physical core, which is the VM's */
	{ .topology = BIG, .vcpus = 1, .want = "15 beside 14" },
	{ .topology = BIG, .vcpus = 2, .want = "15,13 beside 12,14" },
	{ .topology = REAL, .vcpus = 2, .want = "15,14 beside 6-7" },
	{ .topology = BIG, .vcpus = 3, .want = "15,13,11 beside 10,12,14" },
	{ .topology = BIG, .vcpus = 8, .want = "15,13,11,9,7,5,3,1 beside 0,2,4,6,8,10,12,14" },
	{ .topology = BIG,
	  .vcpus = 9,
	  .err = -ENOSPC,
	  .message =
		  "vcpus: 9: each takes a core of its own, and this host has 8 for it: others are their siblings (smt "
		  "whole-core takes these too)" },
	{ .topology = BIG, .vcpus = 4, .smt = SMT_WHOLE_CORE, .want = "14,15,12,13" },
	{ .topology = REAL, .vcpus = 4, .smt = SMT_WHOLE_CORE, .want = "7,15,6,14" },
	{ .topology = BIG, .vcpus = 3, .smt = SMT_WHOLE_CORE, .want = "14,15,12 beside 13" },
	{ .topology = BIG, .vcpus = 3, .smt = SMT_SHARE, .want = "15,14,13" },
	/* near a function, then near the memory */
	{ .topology = BIG, .vcpus = 1, .function_node = 1, .want = "7 beside 6" },
	{ .topology = BIG, .vcpus = 1, .memory_nodes = "0", .want = "7 beside 6" },
	{ .topology = FOUR, .vcpus = 3, .memory_nodes = "1,2", .want = "11,10,9" },
	{ .topology = FOUR, .vcpus = 5, .memory_nodes = "1,2", .want = "11,10,9,8,7" },
	{ .topology = FOUR, .others = "8,9", .vcpus = 3, .memory_nodes = "2,1", .want = "7,6,5" },
	{ .topology = FOUR, .function_node = 1, .vcpus = 1, .memory_nodes = "1,2", .want = "3" },
	{ .topology = BIG, .vcpus = 1, .function_node = 2, .memory_nodes = "0", .want = "15 beside 14" },
	{ .topology = BIG, .vcpus = 3, .function_node = 1, .want = "7,5,3 beside 2,4,6" },
	/* isolated is worth more than near; whole cores of both */
	{ .topology = BIG, .isolated = "12-15", .vcpus = 1, .function_node = 1, .want = "15 beside 14" },
	{ .topology = BIG, .isolated = "6,14-15", .vcpus = 1, .function_node = 1, .want = "15 beside 14" },
	/* not parted where one node or cache has room */
	{ .topology = BIG, .others = "15,13,11", .vcpus = 2, .want = "7,5 beside 4,6" },
	{ .topology = BIG, .others = "15", .vcpus = 2, .want = "7,5 beside 4,6" },
	{ .topology = BIG, .others = "15", .vcpus = 3, .want = "7,5,3 beside 2,4,6" },
	/* nobody on another's physical core but who shares */
	{ .topology = BIG, .others = "14", .vcpus = 1, .want = "13 beside 12" },
	{ .topology = BIG, .others = "14", .vcpus = 1, .smt = SMT_SHARE, .want = "15" },
	{ .topology = BIG, .others = "14", .cores = "15", .smt = SMT_SHARE, .want = "15" },
	{ .topology = BIG,
	  .others = "14",
	  .cores = "15",
	  .err = -EBUSY,
	  .message =
		  "cores: 15: smt exclude wants its physical core alone, and: core 14 is promised to VM \"web\" " HOLDER
		  ": end that, or ask for another" },
	{ .topology = BIG,
	  .others = "14",
	  .cores = "15",
	  .smt = SMT_WHOLE_CORE,
	  .err = -EBUSY,
	  .message = "cores: 15: smt whole-core wants its physical core alone, and: core 14 is promised to VM "
		     "\"web\" " HOLDER ": end that, or ask for another" },
	{ .topology = FLAT,
	  .others = "2,3",
	  .cores = "1,3",
	  .err = -EBUSY,
	  .message = "cores: 3: core 3 is promised to VM \"web\" " HOLDER ": end that, or ask for another" },
	{ .topology = FLAT, .others = "3,2", .vcpus = 2, .want = "1,0" },
	{ .topology = FLAT,
	  .others = "3,2",
	  .vcpus = 3,
	  .err = -EBUSY,
	  .message =
		  "vcpus: 3: each takes a core of its own, and this host has 2 left for it: core 3 is promised to VM "
		  "\"web\" " HOLDER },
	/* lists */
	{ .topology = BIG, .cores = "9,3,5", .want = "9,3,5 beside 2,4,8" },
	{ .topology = BIG,
	  .cores = "3,2",
	  .err = -EINVAL,
	  .message = "cores: 3 and 2 are threads of one physical core, of which smt exclude takes one: leave one out, "
		     "or say "
		     "smt whole-core" },
	{ .topology = BIG, .cores = "3,2", .smt = SMT_WHOLE_CORE, .want = "3,2" },
	{ .topology = BIG,
	  .cores = "3,2,5",
	  .smt = SMT_WHOLE_CORE,
	  .err = -EINVAL,
	  .message = "cores: 5: its sibling 4 is missing, and smt whole-core wants all threads of a core: name that "
		     "too, or "
		     "say smt exclude" },
	{ .topology = BIG, .cores = "3,2,5", .smt = SMT_SHARE, .want = "3,2,5" },
	{ .topology = FLAT,
	  .cores = "0",
	  .want = "0",
	  .message = "warning: cores: 0: what can't be moved of the host's own work stays on it" },
	{ .topology = FLAT,
	  .cores = "1,4",
	  .err = -ENODEV,
	  .message = "cores: 4: no such core is online on this host (it has 0-3)" },
	{ .topology = "core:4 pu:1(indexes=0,2,5,7)",
	  .cores = "5,6",
	  .err = -ENODEV,
	  .message = "cores: 6: no such core is online on this host (it has 0,2,5,7)" },
	{ .topology = "core:4 pu:1(indexes=0,2,5,7)", .vcpus = 3, .want = "7,5,2" },
	{ .topology = FLAT,
	  .cores = "8191",
	  .err = -ENODEV,
	  .message = "cores: 8191: no such core is online on this host (it has 0-3)" },
};

START_TEST(placed)
{
	asked(&asks[_i]);
}
END_TEST

/* A number of the kernel's below the test's folder. */
static void number_make(const char *folder, int number)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s/%s && echo %d >%s/%s/numa_node", root, folder, number, root,
		 folder);
	ck_assert_int_eq(system(command), 0);
}

/* The node of a function: of one that is named, of a card by its interface or address, the first that has one. */
START_TEST(near)
{
	const struct function_request all[] = {
		{ .kind = FUNCTION_NETWORK, .pf = "virtual0" },
		{ .kind = FUNCTION_PCI, .address = "0000:02:00.0" },
		{ .kind = FUNCTION_NETWORK, .pf = "enp1s0" },
		{ .kind = FUNCTION_NETWORK, .pf = "03:00.1" },
		{ .kind = FUNCTION_PCI, .address = "0000:09:00.0" },
		{ .kind = FUNCTION_NVME, .controller = "nvme0" },
		{ .kind = FUNCTION_NVME, .controller = "0000:03:00.1" },
	};

	number_make("bus/pci/devices/0000:02:00.0", -1);
	number_make("class/net/enp1s0/device", 1);
	number_make("bus/pci/devices/0000:03:00.1", 2);
	ck_assert_int_eq(near_functions(root, all, 0), -1);
	ck_assert_int_eq(near_functions(root, all, 2), -1);
	ck_assert_int_eq(near_functions(root, all, 5), 1);
	ck_assert_int_eq(near_functions(root, all + 2, 1), 1);
	ck_assert_int_eq(near_functions(root, all + 3, 2), 2);
	ck_assert_int_eq(near_functions(root, all + 4, 1), -1);
	ck_assert_int_eq(near_functions(root, all + 5, 1), -1);
	ck_assert_int_eq(near_functions(root, all + 6, 1), 2);
	number_make("class/nvme/nvme0", 3);
	ck_assert_int_eq(near_functions(root, all + 5, 1), 3);
	number_make("bus/pci/devices/0000:02:00.0", 0);
	ck_assert_int_eq(near_functions(root, all, 5), 0);
}
END_TEST

/* This very machine, without any disguise: what may be used and is there, and no more. */
START_TEST(this_host)
{
	struct placement placement = { .vcpus = 1, .function_node = -1 };
	struct claims claims = CLAIMS_NONE;
	struct topology topology;
	struct cpus beside, online;
	unsigned int core;
	cpu_set_t one;

	ck_assert_int_eq(topology_read(&topology, NULL), 0);
	placement.topology = &topology;
	topology_cpus(&topology, &online);
	ck_assert_uint_eq(cpus_count(&online), (unsigned int)sysconf(_SC_NPROCESSORS_ONLN));
	ck_assert_int_eq(placement_host(&placement), 0);
	claims.root = root;
	ck_assert_int_eq(claims_begin(&claims, "here"), 0);
	ck_assert_int_eq(cores_choose(&placement, &claims, &core, &beside), 0);
	CPU_ZERO(&one);
	CPU_SET(core, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	claims_release(&claims);
	topology_free(&topology);
}
END_TEST

START_TEST(lists)
{
	const char *list = "0-2,10,12-13";
	unsigned long first, last;

	ck_assert(cpu_list_next(&list, &first, &last) && first == 0 && last == 2);
	ck_assert(cpu_list_next(&list, &first, &last) && first == 10 && last == 10);
	ck_assert(cpu_list_next(&list, &first, &last) && first == 12 && last == 13);
	ck_assert(!cpu_list_next(&list, &first, &last));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pinning");
	TCase *tc = tcase_create("pinning");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, placed, 0, ARRAY_SIZE(asks));
	tcase_add_test(tc, near);
	tcase_add_test(tc, this_host);
	tcase_add_test(tc, lists);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/* A VM's share of caches and bandwidth, on the simulated resctrl of tests/resctrl: planned, made, read back, undone. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/capture.h"
#include "base/util.h"
#include "pinning/resctrl/resctrl.h"
#include "tests/unit/simulation.h"

#define SNAPSHOT_MAX 16384

static char host[64], state[128]; /* of a host whose CPUs 0 and 1 are below one L3 cache, and 2 and 3 below another */

__attribute__((format(printf, 2, 3))) static void file_make(const char *text, const char *fmt, ...)
{
	char path[256], command[512];
	va_list ap;
	FILE *file;

	va_start(ap, fmt);
	snprintf(path, sizeof(path), "%s/", host);
	vsnprintf(path + strlen(path), sizeof(path) - strlen(path), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", path);
	ck_assert_int_eq(system(command), 0);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void mounts_make(const char *options)
{
	char text[256];

	snprintf(text, sizeof(text), "proc /proc proc rw 0 0\nresctrl %s resctrl %s 0 0\n", folder, options);
	file_make(text, "proc/self/mounts");
}

static void host_make(void)
{
	char text[32];

	strcpy(host, "/tmp/test-life.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(host));
	snprintf(state, sizeof(state), "%s/run/nohype", host);
	file_make("", "run/nohype/claims/.lock");
	file_make("", "sys/fs/resctrl/schemata");
	mounts_make("rw");
	for (int cpu = 0; cpu < 4; cpu++) {
		file_make("2\n", "sys/devices/system/cpu/cpu%d/cache/index2/level", cpu);
		file_make("3\n", "sys/devices/system/cpu/cpu%d/cache/index3/level", cpu);
		snprintf(text, sizeof(text), "%d\n", cpu);
		file_make(text, "sys/devices/system/cpu/cpu%d/cache/index2/id", cpu);
		file_make(text, "sys/devices/system/cpu/cpu%d/cache/index2/shared_cpu_list", cpu);
		snprintf(text, sizeof(text), "%d\n", cpu / 2);
		file_make(text, "sys/devices/system/cpu/cpu%d/cache/index3/id", cpu);
		file_make(cpu < 2 ? "0-1\n" : "2-3\n", "sys/devices/system/cpu/cpu%d/cache/index3/shared_cpu_list",
			  cpu);
	}
}

static void setup(void)
{
	simulation_begin("");
	host_make();
}

static void setup_l2(void)
{
	simulation_begin("l2");
	host_make();
}

static void setup_cdp(void)
{
	simulation_begin("cdp unmonitored");
	host_make();
}

static void teardown(void)
{
	char command[128];

	simulation_end();
	snprintf(command, sizeof(command), "rm -r %s", host);
	ck_assert_int_eq(system(command), 0);
}

/* --- what is there --- */

static bool shows(const char *path, const char *wanted)
{
	char text[SCHEMATA_MAX] = "";

	return resctrl_read(root, path, text, sizeof(text)) >= 0 && strstr(text, wanted);
}

static void snapshot_file(char *text, const char *group, const char *file)
{
	char path[256], content[SCHEMATA_MAX] = "?";
	size_t used = strlen(text);

	snprintf(path, sizeof(path), "%s/%s", group, file);
	resctrl_read(root, path, content, sizeof(content));
	snprintf(text + used, SNAPSHOT_MAX - used, "%s:\n%s", path, content);
}

static void snapshot_group(char *text, const char *group)
{
	snapshot_file(text, group, "schemata");
	snapshot_file(text, group, "mode");
	snapshot_file(text, group, "tasks");
}

/* All groups, with what they hold; and what is recorded. */
static char *snapshot(void)
{
	char *text = calloc(1, SNAPSHOT_MAX);
	const char *const folders[] = { folder, state };

	snapshot_group(text, ".");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		struct dirent **list;
		int count = scandir(folders[i], &list, NULL, alphasort);

		ck_assert_int_ge(count, 0);
		for (int k = 0; k < count; k++) {
			const char *name = list[k]->d_name;

			if (i == 0 && !strchr(".ismt", *name)) {
				snapshot_group(text, name);
			} else if (strcmp(name, "resctrl.lock") != 0) {
				snprintf(text + strlen(text), SNAPSHOT_MAX - strlen(text), "%s\n", name);
			}
			free(list[k]);
		}
		free(list);
	}
	return text;
}

static void unchanged(char *before, const char *what, int which)
{
	char *now = snapshot();

	ck_assert_msg(strcmp(before, now) == 0, "%s %d: before:\n%s\nnow:\n%s", what, which, before, now);
	free(now);
}

/* --- VMs --- */

static const unsigned int cores[] = { 0, 1, 2, 3 };

struct test_vm {
	struct claims claims;
	struct cache_group group;
	struct cache_user user;
};

static const struct cache_wanted four_ways = { .l3 = { SHARE_WAYS, 4 } };

/* On @count cores from @first on. */
static int vm_plan(struct test_vm *vm, const char *name, const struct cache_wanted *wanted, unsigned int first,
		   unsigned int count)
{
	int err;

	vm->user = (struct cache_user){
		.vm = name, .cores = cores + first, .ncores = count, .host = host, .state = state
	};
	vm->claims = CLAIMS_NONE;
	vm->claims.root = host;
	vm->group = CACHE_GROUP_NONE;
	err = claims_begin(&vm->claims, name);
	if (!err)
		err = cache_plan(&vm->group, wanted, &vm->user, &vm->claims);
	return err ? err : claims_commit(&vm->claims);
}

static void vm_end(struct test_vm *vm)
{
	cache_give_back(&vm->group);
	cache_close(&vm->group);
	claims_release(&vm->claims);
}

static void vm_start(struct test_vm *vm, const char *name, const struct cache_wanted *wanted, unsigned int first,
		     unsigned int count)
{
	ck_assert_int_eq(vm_plan(vm, name, wanted, first, count), 0);
	ck_assert_int_eq(cache_take(&vm->group), 0);
}

/* Planning is refused so, and leaves nothing. */
static void refused(const struct cache_wanted *wanted, unsigned int first, const char *message)
{
	char *before = snapshot(), *said;
	struct test_vm vm;
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = vm_plan(&vm, "late", wanted, first, 1);
	said = capture_end(&cap);
	ck_assert_int_lt(err, 0);
	ck_assert_ptr_nonnull(said);
	ck_assert_msg(strcmp(said, message) == 0, "found:  %swanted: %s", said, message);
	free(said);
	vm_end(&vm);
	unchanged(before, "refused", 0);
	free(before);
}

static void evidence_is(const struct test_vm *vm, pid_t tid, bool held, const char *wanted)
{
	char text[400];

	ck_assert_int_eq(cache_evidence(&vm->group, &tid, tid ? 1 : 0, text, sizeof(text)), held);
	ck_assert_str_eq(text, wanted);
}

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s: %s", path, text,
		      strerror(errno));
	close(fd);
}

/* --- tests --- */

START_TEST(whole_life)
{
	const struct cache_wanted wanted = { .l3 = { SHARE_PERCENT, 30 }, .bandwidth = { SHARE_PERCENT, 25 } };
	char *before = snapshot();
	struct cache_use use;
	struct test_vm vm;

	vm_start(&vm, "a", &wanted, 1, 1);
	/* the highest ways that no device fills; of the other cache as little as can be */
	ck_assert(shows("nohype-a/schemata", "L3:0=3c0;1=3\n"));
	ck_assert(shows("nohype-a/schemata", "MB:0=   30;1=  100\n"));
	ck_assert(shows("schemata", "L3:0=3f;1=fff\n"));
	evidence_is(&vm, 0, true, "simulated: group nohype-a, L3 0: ways 3c0, bandwidth 0: at most 30");
	evidence_is(&vm, getpid(), false,
		    "simulated: group nohype-a, L3 0: ways 3c0, bandwidth 0: at most 30, 0 vCPUs of 1");
	ck_assert_int_eq(cache_add(&vm.group, getpid()), 0);
	evidence_is(&vm, getpid(), true, "simulated: group nohype-a, L3 0: ways 3c0, bandwidth 0: at most 30, 1 vCPU");
	ck_assert_int_eq(cache_monitor(&vm.group, 0, "", &use), 0);
	ck_assert_uint_eq(use.cache, 0);
	ck_assert_int_eq(use.values[CACHE_OCCUPANCY], 131072);
	ck_assert_int_eq(use.values[CACHE_TOTAL], 98304000);
	ck_assert_int_eq(use.values[CACHE_LOCAL], -1); /* this host has no such counter: that isn't 0 */
	/* CPU 0 would be interrupted to read it */
	ck_assert_int_eq(cache_monitor(&vm.group, 0, "0-1", &use), -EBUSY);
	ck_assert_int_eq(cache_monitor(&vm.group, 0, "?", &use), -EBUSY);
	ck_assert_int_eq(use.values[CACHE_OCCUPANCY], -1);
	vm_end(&vm);
	/* a thread that hasn't ended is the host's again */
	put("tasks", "0\n");
	ck_assert(!shows("nohype-a/schemata", ""));
	ck_assert(shows("schemata", "L3:0=fff;1=fff\n"));
	free(before);
}
END_TEST

START_TEST(nothing_asked)
{
	const struct cache_wanted none = { 0 };
	char *before = snapshot();
	struct test_vm vm;

	mounts_make("rw");
	vm_start(&vm, "a", &none, 0, 4);
	ck_assert_int_lt(vm.group.root, 0);
	vm_end(&vm);
	unchanged(before, "nothing asked", 0);
	free(before);
}
END_TEST

/* Two side by side, whose ends come in the order of their starts: the host has one piece meanwhile. */
START_TEST(two_vms)
{
	const struct cache_wanted three = { .l3 = { SHARE_WAYS, 3 } };
	char *before = snapshot();
	struct test_vm a, b;

	vm_start(&a, "a", &four_ways, 0, 1);
	vm_start(&b, "b", &three, 1, 2); /* below both caches */
	ck_assert(shows("nohype-a/schemata", "L3:0=3c0;1=3\n"));
	ck_assert(shows("nohype-b/schemata", "L3:0=38;1=380\n"));
	ck_assert(shows("schemata", "L3:0=7;1=7f\n"));
	evidence_is(&a, 0, true, "simulated: group nohype-a, L3 0: ways 3c0");
	evidence_is(&b, 0, true, "simulated: group nohype-b, L3 0: ways 38, L3 1: ways 380");
	vm_end(&a);
	ck_assert(shows("schemata", "L3:0=fc0;1=7f\n"));
	evidence_is(&b, 0, true, "simulated: group nohype-b, L3 0: ways 38, L3 1: ways 380");
	vm_end(&b);
	unchanged(before, "two VMs", 0);
	free(before);
}
END_TEST

START_TEST(second_is_refused)
{
	const struct cache_wanted eight = { .l3 = { SHARE_WAYS, 8 }, .bandwidth = { SHARE_PERCENT, 60 } };
	const struct cache_wanted half = { .bandwidth = { SHARE_PERCENT, 50 } };
	char message[512];
	struct test_vm a, b;

	vm_start(&a, "a", &eight, 0, 1);
	snprintf(
		message, sizeof(message),
		"nohype: error: l3: 4 ways: cache 0 hasn't as many left in one piece, with some for the host: l3 0 way "
		"9 is promised to VM \"a\" (process %d of user %u)\n",
		(int)getpid(), (unsigned int)geteuid());
	refused(&four_ways, 1, message);
	snprintf(message, sizeof(message),
		 "nohype: error: memory_bandwidth: bandwidth 0: 50 wanted, and of 100 others have 60, VM \"a\" "
		 "(process %d of user %u) among them\n",
		 (int)getpid(), (unsigned int)geteuid());
	refused(&half, 1, message);
	/* another cache has its own */
	ck_assert_int_eq(vm_plan(&b, "b", &four_ways, 2, 2), 0);
	vm_end(&b);
	vm_end(&a);
}
END_TEST

START_TEST(what_the_host_cannot_do)
{
	const struct cache_wanted l2 = { .l2 = { SHARE_WAYS, 1 } }, many = { .l3 = { SHARE_WAYS, 13 } };
	const struct cache_wanted all = { .l3 = { SHARE_PERCENT, 100 } }, low = { .bandwidth = { SHARE_PERCENT, 9 } };
	const struct cache_wanted mbps = { .bandwidth = { SHARE_MBPS, 500 } };
	const struct cache_wanted percent = { .bandwidth = { SHARE_PERCENT, 20 } };

	refused(&l2, 0,
		"nohype: error: l2: this host's L2 can't be shared out (resctrl's info/L2: No such file or directory): "
		"leave it out\n");
	refused(&many, 0, "nohype: error: l3: 13 ways: this host's L3 has 12 ways\n");
	refused(&all, 0, "nohype: error: l3: 12 ways: cache 0 can't give as many: some must be the host's\n");
	refused(&low, 0, "nohype: error: memory_bandwidth: 9%: this processor's least is 10%\n");
	refused(&mbps, 0,
		"nohype: error: memory_bandwidth: 500MB/s: resctrl counts MB/s only if it is mounted with mba_MBps: "
		"wanted a percentage, as \"20%\"\n");
	mounts_make("rw,mba_MBps");
	refused(&percent, 0,
		"nohype: error: memory_bandwidth: 20%: resctrl is mounted with mba_MBps here: wanted MB/s, as "
		"\"500MB/s\"\n");
	mounts_make("rw");
	file_make("", "proc/self/mounts");
	refused(&four_ways, 0,
		"nohype: error: l3: resctrl isn't mounted: wanted it (mount -t resctrl resctrl /sys/fs/resctrl)\n");
	mounts_make("rw");
	file_make("7\n", "sys/devices/system/cpu/cpu1/cache/index3/id");
	refused(&four_ways, 1,
		"nohype: error: l3: cache 7, which the VM's cores use, isn't among those that resctrl shares out\n");
	refused(&percent, 1,
		"nohype: error: memory_bandwidth: cache 7, which the VM's cores use, isn't among those that resctrl "
		"shares "
		"out\n");
	file_make("", "sys/devices/system/cpu/cpu1/cache/index3/level");
	refused(&four_ways, 1,
		"nohype: error: l3: which L3 cache these cores use isn't known: No such file or directory\n");
}
END_TEST

START_TEST(no_resctrl)
{
	char command[128];

	file_make("", "proc/self/mounts");
	snprintf(command, sizeof(command), "rm -r %s/sys/fs", host);
	ck_assert_int_eq(system(command), 0);
	refused(&four_ways, 0,
		"nohype: error: l3: this host has no resctrl (/sys/fs/resctrl isn't there): its processor or kernel "
		"can't share out caches and bandwidth: leave it out\n");
}
END_TEST

/* A group that isn't ours keeps what it has. */
START_TEST(others_group)
{
	struct test_vm vm;

	ck_assert_int_eq(group_make(root, "mine"), 0);
	refused(&four_ways, 0,
		"nohype: error: l3: 4 ways: cache 0 hasn't as many left in one piece, with some for the host: other "
		"groups of resctrl have ways fff, \"mine\" among them: make them smaller, or ask for less\n");
	put("mine/schemata", "L3:0=3c0\n");
	vm_start(&vm, "a", &four_ways, 0, 1);
	ck_assert(shows("nohype-a/schemata", "L3:0=3c;"));
	ck_assert(shows("schemata", "L3:0=fc0;1=fff\n"));
	ck_assert(shows("mine/schemata", "L3:0=3c0;"));
	vm_end(&vm);
	ck_assert(shows("schemata", "L3:0=fff;1=fff\n"));
	ck_assert(shows("mine/schemata", "L3:0=3c0;"));
}
END_TEST

/* What somebody else has set of the host's own is left so. */
START_TEST(changed_meanwhile)
{
	struct test_vm vm;

	vm_start(&vm, "a", &four_ways, 0, 1);
	put("schemata", "L3:0=f\n");
	vm_end(&vm);
	ck_assert(shows("schemata", "L3:0=f;1=fff\n"));
}
END_TEST

START_TEST(evidence_against)
{
	struct test_vm vm;

	vm_start(&vm, "a", &four_ways, 0, 1);
	put("schemata", "L3:0=7f\n");
	evidence_is(&vm, 0, false, "simulated: group nohype-a, L3 0: ways 3c0, some of them \"the host's\" too");
	put("schemata", "L3:0=3f\n");
	evidence_is(&vm, 0, true, "simulated: group nohype-a, L3 0: ways 3c0");
	ck_assert_int_eq(group_make(root, "other"), 0);
	evidence_is(&vm, 0, false, "simulated: group nohype-a, L3 0: ways 3c0, some of them \"other\" too");
	ck_assert_int_eq(group_remove(root, "other"), 0);
	put("nohype-a/schemata", "L3:0=3\n");
	evidence_is(&vm, 0, false, "simulated: group nohype-a, L3 0: ways 3 and not 3c0");
	ck_assert_int_eq(group_remove(root, "nohype-a"), 0);
	evidence_is(&vm, 0, false, "simulated: group nohype-a: its schemata can't be read");
	vm_end(&vm);
	ck_assert(shows("schemata", "L3:0=fff;1=fff\n"));
}
END_TEST

START_TEST(exclusive)
{
	const struct cache_wanted wanted = { .l3 = { SHARE_WAYS, 4 }, .exclusive = true };
	const struct cache_wanted eleven = { .l3 = { SHARE_WAYS, 11 }, .exclusive = true };
	char *before = snapshot();
	struct test_vm vm;

	refused(&eleven, 0,
		"nohype: error: l3: 11 ways: cache 0 can't give as many: some must be the host's, and those that "
		"devices fill too can't be had exclusively\n");
	vm_start(&vm, "a", &wanted, 0, 1);
	ck_assert(shows("nohype-a/mode", "exclusive"));
	ck_assert(shows("nohype-a/schemata", "L3:0=3c0;1=300\n"));
	ck_assert(shows("schemata", "L3:0=3f;1=ff\n"));
	evidence_is(&vm, 0, true, "simulated: group nohype-a, L3 0: ways 3c0, exclusive");
	/* the kernel refuses everyone else these ways */
	ck_assert_int_eq(group_make(root, "other"), 0);
	ck_assert_int_eq(group_set(root, "other",
				   &(struct schemata_line){ .name = "L3", .count = 1, .domains = { { 0, 0xc0 } } }),
			 -EINVAL);
	ck_assert_int_eq(group_remove(root, "other"), 0);
	put("nohype-a/mode", "shareable\n");
	evidence_is(&vm, 0, false, "simulated: group nohype-a, L3 0: ways 3c0, no longer exclusive");
	vm_end(&vm);
	unchanged(before, "exclusive", 0);
	free(before);
}
END_TEST

START_TEST(both_levels)
{
	const struct cache_wanted l3 = { .l3 = { SHARE_WAYS, 4 }, .exclusive = true };
	const struct cache_wanted l2 = { .l2 = { SHARE_PERCENT, 50 } };
	const struct cache_wanted both = { .l3 = { SHARE_WAYS, 4 }, .l2 = { SHARE_WAYS, 2 }, .exclusive = true };
	char *before = snapshot();
	struct test_vm vm;

	refused(&l3, 0,
		"nohype: error: cache_exclusive: this host shares out its L2 too, of which the kernel wants a part to "
		"be exclusive as well: wanted l2\n");
	vm_start(&vm, "a", &l2, 0, 2);
	ck_assert(shows("nohype-a/schemata", "L2:0=f0;1=f0;2=3;3=3\n"));
	ck_assert(shows("nohype-a/schemata", "L3:0=fff;1=3\n")); /* of its own L3 all that the host has */
	ck_assert(shows("schemata", "L2:0=f;1=f;2=ff;3=ff\n"));
	vm_end(&vm);
	unchanged(before, "l2", 0);
	vm_start(&vm, "a", &both, 1, 1);
	ck_assert(shows("nohype-a/schemata", "L2:0=c0;1=c0;2=c0;3=c0\n"));
	ck_assert(shows("nohype-a/mode", "exclusive"));
	vm_end(&vm);
	unchanged(before, "both", 0);
	free(before);
}
END_TEST

START_TEST(code_and_data)
{
	char *before = snapshot();
	struct cache_use use;
	struct test_vm vm;

	vm_start(&vm, "a", &four_ways, 0, 1);
	ck_assert(shows("nohype-a/schemata", "L3CODE:0=3c0;1=3\n"));
	ck_assert(shows("nohype-a/schemata", "L3DATA:0=3c0;1=3\n"));
	ck_assert(shows("schemata", "L3CODE:0=3f;1=fff\n"));
	ck_assert(shows("schemata", "L3DATA:0=3f;1=fff\n"));
	ck_assert_int_eq(cache_monitor(&vm.group, 0, "", &use), -ENOENT);
	ck_assert_int_eq(use.values[CACHE_OCCUPANCY], -1);
	vm_end(&vm);
	unchanged(before, "code and data", 0);
	free(before);
}
END_TEST

/* The simulation's next changes go wrong: nothing is left of what was done until then. */
static void failures_of(const struct cache_wanted *wanted, int least)
{
	char *before = snapshot(), text[32];
	struct test_vm vm;
	int step = 1, err;

	for (;; step++) {
		ck_assert_int_eq(vm_plan(&vm, "a", wanted, 0, 2), 0);
		snprintf(text, sizeof(text), "fail %d\n", step);
		put("fail", text);
		err = cache_take(&vm.group);
		put("fail", "none\n");
		if (!err)
			break;
		ck_assert_int_lt(vm.group.record_fd, 0);
		vm_end(&vm);
		unchanged(before, "failure at change", step);
	}
	ck_assert_int_gt(step, least);
	vm_end(&vm);
	unchanged(before, "no failure", step);
	free(before);
}

START_TEST(failure_at_each_step)
{
	const struct cache_wanted all = { .l3 = { SHARE_WAYS, 4 },
					  .bandwidth = { SHARE_PERCENT, 20 },
					  .exclusive = true };

	/* the group, the host's part of two caches, its own two lines, its mode */
	failures_of(&all, 6);
}
END_TEST

/* No group is left, or no room for the record: nothing happened. */
START_TEST(refused_by_the_kernel)
{
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct rlimit old;
	char *before;
	struct test_vm vm;

	for (int i = 0; i < 3; i++) {
		char name[16], line[32];

		snprintf(name, sizeof(name), "g%d", i);
		ck_assert_int_eq(group_make(root, name), 0);
		snprintf(line, sizeof(line), "%s/schemata", name);
		put(line, "L3:0=3;1=3\n");
	}
	before = snapshot();
	ck_assert_int_eq(vm_plan(&vm, "a", &four_ways, 0, 1), 0);
	ck_assert_int_eq(cache_take(&vm.group), -ENOSPC);
	vm_end(&vm);
	unchanged(before, "no group", 0);
	ck_assert_int_eq(group_remove(root, "g0"), 0);
	free(before);
	before = snapshot();
	ck_assert_int_eq(vm_plan(&vm, "a", &four_ways, 0, 1), 0);
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(cache_take(&vm.group), -EFBIG);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	vm_end(&vm);
	unchanged(before, "no room", 0);
	free(before);
}
END_TEST

/* From start to end in a process that is killed when it makes its @step-th change. False: it came to its end. */
static bool life_until(int step, const struct cache_wanted *wanted)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct test_vm vm;
		char text[32];

		if (vm_plan(&vm, "killed", wanted, 0, 2))
			_exit(3);
		snprintf(text, sizeof(text), "kill %d\n", step);
		put("fail", text);
		if (cache_take(&vm.group))
			_exit(4);
		vm_end(&vm);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	put("fail", "none\n");
	if (WIFEXITED(status))
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

START_TEST(killed_at_each_step)
{
	const struct cache_wanted wanted = { .l3 = { SHARE_WAYS, 4 },
					     .bandwidth = { SHARE_PERCENT, 20 },
					     .exclusive = true };
	char *before = snapshot();
	unsigned int groups, found = 0;
	int step = 1;

	for (; life_until(step, &wanted); step++) {
		ck_assert_int_eq(cache_recover(host, state, &groups), 0);
		found += groups;
		unchanged(before, "killed at change", step);
		ck_assert_int_eq(cache_recover(host, state, &groups), 0);
		ck_assert_uint_eq(groups, 0);
	}
	ck_assert_int_gt(step, 9); /* as many as fail, and the way back */
	ck_assert_uint_ge(found, 6);
	unchanged(before, "not killed", step);
	free(before);
}
END_TEST

/* Of the dead alone; the next VM finds it as well. */
START_TEST(leftovers)
{
	const struct cache_wanted low_ways = { .l3 = { SHARE_WAYS, 10 } }, two_ways = { .l3 = { SHARE_WAYS, 2 } };
	char *before = snapshot();
	unsigned int groups = 9;
	struct test_vm living;

	/* what the dead had is in nobody's way, also before it is found */
	ck_assert(life_until(3, &low_ways));
	ck_assert_int_eq(group_make(root, "hers"), 0);
	put("hers/schemata", "L3:0=3ff;1=3\n");
	ck_assert_int_eq(vm_plan(&living, "living", &two_ways, 0, 1), 0);
	vm_end(&living);
	ck_assert_int_eq(group_remove(root, "hers"), 0);
	vm_start(&living, "living", &four_ways, 2, 1);
	ck_assert(shows("schemata", "L3:0=fff;1=3f\n"));
	/* without its record a group of that name is a leftover too; one of another name isn't */
	ck_assert_int_eq(group_make(root, "nohype-lost"), 0);
	ck_assert_int_eq(group_make(root, "hers"), 0);
	ck_assert_int_eq(cache_recover(host, state, &groups), 0);
	ck_assert_uint_eq(groups, 1);
	ck_assert(!shows("nohype-lost/schemata", ""));
	ck_assert(shows("hers/schemata", ""));
	ck_assert(shows("nohype-living/schemata", "1=3c0"));
	ck_assert_int_eq(group_remove(root, "hers"), 0);
	vm_end(&living);
	unchanged(before, "leftovers", 0);
	free(before);
}
END_TEST

/* A name is one VM's: two users could have one each. */
START_TEST(same_name)
{
	struct test_vm a, b;

	vm_start(&a, "a", &four_ways, 0, 1);
	ck_assert_int_eq(vm_plan(&b, "a", &four_ways, 2, 1), 0);
	ck_assert_int_eq(cache_take(&b.group), -EEXIST);
	evidence_is(&a, 0, true, "simulated: group nohype-a, L3 0: ways 3c0");
	vm_end(&b);
	evidence_is(&a, 0, true, "simulated: group nohype-a, L3 0: ways 3c0");
	vm_end(&a);
}
END_TEST

static void case_add(Suite *suite, const char *name, void (*begin)(void), const TTest *const *tests)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, begin, teardown);
	tcase_set_timeout(tc, 60);
	for (; *tests; tests++)
		tcase_add_test(tc, *tests);
	suite_add_tcase(suite, tc);
}

int main(void)
{
	Suite *suite = suite_create("a VM's share of caches (simulated)");
	SRunner *runner = srunner_create(suite);
	int failed;

	case_add(suite, "L3 and bandwidth (simulated)", setup,
		 (const TTest *[]){ whole_life, nothing_asked, two_vms, second_is_refused, what_the_host_cannot_do,
				    no_resctrl, others_group, changed_meanwhile, evidence_against, exclusive,
				    failure_at_each_step, refused_by_the_kernel, killed_at_each_step, leftovers,
				    same_name, NULL });
	case_add(suite, "L2 too (simulated)", setup_l2, (const TTest *[]){ both_levels, NULL });
	case_add(suite, "code and data apart (simulated)", setup_cdp, (const TTest *[]){ code_and_data, NULL });
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

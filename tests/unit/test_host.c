// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking cores from the host: sets of CPUs, the journal, plans on a made-up host's files, and, where a partition was
 * made (tests/e2e/host-runs), entering it.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "base/file.h"
#include "pinning/host/internal.h"
#include "pinning/host/task.h"

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

/* --- sets of CPUs --- */

static const struct {
	const char *list, *mask; /* as the kernel has them */
	const char *ours_list, *ours_mask;
} sets[] = {
	{ "", "0", "", "0" },
	{ "\n", "00000000\n", "", "0" },
	{ "0\n", "1\n", "0", "1" },
	{ "0-3", "0000000f", "0-3", "f" },
	{ "0-1,3", "b", "0-1,3", "b" },
	{ "0,1,2,3", "F", "0-3", "f" },
	{ "31-32", "1,80000000", "31-32", "1,80000000" },
	{ "63-64,127", "80000000,00000001,80000000,00000000", "63-64,127", "80000000,00000001,80000000,00000000" },
};

START_TEST(cpus_spelled)
{
	struct cpus list, mask;
	char *text;

	ck_assert_int_eq(cpus_from_list(&list, sets[_i].list), 0);
	text = cpus_to_list(&list);
	ck_assert_str_eq(text, sets[_i].ours_list);
	free(text);
	text = cpus_to_mask(&list);
	ck_assert_str_eq(text, sets[_i].ours_mask);
	ck_assert_int_eq(cpus_from_mask(&mask, text), 0);
	free(text);
	ck_assert(cpus_equal(&list, &mask));
}
END_TEST

START_TEST(mask_of_kernel)
{
	struct cpus list, mask;

	ck_assert_int_eq(cpus_from_list(&list, sets[_i].ours_list), 0);
	ck_assert_int_eq(cpus_from_mask(&mask, sets[_i].mask), 0);
	ck_assert(cpus_equal(&list, &mask));
}
END_TEST

static const char *const bad_lists[] = { "a",	"1,",	",1",	  "1-",	 "-1",	"1--2",
					 "3-1", "8192", "0-8192", "1 2", "1;2", "(null)" };
static const char *const bad_masks[] = { "", "\n", "g", "0x1", "1 1", "-1" };

START_TEST(cpus_bad)
{
	struct cpus set;

	for (size_t i = 0; i < ARRAY_SIZE(bad_lists); i++)
		ck_assert_msg(cpus_from_list(&set, bad_lists[i]) == -EINVAL, "\"%s\" was taken", bad_lists[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad_masks); i++)
		ck_assert_msg(cpus_from_mask(&set, bad_masks[i]) == -EINVAL, "\"%s\" was taken", bad_masks[i]);
}
END_TEST

/* --- the journal --- */

static char folder[] = "/tmp/test-host.XXXXXX";

static void folder_make(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void folder_remove(void)
{
	char *command = text_make("rm -rf %s", folder);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

static void put(const char *path, const char *text)
{
	char *whole = text_make("%s/%s", folder, path), *slash = whole + strlen(folder);
	FILE *file;

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
	free(whole);
}

static char *get(const char *path)
{
	char *whole = text_make("%s/%s", folder, path), *text = file_get(whole);

	free(whole);
	return text;
}

static void is(const char *path, const char *wanted)
{
	char *text = get(path);

	ck_assert_msg(text && strcmp(text, wanted) == 0, "%s: found %s, wanted %s", path, text ? text : "nothing",
		      wanted);
	free(text);
}

static struct journal journal_make(void)
{
	struct journal journal = { .boot = BOOT, .pid = 12, .uid = 3, .time = 1700000000, .cores = strdup("2-3") };
	const struct change changes[] = {
		{ CHANGE_MASK, SUBJECT_INTERRUPTS, 1, 0, strdup("/a"), strdup("0-3"), strdup("0-1"),
		  strdup("eth0 rx") },
		{ CHANGE_TEXT, SUBJECT_PARTITION, 0, 0, strdup("/b"), strdup(""), strdup("isolated"), strdup("") },
		{ CHANGE_TASK, SUBJECT_TASKS, 8, 1234567890123, strdup("/proc/7"), strdup("1"), strdup("1"),
		  strdup("a b)\\n") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		ck_assert_int_eq(changes_add(&journal.changes, &changes[i]), 0);
	return journal;
}

/* As it lies in the file; its length. */
static char *journal_bytes(size_t *len)
{
	struct journal journal = journal_make();
	char *path = text_make("%s/host.journal", folder), *text;
	FILE *file;

	ck_assert_int_eq(journal_write(&journal, folder), 0);
	journal_free(&journal);
	file = fopen(path, "r");
	text = calloc(1, 65536);
	*len = fread(text, 1, 65535, file);
	fclose(file);
	free(path);
	return text;
}

static int parse_quietly(struct journal *journal, const char *text, size_t len, const char *boot, char **said)
{
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = journal_parse(journal, text, len, boot, "J");
	*said = capture_end(&cap);
	return err;
}

static void parsed(const char *text, size_t len, const char *boot, int wanted, const char *message)
{
	struct journal journal;
	char *said;
	int err = parse_quietly(&journal, text, len, boot, &said);

	ck_assert_msg(err == wanted, "%d, wanted %d, of %zu bytes", err, wanted, len);
	if (message)
		ck_assert_str_eq(said, message);
	free(said);
	journal_free(&journal);
}

#define CUT \
	"nohype: error: host: journal: \"J\": cut or altered: nohype host undo --force restores what it still tells\n"

START_TEST(journal_back)
{
	struct journal journal, wanted = journal_make();
	size_t len;
	char *text = journal_bytes(&len), *said;

	ck_assert_int_eq(parse_quietly(&journal, text, len, BOOT, &said), 0);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(journal.pid, 12);
	ck_assert_uint_eq(journal.uid, 3);
	ck_assert_int_eq(journal.time, 1700000000);
	ck_assert_str_eq(journal.cores, "2-3");
	ck_assert(!journal.applied);
	ck_assert_uint_eq(journal.changes.count, wanted.changes.count);
	for (size_t i = 0; i < wanted.changes.count; i++) {
		const struct change *a = &journal.changes.list[i], *b = &wanted.changes.list[i];

		ck_assert_int_eq(a->kind, b->kind);
		ck_assert_int_eq(a->subject, b->subject);
		ck_assert_uint_eq(a->flags, b->flags);
		ck_assert_uint_eq(a->start, b->start);
		ck_assert_str_eq(a->path, b->path);
		ck_assert_str_eq(a->old, b->old);
		ck_assert_str_eq(a->new, b->new);
		ck_assert_str_eq(a->detail, b->detail);
	}
	journal_free(&journal);
	journal_free(&wanted);
	free(said);
	free(text);
}
END_TEST

START_TEST(journal_cut)
{
	size_t len;
	char *text = journal_bytes(&len);

	for (size_t cut = 0; cut < len; cut++)
		parsed(text, cut, BOOT, -EBADMSG, CUT);
	parsed(text, len, BOOT, 0, "");
	free(text);
}
END_TEST

START_TEST(journal_altered)
{
	size_t len;
	char *text = journal_bytes(&len), *longer, *said;
	struct journal journal;

	for (size_t at = 0; at < len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			text[at] = (char)(text[at] ^ 1 << bit);
			ck_assert_msg(parse_quietly(&journal, text, len, BOOT, &said), "bit %d of byte %zu", bit, at);
			free(said);
			journal_free(&journal);
			text[at] = (char)(text[at] ^ 1 << bit);
		}
	}
	longer = text_make("%s\n", text);
	parsed(longer, len + 1, BOOT, -EBADMSG, CUT);
	free(longer);
	free(text);
}
END_TEST

START_TEST(journal_of_others)
{
	size_t len;
	char *text = journal_bytes(&len), *newer;

	parsed(text, len, "11234567-89ab-cdef-0123-456789abcdef", -ESTALE, "");
	newer = text_make("nohype host journal 3\nwhatever\n");
	parsed(newer, strlen(newer), BOOT, -EPROTO,
	       "nohype: error: host: journal: \"J\": of version 3, wanted 2: undo it with the nohype that made it\n");
	parsed("hello\n", 6, BOOT, -EBADMSG, CUT);
	parsed("", 0, BOOT, -EBADMSG, CUT);
	free(newer);
	free(text);
}
END_TEST

/* --- a made-up host --- */

static void host_make(void)
{
	put("sys/devices/system/cpu/online", "0-3\n");
	put("sys/devices/system/cpu/possible", "0-3\n");
	put("sys/devices/system/cpu/isolated", "\n");
	put("sys/devices/system/cpu/nohz_full", "3\n");
	put("proc/sys/kernel/random/boot_id", BOOT "\n");
	put("proc/irq/default_smp_affinity", "f\n");
	put("proc/irq/10/smp_affinity_list", "0-3\n");
	put("proc/irq/10/eth0/x", "");
	put("proc/irq/2/smp_affinity_list", "3\n");
	put("proc/irq/2/disk/x", "");
	put("proc/irq/3/smp_affinity_list", "0-1\n");
	put("proc/irq/3/usb/x", "");
	put("proc/irq/4/smp_affinity_list", "0-3\n"); /* nobody's */
	put("sys/class/net/eth0/queues/rx-0/rps_cpus", "c\n");
	put("sys/class/net/eth0/queues/tx-0/xps_cpus", "6\n");
	for (int cpu = 0; cpu < 4; cpu++) {
		char *path = text_make("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);

		put(path, "schedutil\n");
		free(path);
	}
	put("sys/devices/system/cpu/cpu2/cpufreq/scaling_available_governors", "performance schedutil\n");
	put("sys/devices/system/cpu/cpu2/cpufreq/affected_cpus", "2\n");
	put("sys/devices/system/cpu/cpu3/cpufreq/scaling_available_governors", "performance schedutil\n");
	put("sys/devices/system/cpu/cpu3/cpufreq/affected_cpus", "1 3\n");
	put("sys/devices/system/cpu/cpu2/cpuidle/state1/latency", "1\n");
	put("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "0\n");
	put("sys/devices/system/cpu/cpu2/cpuidle/state2/latency", "18\n");
	put("sys/devices/system/cpu/cpu2/cpuidle/state2/name", "C2\n");
	put("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "0\n");
	put("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "1,3\n");
	put("state/x", "");
}

static bool host_says(const struct host *host, const char *part)
{
	for (size_t i = 0; i < host->lacking.count; i++)
		if (strstr(host->lacking.list[i], part))
			return true;
	return false;
}

static void values_are_old(void)
{
	is("proc/irq/default_smp_affinity", "f");
	is("proc/irq/10/smp_affinity_list", "0-3");
	is("proc/irq/2/smp_affinity_list", "3");
	is("sys/class/net/eth0/queues/rx-0/rps_cpus", "c");
	is("sys/class/net/eth0/queues/tx-0/xps_cpus", "6");
	is("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "schedutil");
	is("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "0");
}

static void values_are_new(void)
{
	is("proc/irq/default_smp_affinity", "3");
	is("proc/irq/10/smp_affinity_list", "0-1");
	is("proc/irq/2/smp_affinity_list", "0-1");
	is("proc/irq/3/smp_affinity_list", "0-1");
	is("proc/irq/4/smp_affinity_list", "0-3");
	is("sys/class/net/eth0/queues/rx-0/rps_cpus", "0");
	is("sys/class/net/eth0/queues/tx-0/xps_cpus", "2");
	is("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil");
	is("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance");
	is("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "schedutil"); /* core 1 has the same */
	is("sys/devices/system/cpu/cpu2/cpuidle/state1/disable", "0");
	is("sys/devices/system/cpu/cpu2/cpuidle/state2/disable", "1");
}

static const unsigned int taken[] = { 2, 3 };

START_TEST(plan_of_files)
{
	char *state = text_make("%s/state", folder);
	struct undone undone;
	struct host host;

	host_make();
	ck_assert_int_eq(host_plan(&host, folder, taken, 2), 0);
	values_are_old();
	ck_assert_uint_eq(host.changes.count, 7);
	ck_assert(host_says(&host, "cgroup v2 isn't mounted"));
	ck_assert(host_says(&host, "core 3 has its frequency"));
	ck_assert(host_says(&host, "core 3 shares its physical core with 1"));
	ck_assert_uint_eq(host.nwords, 1);
	ck_assert_str_eq(host.words[0].word, "nohz_full=2-3");
	ck_assert_int_eq(host_apply(&host, state), 0);
	host_free(&host);
	values_are_new();
	ck_assert_int_eq(host_undo(&undone, state, folder, false), 0);
	ck_assert_uint_eq(undone.counts[OUTCOME_DONE], 7);
	undone_free(&undone);
	values_are_old();
	ck_assert_int_eq(host_undo(&undone, state, folder, false), -ENOENT);
	undone_free(&undone);
	free(state);
}
END_TEST

/* The journal says what was, and each value tells by itself how far things had come. */
START_TEST(undo_from_anywhere)
{
	char *state = text_make("%s/state", folder);
	struct undone undone;
	struct host host;

	host_make();
	ck_assert_int_eq(host_plan(&host, folder, taken, 2), 0);
	ck_assert_int_eq(host_apply(&host, state), 0);
	host_free(&host);
	put("proc/irq/10/smp_affinity_list", "0-3\n"); /* undone already */
	put("proc/irq/2/smp_affinity_list", "0\n");    /* someone else's */
	put("sys/devices/system/cpu/cpu2/cpufreq/x", "");
	free(state);
	state = text_make("%s/sys/devices/system/cpu/cpu2/cpuidle/state2/disable", folder);
	unlink(state);
	free(state);
	state = text_make("%s/state", folder);
	ck_assert_int_eq(host_undo(&undone, state, folder, false), 0);
	ck_assert_uint_eq(undone.counts[OUTCOME_DONE], 4);
	ck_assert_uint_eq(undone.counts[OUTCOME_ALREADY], 1);
	ck_assert_uint_eq(undone.counts[OUTCOME_LEFT], 1);
	ck_assert_uint_eq(undone.counts[OUTCOME_GONE], 1);
	undone_free(&undone);
	is("proc/irq/2/smp_affinity_list", "0");
	is("proc/irq/default_smp_affinity", "f");
	free(state);
}
END_TEST

START_TEST(cut_journal_by_force)
{
	char *state = text_make("%s/state", folder), *journal;
	struct undone undone;
	struct host host;

	host_make();
	ck_assert_int_eq(host_plan(&host, folder, taken, 2), 0);
	ck_assert_int_eq(host_apply(&host, state), 0);
	host_free(&host);
	journal = get("state/host.journal");
	*strstr(journal, "\nend ") = '\0'; /* and the last change's newline */
	put("state/host.journal", journal);
	ck_assert_int_eq(host_undo(&undone, state, folder, false), -EBADMSG);
	undone_free(&undone);
	is("proc/irq/default_smp_affinity", "3");
	ck_assert_int_eq(host_undo(&undone, state, folder, true), 0);
	ck_assert_uint_eq(undone.counts[OUTCOME_DONE], 6);
	undone_free(&undone);
	is("proc/irq/default_smp_affinity", "f");
	free(journal);
	free(state);
}
END_TEST

static const struct {
	unsigned int core;
	int err;
	const char *message;
} bad_cores[] = {
	{ 0, -EINVAL, "the host keeps the core that it booted on" },
	{ 4, -ENODEV, "host: cores: 4: this host has no such core (it has 0-2)" },
	{ 8191, -ENODEV, "no such core" },
	{ 3, -ENODEV, "host: cores: 3: is offline (online: 0-2)" },
};

START_TEST(cores_refused)
{
	struct capture cap;
	struct host host;
	char *said;
	int err;

	host_make();
	put("sys/devices/system/cpu/online", "0-2\n");
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = host_plan(&host, folder, &bad_cores[_i].core, 1);
	said = capture_end(&cap);
	host_free(&host);
	ck_assert_int_eq(err, bad_cores[_i].err);
	ck_assert_ptr_nonnull(strstr(said, bad_cores[_i].message));
	free(said);
}
END_TEST

START_TEST(cgroup_found)
{
	char *found =
		cgroup_find("proc /proc proc rw 0 0\ncgroup /c cgroup rw 0 0\ncgroup2 /c/unified cgroup2 rw 0 0\n");

	ck_assert_str_eq(found, "/c/unified");
	free(found);
	ck_assert_ptr_null(cgroup_find(""));
	ck_assert_ptr_null(cgroup_find("cgroup2 /cgroup2 tmpfs rw 0 0\nx"));
}
END_TEST

/* --- a partition, where one was made: HOST_PARTITION is a core of it --- */

static void *thread_tell(void *context)
{
	*(pid_t *)context = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static void cpus_are(pid_t pid, pid_t tid, unsigned int core, bool meet, bool within)
{
	char *path = text_make("/proc/%d/task/%d", (int)pid, (int)tid);
	struct cpus partition = { 0 };
	struct task task;

	cpus_add(&partition, core);
	ck_assert_int_eq(task_read(&task, path), 0);
	ck_assert_int_eq(cpus_meet(&task.cpus, &partition), meet);
	if (within)
		ck_assert(cpus_has(&task.cpus, core) && !cpus_has(&task.cpus, 0));
	free(path);
}

START_TEST(partition_is_entered)
{
	const char *text = getenv("HOST_PARTITION");
	unsigned int core = text ? (unsigned int)atoi(text) : 0, boot = 0;
	volatile pid_t tid = 0;
	struct cpus isolated;
	pthread_t thread;
	cpu_set_t set;

	if (!text)
		return;
	ck_assert_int_eq(cpus_isolated(&isolated), 0);
	ck_assert(cpus_has(&isolated, core) && !cpus_has(&isolated, 0));
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_tell, (void *)&tid), 0);
	while (!tid)
		usleep(1000);
	ck_assert_int_eq(sched_setaffinity(tid, sizeof(set), &set), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(partition_enter(getpid(), &boot, 1), 0);
	ck_assert_int_eq(partition_enter_thread(getpid(), tid, &core, 1), 1);
	cpus_are(getpid(), tid, core, true, true);
	cpus_are(getpid(), getpid(), core, false, false);
	ck_assert_int_eq(sched_setaffinity(tid, sizeof(set), &set), 0);
	ck_assert_int_eq(partition_enter(getpid(), &core, 1), 1);
	cpus_are(getpid(), getpid(), core, true, true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");
	TCase *tc = tcase_create("host"), *files = tcase_create("files");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, cpus_spelled, 0, ARRAY_SIZE(sets));
	tcase_add_loop_test(tc, mask_of_kernel, 0, ARRAY_SIZE(sets));
	tcase_add_test(tc, cpus_bad);
	tcase_add_test(tc, cgroup_found);
	tcase_add_test(tc, partition_is_entered);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(files, folder_make, folder_remove);
	tcase_add_test(files, journal_back);
	tcase_add_test(files, journal_cut);
	tcase_add_test(files, journal_altered);
	tcase_add_test(files, journal_of_others);
	tcase_add_test(files, plan_of_files);
	tcase_add_test(files, undo_from_anywhere);
	tcase_add_test(files, cut_journal_by_force);
	tcase_add_loop_test(files, cores_refused, 0, ARRAY_SIZE(bad_cores));
	tcase_set_timeout(files, 60);
	suite_add_tcase(suite, files);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

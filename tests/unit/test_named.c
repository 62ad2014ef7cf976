// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory in a file with a name: which folders it may be in, that it outlives a killed holder with what is in it, and
 * who then clears it. Wants root, as it mounts hugetlbfs (in a namespace of its own), and some huge pages.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/file.h"
#include "memmap/memmap.h"

#define SIZE	   MIB(4)
#define PAGES_FREE "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

static char top[] = "/tmp/test-named-XXXXXX";
static char folder[96], state[64], file[128], record[96];

static unsigned int pages_free(void)
{
	char *text = file_get(PAGES_FREE);
	unsigned int count = text ? (unsigned int)strtoul(text, NULL, 10) : 0;

	free(text);
	return count;
}

/* A mount with these options at top/mnt, and all names below it. False: it can't be had here. */
static bool mount_begin(const char *options)
{
	char path[64];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	strcpy(top, "/tmp/test-named-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(path, sizeof(path), "%s/mnt", top);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	if (mount("none", path, "hugetlbfs", 0, options)) {
		rmdir(path);
		rmdir(top);
		return false;
	}
	snprintf(folder, sizeof(folder), "%s/vms", path);
	snprintf(state, sizeof(state), "%s/state", top);
	snprintf(file, sizeof(file), "%s/web", folder);
	snprintf(record, sizeof(record), "%s/memory.web", state);
	return true;
}

static bool pages_begin(void)
{
	return pages_free() >= SIZE / MIB(2) && mount_begin("pagesize=2M");
}

static void mount_end(void)
{
	char command[128];

	snprintf(command, sizeof(command), "umount -l %s/mnt; rm -r %s", top, top);
	ck_assert_int_eq(system(command), 0);
}

static struct memory_request request(void)
{
	struct memory_request req = {
		.page_size = MIB(2),
		.layout = { .size = SIZE, .count = 1, .ranges = { { .size = SIZE, .kind = MEMORY_RAM } } },
		.place = { .folder = folder, .file = "web", .state = state }
	};

	return req;
}

/* memory_check, if it can know, and memory_reserve must refuse with this, and leave no record. */
static void refused(int err, bool checked, const char *wanted)
{
	struct memory_request req = request();
	struct capture cap;
	struct memory mem;
	char *text;

	for (int i = !checked; i < 2; i++) {
		ck_assert_int_eq(capture_begin(&cap), 0);
		ck_assert_int_eq(i ? memory_reserve(&mem, &req) : memory_check(&req), err);
		text = capture_end(&cap);
		ck_assert_msg(strstr(text, wanted), "found:  %swanted: %s", text, wanted);
		free(text);
	}
	ck_assert_int_eq(access(record, F_OK), -1);
}

START_TEST(folders)
{
	char elsewhere[64], link[64];

	if (!mount_begin("pagesize=2M"))
		return;
	snprintf(elsewhere, sizeof(elsewhere), "%s/state", top);
	ck_assert_int_eq(mkdir(elsewhere, 0700), 0);
	snprintf(link, sizeof(link), "%s/link", top);
	strcpy(state, elsewhere);

	snprintf(folder, sizeof(folder), "%s/absent/vms", top);
	refused(-ENOENT, true, "/absent/vms\": No such file or directory\n");
	strcpy(folder, elsewhere);
	refused(-EINVAL, true,
		"/state\": isn't in a hugetlbfs mount: wanted one with pages of 2M: `mount -t hugetlbfs");
	snprintf(folder, sizeof(folder), "%s/new", elsewhere);
	refused(-EINVAL, true, "/state/new\": isn't in a hugetlbfs mount: ");
	ck_assert_int_eq(access(folder, F_OK), -1);
	snprintf(folder, sizeof(folder), "%s/mnt", top);
	ck_assert_int_eq(symlink(folder, link), 0);
	strcpy(folder, link);
	refused(-ELOOP, true, "/link\": a symbolic link is in it: wanted the path that it leads to\n");
	snprintf(folder, sizeof(folder), "%s/vms", link);
	refused(-ELOOP, true, "/link/vms\": a symbolic link is in it: ");
	snprintf(folder, sizeof(folder), "%s/mnt/file", top);
	close(open(folder, O_RDWR | O_CREAT, 0600));
	refused(-ENOTDIR, true, "/mnt/file\": Not a directory\n");
	mount_end();
}
END_TEST

START_TEST(folders_of_others)
{
	if (!mount_begin("pagesize=2M"))
		return;
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	ck_assert_int_eq(chmod(folder, 0770), 0);
	refused(-EPERM, true,
		"others may write to its folder: wanted one of the user who starts the VM, with mode 0700, in one of "
		"that user or root that others can't write to\n");
	ck_assert_int_eq(chmod(folder, 0702), 0);
	refused(-EPERM, true, "others may write to its folder: ");
	ck_assert_int_eq(chmod(folder, 0700) || chown(folder, 1000, 1000), 0);
	refused(-EPERM, true, "its folder is another user's: ");
	mount_end();
}
END_TEST

/* The mount's own folder is the one above: who may write there could put another in its place. Sticky, nobody could. */
START_TEST(folders_in_those_of_others)
{
	char above[64];

	if (!mount_begin("pagesize=2M"))
		return;
	snprintf(above, sizeof(above), "%s/mnt", top);
	for (int there = 0; there < 2; there++) {
		ck_assert_int_eq(chmod(above, 0770), 0);
		refused(-EPERM, true, "others may rename its folder: wanted one of the user who starts the VM, ");
		ck_assert_int_eq(chmod(above, 0777), 0);
		refused(-EPERM, true, "others may rename its folder: ");
		ck_assert_int_eq(chmod(above, 0755) || chown(above, 1000, 1000), 0);
		refused(-EPERM, true, "others may rename its folder: ");
		ck_assert_int_eq(chown(above, 0, 0), 0);
		ck_assert_int_eq(access(folder, F_OK), there - 1); /* and not made either */
		ck_assert_int_eq(there || !mkdir(folder, 0700), 1);
	}
	mount_end();
}
END_TEST

START_TEST(mounts)
{
	if (mount_begin("pagesize=1G")) {
		refused(-EINVAL, true,
			"its mount's pages are of 1G: wanted memory.page_size's, 2M: `mount -t hugetlbfs");
		mount_end();
	}
	if (mount_begin("pagesize=2M,size=2M")) {
		refused(-ENOSPC, true, "its mount has room for 2 MiB: wanted 4\n");
		mount_end();
	}
}
END_TEST

/* As a memfd, but for its name: and both that and the folder are nobody else's. */
START_TEST(made)
{
	unsigned int before = pages_free();
	struct memory_request req = request();
	struct memory mem;
	struct stat st;

	if (!pages_begin())
		return;
	ck_assert_int_eq(memory_check(&req), 0);
	ck_assert_int_eq(access(folder, F_OK), -1);
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_uint_eq(pages_free(), before - SIZE / MIB(2));
	ck_assert_int_eq(stat(folder, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(stat(file, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(st.st_size, SIZE);
	ck_assert_int_eq(access(record, F_OK), 0);
	ck_assert_int_eq(memory_map(&mem), 0);
	for (uint64_t at = 0; at < SIZE; at += KIB(4))
		ck_assert_uint_eq(mem.host[at], 0);
	memory_release(&mem);
	ck_assert_int_eq(access(file, F_OK), -1);
	ck_assert_int_eq(access(record, F_OK), -1);
	ck_assert_uint_eq(pages_free(), before);
	mount_end();
}
END_TEST

START_TEST(size_is_out_of_reach)
{
	struct memory_request req = request();
	struct memory mem;
	char other[sizeof(folder) + 8];

	if (!pages_begin())
		return;
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), NULL);
	ck_assert_int_eq(chmod(file, 0640), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), "others may open its file");
	ck_assert_int_eq(chmod(file, 0600), 0);
	snprintf(other, sizeof(other), "%s/other", folder);
	ck_assert_int_eq(link(file, other), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), "its file has not one name");
	ck_assert_int_eq(unlink(other), 0);
	ck_assert_int_eq(chmod(folder, 0720), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), "others may write to its folder");
	snprintf(other, sizeof(other), "%s/mnt", top);
	ck_assert_int_eq(chmod(folder, 0700) || chmod(other, 0777), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), "others may rename its folder");
	ck_assert_int_eq(chmod(other, 01777), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), NULL);
	ck_assert_int_eq(truncate(file, MIB(2)), 0);
	ck_assert_pstr_eq(memory_resizable(&mem), "the size of its file isn't what it was");
	memory_release(&mem);
	mount_end();
}
END_TEST

START_TEST(anothers_file)
{
	if (!pages_begin())
		return;
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	close(open(file, O_RDWR | O_CREAT, 0600));
	refused(-EEXIST, false, "/vms/web\": is there already, and of no VM that was killed: wanted it removed, or");
	ck_assert_int_eq(access(file, F_OK), 0);
	mount_end();
}
END_TEST

/* A holder that has written a secret into it, and waits; a child of it has the memory mapped until @also is closed. */
static pid_t holder_start(const int *also)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct memory_request req = request();
		struct memory mem;

		if (memory_reserve(&mem, &req) || memory_map(&mem))
			_exit(1);
		memcpy(mem.host + SIZE - 4096, "secret", 6);
		if (also && fork() == 0) {
			void *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, mem.fd, 0);

			/* the mapping is all that it has */
			dup2(also[0], 100);
			dup2(ready[1], 101);
			close_range(3, 99, 0);
			close_range(102, ~0U, 0);
			if (map == MAP_FAILED || write(101, "", 1) != 1)
				_exit(1);
			close(101);
			_exit(read(100, &byte, 1) ? 1 : 0);
		}
		if (!also && write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void holder_kill(pid_t pid)
{
	int status;

	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
}

/* What the file has where the secret was. */
static bool has_secret(int fd)
{
	char *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	bool has, zero = true;

	ck_assert_ptr_ne(map, MAP_FAILED);
	has = memcmp(map + SIZE - 4096, "secret", 6) == 0;
	for (uint64_t at = 0; at < SIZE; at++)
		zero = zero && !map[at];
	munmap(map, SIZE);
	ck_assert_int_eq(zero, !has);
	return has;
}

START_TEST(outlives_who_is_killed)
{
	unsigned int before = pages_free();
	struct memory_cleared cleared;
	pid_t pid;
	int fd;

	if (!pages_begin())
		return;
	pid = holder_start(NULL);
	fd = open(file, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(memory_recover(state, "web", 0, &cleared), 0); /* it lives */
	ck_assert(has_secret(fd));
	holder_kill(pid);
	ck_assert(has_secret(fd));
	ck_assert_int_eq(memory_recover(state, "db", 0, &cleared), 0);
	ck_assert_int_eq(memory_recover(state, "web", pid + 1, &cleared), 0);
	ck_assert(has_secret(fd));
	ck_assert_int_eq(memory_recover(state, "web", pid, &cleared), 1);
	ck_assert_uint_eq(cleared.bytes, SIZE);
	ck_assert(!has_secret(fd));
	close(fd);
	ck_assert_int_eq(access(file, F_OK), -1);
	ck_assert_int_eq(access(record, F_OK), -1);
	ck_assert_uint_eq(pages_free(), before);
	ck_assert_int_eq(memory_recover(state, "web", 0, &cleared), 0);
	mount_end();
}
END_TEST

static void *close_later(void *fd)
{
	usleep(300000);
	close(*(int *)fd);
	return NULL;
}

/* As the core manager, which the kernel kills with its supervisor, a moment later. */
START_TEST(waits_for_who_maps_it)
{
	struct memory_cleared cleared;
	pthread_t later;
	int also[2];

	if (!pages_begin())
		return;
	ck_assert_int_eq(pipe2(also, O_CLOEXEC), 0);
	holder_kill(holder_start(also));
	ck_assert_int_eq(pthread_create(&later, NULL, close_later, &also[1]), 0);
	ck_assert_int_eq(memory_recover(state, "web", 0, &cleared), 1);
	ck_assert_int_eq(fcntl(also[1], F_GETFD), -1); /* not before */
	pthread_join(later, NULL);
	mount_end();
}
END_TEST

static void count_one(void *context, const char *name, pid_t pid)
{
	ck_assert_str_eq(name, "web");
	ck_assert_int_gt(pid, 0);
	++*(int *)context;
}

static int left_count(void)
{
	int count = 0;

	ck_assert_int_eq(memory_left_each(state, count_one, &count), 0);
	return count;
}

/* For nohyped, which clears by itself; and of a living one there is none. */
START_TEST(open_and_remove)
{
	pid_t pid;
	int fd;

	if (!pages_begin())
		return;
	pid = holder_start(NULL);
	ck_assert_int_eq(memory_left_open(state, "web", pid), -ENOENT);
	memory_left_remove(state, "web", pid);
	ck_assert_int_eq(access(file, F_OK), 0);
	ck_assert_int_eq(left_count(), 0);
	holder_kill(pid);
	ck_assert_int_eq(left_count(), 1);
	fd = memory_left_open(state, "web", pid);
	ck_assert_int_ge(fd, 0);
	ck_assert(has_secret(fd));
	close(fd);
	memory_left_remove(state, "web", pid);
	ck_assert_int_eq(access(file, F_OK), -1);
	ck_assert_int_eq(left_count(), 0);
	mount_end();
}
END_TEST

/* Another has its name by now: not ours to clear. */
START_TEST(replaced)
{
	struct memory_cleared cleared;
	int fd;

	if (!pages_begin())
		return;
	holder_kill(holder_start(NULL));
	ck_assert_int_eq(unlink(file), 0);
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert_int_eq(memory_recover(state, "web", 0, &cleared), 0);
	ck_assert_int_eq(access(file, F_OK), 0);
	ck_assert_int_eq(access(record, F_OK), -1);
	close(fd);
	mount_end();
}
END_TEST

/* One that could not be cleared stays, for the next try. */
START_TEST(left_by_its_holder)
{
	struct memory_request req = request();
	struct memory_cleared cleared;
	struct memory mem;

	if (!pages_begin())
		return;
	ck_assert_int_eq(memory_reserve(&mem, &req), 0);
	ck_assert_str_eq(memory_leave(&mem), file);
	memory_release(&mem);
	ck_assert_int_eq(access(file, F_OK), 0);
	ck_assert_int_eq(memory_recover(state, "web", getpid(), &cleared), 1);
	ck_assert_int_eq(access(file, F_OK), -1);
	mount_end();
}
END_TEST

static void record_write(const char *text)
{
	FILE *out = fopen(record, "we");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

/* Killed before there was a file; of another boot. */
START_TEST(records)
{
	char boot[BOOT_ID_SIZE], text[512];
	struct memory_cleared cleared;
	struct stat st;

	if (!mount_begin("pagesize=2M"))
		return;
	ck_assert_int_eq(mkdir(state, 0700) || mkdir(folder, 0700), 0);
	ck_assert_int_eq(boot_id_read(boot, ""), 0);
	snprintf(text, sizeof(text), "nohype memory 1\nboot %s\npid 7\nclear 0\nfolder %s\n", boot, folder);
	record_write(text);
	ck_assert_int_eq(memory_recover(state, "web", 7, &cleared), 0);
	ck_assert_int_eq(access(record, F_OK), -1);

	record_write(text); /* and before its number was told */
	close(open(file, O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(memory_recover(state, "web", 7, &cleared), 0);
	ck_assert_int_eq(access(file, F_OK), -1);

	close(open(file, O_RDWR | O_CREAT, 0600));
	ck_assert_int_eq(stat(file, &st), 0);
	snprintf(text, sizeof(text), "nohype memory 1\nboot another\npid 7\nclear 0\nfolder %s\ninode %llu\n", folder,
		 (unsigned long long)st.st_ino);
	record_write(text);
	ck_assert_int_eq(memory_recover(state, "web", 7, &cleared), 0);
	ck_assert_int_eq(access(file, F_OK), 0);
	ck_assert_int_eq(access(record, F_OK), -1);

	mount_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("named");
	TCase *tc = tcase_create("named");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, folders);
	tcase_add_test(tc, folders_of_others);
	tcase_add_test(tc, folders_in_those_of_others);
	tcase_add_test(tc, mounts);
	tcase_add_test(tc, made);
	tcase_add_test(tc, size_is_out_of_reach);
	tcase_add_test(tc, anothers_file);
	tcase_add_test(tc, outlives_who_is_killed);
	tcase_add_test(tc, waits_for_who_maps_it);
	tcase_add_test(tc, open_and_remove);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, left_by_its_holder);
	tcase_add_test(tc, records);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

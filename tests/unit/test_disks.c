// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images into memory and out of it: each format, each way in which a file can be bad, each lock, and a process that is
 * killed at each of its steps. The files are made by the formats' own programs.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "disks/disks.h"
#include "disks/internal.h"

#define CONTENT MIB(6)

static char folder[] = "/tmp/nohype-disks-XXXXXX";

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void folder_enter(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void folder_leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	run(command);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* Something that can be told from all else, with holes: 1 MiB of bytes, 3 of nothing, 1 of bytes, 1 of nothing. */
static void content_make(uint8_t *bytes, unsigned int seed)
{
	uint64_t x = seed * 2 + 1;

	memset(bytes, 0, CONTENT);
	for (uint64_t i = 0; i < CONTENT; i++) {
		x = x * 6364136223846793005 + 1442695040888963407;
		if (i < MIB(1) || (i >= MIB(4) && i < MIB(5)))
			bytes[i] = (uint8_t)(x >> 56) | 1;
	}
}

static void file_write(const char *path, const uint8_t *bytes, uint64_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	for (uint64_t at = 0; at < size; at += KIB(64))
		if (bytes[at] && pwrite(fd, bytes + at, MIN(size - at, KIB(64)), (off_t)at) < 0)
			ck_abort_msg("%s: %s", path, strerror(errno));
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static uint8_t *image_make(const char *path, unsigned int seed)
{
	uint8_t *bytes = malloc(CONTENT);

	ck_assert_ptr_nonnull(bytes);
	content_make(bytes, seed);
	file_write(path, bytes, CONTENT);
	return bytes;
}

static bool file_is(const char *path, const uint8_t *wanted, uint64_t size)
{
	uint8_t *found = calloc(1, size + 1);
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, found, size + 1);
	bool same = len == (ssize_t)size && memcmp(found, wanted, size) == 0;

	if (fd >= 0)
		close(fd);
	free(found);
	return same;
}

/* Open, lock and read, as the supervisor does; what was said, the caller's. */
static int load(const char *path, enum disk_format format, uint8_t *to, uint64_t room, char **said)
{
	struct disk_image image;
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = image_open(&image, path, format, IMAGE_READ);
	if (!err)
		err = image_lock(&image);
	if (!err)
		err = image_read(&image, to, room, NULL, NULL);
	image_close(&image);
	*said = capture_end(&cap);
	return err;
}

static const struct {
	const char *path, *make;
	enum disk_format format;
} formats[] = {
	{ "a.img", "true" },
	{ "a.raw", "cp a.img a.raw" },
	{ "a.img.gz", "gzip -k a.img" },
	{ "a.img.xz", "xz -0k a.img" },
	{ "a.img.zst", "zstd -q a.img" },
	{ "a.long.zst", "zstd -q --long=27 a.img -o a.long.zst" },
	{ "two.gz", "(head -c 1000000 a.img | gzip; tail -c +1000001 a.img | gzip) >two.gz" },
	{ "two.xz", "(head -c 1000000 a.img | xz -0; tail -c +1000001 a.img | xz -0) >two.xz" },
	{ "two.zst", "(head -c 1000000 a.img | zstd; tail -c +1000001 a.img | zstd) >two.zst" },
	{ "A.GZ", "gzip -c a.img >A.GZ" },
	{ "packed", "gzip -c a.img >packed", DISK_GZIP },
	{ "a.qcow2", "qemu-img convert -q -O qcow2 a.img a.qcow2" },
	{ "b.qcow2", "qemu-img convert -q -c -O qcow2 -o compat=0.10 a.img b.qcow2" },
	{ "a,file.filename=x.qcow2", "qemu-img convert -q -O qcow2 a.img q && mv q 'a,file.filename=x.qcow2'" },
	{ "a.vdi", "qemu-img convert -q -O vdi a.img a.vdi" },
	{ "a.vhdx", "qemu-img convert -q -O vhdx a.img a.vhdx" },
	{ "a.vhd", "qemu-img convert -q -O vpc -o force_size=on a.img a.vhd" },
	{ "b.vhd", "qemu-img convert -q -O vpc -o subformat=fixed,force_size=on a.img b.vhd" },
};

/* All of it is there, and zeros behind it. */
START_TEST(good)
{
	uint8_t *wanted = image_make("a.img", 1), *found = calloc(1, CONTENT + MIB(4));
	char *said;
	int err;

	run(formats[_i].make);
	err = load(formats[_i].path, formats[_i].format, found, CONTENT + MIB(4), &said);
	ck_assert_msg(!err && !*said, "%s: %d: %s", formats[_i].path, err, said);
	ck_assert_mem_eq(found, wanted, CONTENT);
	ck_assert(found[CONTENT] == 0 && memcmp(found + CONTENT, found + CONTENT + 1, MIB(4) - 1) == 0);
	free(said);
	free(wanted);
	free(found);
}
END_TEST

static const struct {
	const char *path, *make, *message; /* after `disk "PATH": ` */
	int err;
	enum disk_format format;
} bad[] = {
	{ "none.img", "true", "No such file or directory", -ENOENT },
	{ ".", "true", "is a directory: wanted a file", -EISDIR },
	{ "fifo", "mkfifo fifo", "is not a regular file", -EINVAL },
	{ "link", "ln -s /dev/zero link", "is not a regular file", -EINVAL },
	{ "empty.img", ": >empty.img", "is empty", -ENODATA },
	{ "big.img", "truncate -s 11M big.img",
	  "11 MiB: more than its device has (10 MiB): wanted \"size\": \"12M\" or more", -EFBIG },
	{ "huge.img", "truncate -s 4T huge.img",
	  "4194304 MiB: more than its device has (10 MiB): wanted \"size\": \"4194304M\" or more", -EFBIG },
	{ "cut.gz", "gzip -c a.img | head -c 500000 >cut.gz", "is truncated: its gzip data ends too early", -EIO },
	{ "cut.xz", "xz -0c a.img | head -c 500000 >cut.xz", "is truncated: its xz data ends too early", -EIO },
	{ "cut.zst", "zstd -c a.img | head -c 500000 >cut.zst", "is truncated: its zstd data ends too early", -EIO },
	{ "cut2.gz", "gzip -c a.img | head -c -4 >cut2.gz", "is truncated: its gzip data ends too early", -EIO },
	{ "cut3.gz", "head -c 10 a.img | gzip -c >cut3.gz; gzip -c a.img | head -c 3000 >>cut3.gz",
	  "is truncated: its gzip data ends too early", -EIO },
	{ "bad.gz", "(gzip -c a.img; echo behind) >bad.gz", "is damaged: its gzip data can't be unpacked", -EIO },
	{ "bad.xz", "(xz -0c a.img; echo something else behind) >bad.xz", "is damaged: its xz data can't be unpacked",
	  -EIO },
	{ "bad.zst", "(zstd -c a.img; echo behind) >bad.zst", "is damaged: its zstd data can't be unpacked", -EIO },
	{ "sum.gz", "gzip -c a.img >sum.gz; printf xxxx | dd of=sum.gz bs=1 seek=600000 conv=notrunc status=none",
	  "is damaged: its gzip data can't be unpacked", -EIO },
	{ "bomb.gz", "truncate -s 100M b; gzip -1c b >bomb.gz; rm b",
	  "is more than its device has (10 MiB) when unpacked: wanted a larger \"size\"", -EFBIG },
	{ "bomb.xz", "truncate -s 100M b; xz -0c b >bomb.xz; rm b",
	  "is more than its device has (10 MiB) when unpacked: wanted a larger \"size\"", -EFBIG },
	{ "bomb.zst", "truncate -s 100M b; zstd -qc b >bomb.zst; rm b",
	  "is more than its device has (10 MiB) when unpacked: wanted a larger \"size\"", -EFBIG },
	{ "greedy.zst", "head -c 100 a.img | zstd -q --ultra --long=31 --zstd=wlog=31 -c >greedy.zst",
	  "can't be unpacked: its zstd data wants more memory than it is given", -ENOMEM },
	{ "not.gz", "cp a.img not.gz", "is not gzip: wanted \"format\": what it is", -EINVAL },
	{ "xz.gz", "xz -0c a.img >xz.gz", "is not gzip: begins like xz: wanted \"format\": what it is", -EINVAL },
	{ "guest.img", "qemu-img create -q -f qcow2 guest.img 4M",
	  "begins like qcow2, but isn't called so: wanted \"format\": \"qcow2\", or \"raw\" if that is what the guest "
	  "shall "
	  "see",
	  -EINVAL },
	{ "backed.qcow2", "qemu-img create -q -f qcow2 -F raw -b a.img backed.qcow2",
	  "has a backing file, \"a.img\", which it would have us read: wanted an image that is whole (`qemu-img "
	  "convert` "
	  "makes one)",
	  -EXDEV },
	{ "outside.qcow2", "qemu-img create -q -u -f qcow2 -F raw -b /etc/passwd outside.qcow2 1M",
	  "has a backing file, \"/etc/passwd\", which it would have us read: wanted an image that is whole (`qemu-img "
	  "convert` makes one)",
	  -EXDEV },
	{ "json.qcow2",
	  "qemu-img create -q -u -f qcow2 -F raw -b "
	  "'json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":"
	  "\"/etc/passwd\"}}' json.qcow2 1M",
	  "has a backing file, "
	  "\"json:{\\\"driver\\\":\\\"raw\\\",\\\"file\\\":{\\\"driver\\\":\\\"file\\\",\\\"filename\\\":"
	  "\\\"/etc/passwd\\\"}}\", which it would have us read: wanted an image that is whole (`qemu-img convert` "
	  "makes "
	  "one)",
	  -EXDEV },
	{ "data.qcow2", "qemu-img create -q -f qcow2 -o data_file=d.raw data.qcow2 1M",
	  "has its data in another file, which it would have us read: wanted an image that is whole (`qemu-img "
	  "convert` "
	  "makes one)",
	  -EXDEV },
	{ "big.qcow2", "qemu-img create -q -f qcow2 big.qcow2 1T",
	  "1048576 MiB: more than its device has (10 MiB): wanted \"size\": \"1048576M\" or more", -EFBIG },
	{ "cut.qcow2", "printf 'QFI\\373\\0\\0\\0\\3' >cut.qcow2", "is truncated: 8 bytes", -EIO },
	{ "new.qcow2", "(printf 'QFI\\373\\0\\0\\0\\11'; head -c 200 /dev/zero) >new.qcow2",
	  "is qcow2 of version 9: wanted 2 or 3", -EINVAL },
	{ "big.vdi", "qemu-img create -q -f vdi big.vdi 1G",
	  "qemu-img could not read it as vdi: qemu-img: output file is smaller than input file", -EIO },
};

START_TEST(refused)
{
	uint8_t *content = image_make("a.img", 1), *to = calloc(1, MIB(10));
	char wanted[1024], *said;
	int err;

	run(bad[_i].make);
	snprintf(wanted, sizeof(wanted), "nohype: error: disk \"%s\": %s\n", bad[_i].path, bad[_i].message);
	err = load(bad[_i].path, bad[_i].format, to, MIB(10), &said);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(err, bad[_i].err);
	free(said);
	free(content);
	free(to);
}
END_TEST

/* A guest's own file is never taken for what it begins with, where "raw" is asked for. */
START_TEST(raw_is_raw)
{
	uint8_t *content = image_make("a.img", 1), *to = calloc(1, MIB(10));
	char *said;

	run("qemu-img create -q -u -f qcow2 -F raw -b /etc/passwd guest.img 1M");
	ck_assert_int_eq(load("guest.img", DISK_RAW, to, MIB(10), &said), 0);
	ck_assert_mem_eq(to, "QFI\xfb", 4);
	free(said);
	free(content);
	free(to);
}
END_TEST

/* Once, while it is read, somebody changes it. */
static int change_at = -1;

static void change(void *ctx, uint64_t done, uint64_t total)
{
	const char *path = ctx;

	(void)done;
	(void)total;
	if (change_at-- != 0)
		return;
	if (*path == 't')
		ck_assert_int_eq(truncate("changed.img", 4096), 0);
	else
		run("sleep 0.05; printf x | dd of=changed.img bs=1 seek=70000 conv=notrunc status=none");
}

START_TEST(changed)
{
	uint8_t *content = image_make("changed.img", 1), *to = calloc(1, MIB(10));
	struct disk_image image;
	struct capture cap;
	char *said;

	change_at = 0;
	ck_assert_int_eq(image_open(&image, "changed.img", 0, IMAGE_READ), 0);
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_lt(image_read(&image, to, MIB(10), change, (void *)(_i ? "truncate" : "write")), 0);
	said = capture_end(&cap);
	ck_assert_msg(strstr(said, "disk \"changed.img\": changed while it was read"), "%s", said);
	image_close(&image);
	free(said);
	free(content);
	free(to);
}
END_TEST

static int lock_as(struct disk_image *image, const char *path, enum image_use use, char **said)
{
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = image_open(image, path, 0, use);
	if (!err)
		err = image_lock(image);
	*said = capture_end(&cap);
	return err;
}

/* Two that read; one that saves and any other; and the lock goes with who has it. */
START_TEST(locks)
{
	uint8_t *content = image_make("a.img", 1);
	struct disk_image first, second;
	char *said;

	ck_assert_int_eq(lock_as(&first, "a.img", IMAGE_READ, &said), 0);
	free(said);
	ck_assert_int_eq(lock_as(&second, "a.img", IMAGE_READ, &said), 0);
	free(said);
	image_close(&second);
	ck_assert_int_eq(lock_as(&second, "a.img", IMAGE_SAVE, &said), -EBUSY);
	ck_assert_str_eq(said,
			 "nohype: error: disk \"a.img\": is a disk of this VM already: wanted for this VM alone, as it "
			 "is saved\n");
	free(said);
	image_close(&second);
	image_close(&first);
	ck_assert_int_eq(lock_as(&first, "a.img", IMAGE_SAVE, &said), 0);
	free(said);
	ck_assert_int_eq(symlink("a.img", "other.img"), 0);
	ck_assert_int_eq(lock_as(&second, "other.img", IMAGE_READ, &said), -EBUSY);
	free(said);
	image_close(&second);
	ck_assert_int_ne(system("qemu-img resize -q -f raw a.img 7M >info 2>&1"), 0); /* nor may QEMU */
	run("grep -q 'lock' info");
	image_close(&first);
	ck_assert_int_eq(lock_as(&second, "a.img", IMAGE_SAVE, &said), 0);
	free(said);
	image_close(&second);
	free(content);
}
END_TEST

/* The name is that of a core manager, the child of who has it. */
START_TEST(lock_of_another)
{
	uint8_t *content = image_make("a.img", 1);
	char wanted[256], *said, byte;
	struct disk_image image;
	int gate[2];
	pid_t pid;

	run("mkfifo web"); /* a script that doesn't come */
	ck_assert_int_eq(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		if (lock_as(&image, "a.img", IMAGE_SAVE, &said))
			_exit(1);
		pid = fork();
		if (pid == 0) /* a shell of that name, which takes the VM's for a script */
			execv("/bin/sh", (char *const[]){ "nohype-core", "web", NULL });
		ck_assert_int_eq(write(gate[1], "x", 1), 1);
		pause();
	}
	ck_assert_int_eq(read(gate[0], &byte, 1), 1);
	usleep(200000);
	ck_assert_int_eq(lock_as(&image, "a.img", IMAGE_SAVE, &said), -EBUSY);
	snprintf(
		wanted, sizeof(wanted),
		"nohype: error: disk \"a.img\": the VM \"web\" (process %d) has it: wanted for this VM alone, as it is "
		"saved\n",
		(int)pid);
	ck_assert_str_eq(said, wanted);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	run("timeout 1 sh -c ': >web'"); /* ends it, who reads there */
	image_close(&image);
	free(said);
	free(content);
}
END_TEST

/* One that was replaced between open and lock: what is read would not be what is saved over. */
START_TEST(replaced)
{
	uint8_t *content = image_make("a.img", 1);
	struct disk_image image;
	struct capture cap;
	char *said;

	ck_assert_int_eq(image_open(&image, "a.img", 0, IMAGE_SAVE), 0);
	run("cp a.img b.img; mv b.img a.img");
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_eq(image_lock(&image), -ESTALE);
	said = capture_end(&cap);
	ck_assert_str_eq(said, "nohype: error: disk \"a.img\": was replaced while it was opened: start it again\n");
	image_close(&image);
	free(said);
	free(content);
}
END_TEST

/* --- saving --- */

START_TEST(saved)
{
	uint8_t *old = image_make("a.img", 1), *new = malloc(CONTENT);
	struct stat st;
	struct disk_saved got;

	content_make(new, 2);
	ck_assert_int_eq(chmod("a.img", 0640), 0);
	ck_assert_int_eq(disk_save("a.img", new, CONTENT, &got, NULL, NULL), 0);
	ck_assert(file_is("a.img", new, CONTENT));
	ck_assert(got.is_clone || got.written == MIB(2));
	ck_assert_int_eq(stat("a.img", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_le((uint64_t)st.st_blocks * 512, MIB(3)); /* its holes are holes */
	ck_assert_int_eq(disk_save("new.img", new, CONTENT, &got, NULL, NULL), 0);
	ck_assert(file_is("new.img", new, CONTENT));
	ck_assert_int_eq(stat("new.img", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	run("test $(ls -A | wc -l) = 2");
	free(old);
	free(new);
}
END_TEST

#define SOMEONE 65534

/* In a process of its own, which is @uid and of no group of the old file's; its exit status. */
static int save_as(uid_t uid, const uint8_t *bytes)
{
	struct disk_saved got;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
			_exit(1);
		_exit(disk_save("a.img", bytes, CONTENT, &got, NULL, NULL) ? 1 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* What the old file's group could do, a group that is another can't; and what a guest wrote is no program of anyone's.
 */
START_TEST(saved_by_another)
{
	uint8_t *old = image_make("a.img", 1), *new = malloc(CONTENT);
	struct stat st;

	content_make(new, 2);
	if (geteuid() != 0)
		goto out; /* who can't become another can't see it */
	run("chmod 777 . && chown 4242:4343 a.img");
	ck_assert_int_eq(chmod("a.img", 06775), 0);
	ck_assert_int_eq(save_as(SOMEONE, new), 0);
	ck_assert(file_is("a.img", new, CONTENT));
	ck_assert_int_eq(stat("a.img", &st), 0);
	ck_assert_uint_eq(st.st_uid, SOMEONE);
	ck_assert_uint_eq(st.st_gid, SOMEONE);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
out:
	free(old);
	free(new);
}
END_TEST

/* Who may give it away gives it to whom it was. */
START_TEST(saved_by_root)
{
	uint8_t *old = image_make("a.img", 1), *new = malloc(CONTENT);
	struct stat st;

	content_make(new, 2);
	if (geteuid() != 0)
		goto out;
	run("chown 4242:4343 a.img");
	ck_assert_int_eq(chmod("a.img", 04660), 0);
	ck_assert_int_eq(save_as(0, new), 0);
	ck_assert_int_eq(stat("a.img", &st), 0);
	ck_assert_uint_eq(st.st_uid, 4242);
	ck_assert_uint_eq(st.st_gid, 4343);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
out:
	free(old);
	free(new);
}
END_TEST

static const struct {
	const char *path, *make, *message;
	int err;
} unsaved[] = {
	{ "none/a.img", "true", "disk \"none/a.img\": not saved: its folder: No such file or directory", -ENOENT },
	{ "d", "mkdir d", "disk \"d\": not saved: what is there is not a regular file: Invalid argument", -EINVAL },
	{ "l", "ln -s a.img l", "disk \"l\": not saved: what is there is not a regular file: Invalid argument",
	  -EINVAL },
	{ "a.img", "true", "disk \"a.img\": not saved: write: File too large", -EFBIG },
};

/* What was there stays, and nothing else is left. */
START_TEST(not_saved)
{
	struct rlimit limit = { MIB(2), RLIM_INFINITY };
	uint8_t *old = image_make("a.img", 1);
	struct capture cap;
	char *said, wanted[256];
	struct disk_saved got;
	int err;

	run(unsaved[_i].make);
	run("ls -lR >/tmp/nohype-disks.before");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0); /* a file can't be so large: the sixth MiB isn't there */
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = disk_save(unsaved[_i].path, old, CONTENT, &got, NULL, NULL);
	said = capture_end(&cap);
	snprintf(wanted, sizeof(wanted), "nohype: error: %s\n", unsaved[_i].message);
	ck_assert_int_eq(err, unsaved[_i].err);
	if (unsaved[_i].err == -EFBIG)
		ck_assert_msg(strstr(said, "not saved: set its size: File too large"), "%s", said);
	else
		ck_assert_str_eq(said, wanted);
	ck_assert(file_is("a.img", old, CONTENT));
	run("ls -lR | cmp - /tmp/nohype-disks.before; rm /tmp/nohype-disks.before");
	free(said);
	free(old);
}
END_TEST

/*
 * kill -9 at each step: these stand in for what the code calls, and kill the process right before call number kill_at
 * of them, from 1.
 */
static int kill_at, calls;

static void call_counts(void)
{
	if (kill_at && ++calls == kill_at)
		kill(getpid(), SIGKILL);
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int fsync(int fd)
{
	call_counts();
	return NEXT(fsync)(fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	call_counts();
	return NEXT(renameat)(from, old, to, new);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	call_counts();
	return NEXT(linkat)(from, old, to, new, flags);
}

int fchmod(int fd, mode_t mode)
{
	call_counts();
	return NEXT(fchmod)(fd, mode);
}

static void kill_in_transfer(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	call_counts();
}

static bool save_killed(const uint8_t *new, int at)
{
	struct disk_saved got;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		kill_at = at;
		if (disk_save("a.img", new, CONTENT, &got, kill_in_transfer, NULL))
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return true;
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return false;
}

START_TEST(killed)
{
	uint8_t *old = image_make("a.img", 1), *new = malloc(CONTENT);
	int at = 1, had_old = 0, had_new = 0;

	content_make(new, 2);
	for (; save_killed(new, at); at++) {
		bool is_new = file_is("a.img", new, CONTENT);

		ck_assert_msg(is_new || file_is("a.img", old, CONTENT), "killed before step %d: neither", at);
		had_old += !is_new;
		had_new += is_new;
		file_write("a.img", old, CONTENT);
		run("rm -f .nohype.*; test $(ls -A | wc -l) = 1");
	}
	ck_assert(file_is("a.img", new, CONTENT));
	ck_assert_int_gt(had_old, 90); /* 96 blocks, and four steps */
	ck_assert_int_gt(had_new, 0);  /* before the folder was written out */
	free(old);
	free(new);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("disks");
	TCase *tc = tcase_create("disks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, folder_enter, folder_leave);
	tcase_set_timeout(tc, 20);
	tcase_add_loop_test(tc, good, 0, ARRAY_SIZE(formats));
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, raw_is_raw);
	tcase_add_loop_test(tc, changed, 0, 2);
	tcase_add_test(tc, locks);
	tcase_add_test(tc, lock_of_another);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, saved);
	tcase_add_test(tc, saved_by_another);
	tcase_add_test(tc, saved_by_root);
	tcase_add_loop_test(tc, not_saved, 0, ARRAY_SIZE(unsaved));
	tcase_add_test(tc, killed);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

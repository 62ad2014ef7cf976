// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images to a device and back. What the code sees of a device is an fd and a size, so here it is a file: one that is
 * all zero, one that is full, one that puts what is written elsewhere.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/util.h"
#include "disks/disks.h"

#define CONTENT (MIB(3) + 700) /* ends within a block */
#define DEVICE	MIB(40)	       /* more than one window */

static char folder[] = "/tmp/nohype-device-XXXXXX";
static uint8_t *content;

static void run(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* a.img: bytes, 1 MiB of nothing, bytes */
static void setup(void)
{
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	content = calloc(1, DEVICE);
	ck_assert_ptr_nonnull(content);
	for (uint64_t i = 0; i < CONTENT; i++)
		content[i] = i / MIB(1) == 1 ? 0 : (uint8_t)(i * 2654435761U >> 13) | 1;
	file = fopen("whole", "w");
	ck_assert_uint_eq(fwrite(content, 1, CONTENT, file), CONTENT);
	fclose(file);
	run("cp --sparse=always whole a.img");
}

static void teardown(void)
{
	char command[64];

	free(content);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	run(command);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
}

/* An empty one, open with @flags. */
static struct disk_device device_make(int flags, uint64_t size)
{
	struct disk_device device = { .name = "device", .bytes = size, .block = 512 };

	device.fd = open("device", O_RDWR | O_CREAT | O_TRUNC | flags, 0600);
	ck_assert_int_ge(device.fd, 0);
	ck_assert_int_eq(ftruncate(device.fd, (off_t)size), 0);
	return device;
}

/* What was said is the caller's. */
static int fill(const char *path, const struct disk_device *device, struct device_filled *filled, char **said)
{
	struct disk_image image;
	struct capture cap;
	int err;

	ck_assert_int_eq(capture_begin(&cap), 0);
	err = image_open(&image, path, 0, IMAGE_READ);
	if (!err)
		err = device_fill(&image, device, filled, NULL, NULL);
	image_close(&image);
	*said = capture_end(&cap);
	return err;
}

static const struct {
	const char *path, *make;
} formats[] = {
	{ "a.img", "true" },
	{ "a.gz", "gzip -c a.img >a.gz" },
	{ "a.xz", "xz -0c a.img >a.xz" },
	{ "a.zst", "zstd -q a.img -o a.zst" },
	{ "a.qcow2", "qemu-img convert -q -O qcow2 a.img a.qcow2" },
};

/* There, nothing behind it, and the same when it is saved. */
START_TEST(there_and_back)
{
	struct disk_device device = device_make(0, DEVICE);
	struct device_filled filled = { 0 };
	struct disk_saved saved;
	uint8_t *found = calloc(1, DEVICE);
	char *said;
	int err, fd;

	run(formats[_i].make);
	err = fill(formats[_i].path, &device, &filled, &said);
	ck_assert_msg(!err, "%s: %d: %s", formats[_i].path, err, said);
	ck_assert_int_eq(pread(device.fd, found, DEVICE, 0), DEVICE);
	ck_assert_int_eq(memcmp(found, content, DEVICE), 0);
	ck_assert_uint_ge(filled.written, MIB(2) + 700);
	ck_assert_uint_ne(filled.crc, 0);
	if (_i == 0) /* holes stay holes, the last block is whole */
		ck_assert_uint_eq(filled.written, align_up(CONTENT, 512) - MIB(1));
	ck_assert_int_eq(device_save("saved.img", &device, &saved, NULL, NULL), 0);
	fd = open("saved.img", O_RDONLY);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), DEVICE);
	ck_assert_int_eq(pread(fd, found, DEVICE, 0), DEVICE);
	ck_assert_int_eq(memcmp(found, content, DEVICE), 0);
	ck_assert_uint_lt(saved.written, MIB(3)); /* no zeros */
	close(fd);
	close(device.fd);
	free(found);
	free(said);
}
END_TEST

START_TEST(too_large)
{
	struct disk_device device = device_make(0, MIB(3));
	struct device_filled filled;
	char *said;

	ck_assert_int_eq(fill("a.img", &device, &filled, &said), -EFBIG);
	ck_assert_str_eq(said, "nohype: error: disk \"a.img\": 3146428 bytes: more than device has (3145728)\n");
	free(said);
	run("gzip -c a.img >a.gz");
	ck_assert_int_eq(fill("a.gz", &device, &filled, &said), -EFBIG);
	free(said);
	close(device.fd);
}
END_TEST

/* O_APPEND: what is written lands behind all else (pwrite(2), "Bugs"), as on a disk that doesn't keep it. */
START_TEST(not_kept)
{
	struct disk_device device = device_make(O_APPEND, DEVICE);
	struct device_filled filled;
	char *said;

	ck_assert_int_eq(fill("a.img", &device, &filled, &said), -EIO);
	ck_assert_ptr_nonnull(strstr(said, "disk \"a.img\": was written to device, and what is read back is another"));
	free(said);
	close(device.fd);
}
END_TEST

START_TEST(not_written)
{
	struct disk_device device = { .fd = open("/dev/full", O_RDWR), .name = "full", .bytes = DEVICE, .block = 512 };
	struct device_filled filled;
	char *said;

	ck_assert_int_eq(fill("a.img", &device, &filled, &said), -ENOSPC);
	ck_assert_str_eq(said, "nohype: error: disk \"a.img\": write to full: No space left on device\n");
	free(said);
	close(device.fd);
}
END_TEST

/* A device that ends too early: the old file stays, and nothing is left beside it. */
START_TEST(not_read)
{
	struct disk_device device = device_make(0, MIB(1));
	struct disk_saved saved;
	struct capture cap;
	char *said;

	device.bytes = MIB(2);
	run("echo old >saved.img");
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_ne(device_save("saved.img", &device, &saved, NULL, NULL), 0);
	said = capture_end(&cap);
	ck_assert_ptr_nonnull(strstr(said, "disk \"device\": read: "));
	run("grep -qx old saved.img && test $(ls -A | wc -l) = 4");
	free(said);
	close(device.fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("device");
	TCase *tc = tcase_create("device");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, there_and_back, 0, ARRAY_SIZE(formats));
	tcase_add_test(tc, too_large);
	tcase_add_test(tc, not_kept);
	tcase_add_test(tc, not_written);
	tcase_add_test(tc, not_read);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// SPDX-License-Identifier: GPL-2.0-only
/* An NVMe namespace cleared, and read back. */
#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

/* A part each, so that how far it is can be shown. */
static int parts_clear(const struct namespace *namespace, int (*clear)(const struct namespace *, uint64_t, uint64_t),
		       namespace_progress_fn *progress, void *ctx)
{
	int err = 0;

	for (uint64_t at = 0; !err && at < namespace->bytes; at += MIB(256)) {
		uint64_t len = MIN(namespace->bytes - at, MIB(256));

		err = clear(namespace, at, len);
		if (!err && progress)
			progress(ctx, at + len, namespace->bytes);
	}
	return err;
}

/* By the controller, if it has the command; or else the kernel writes them (block/blk-lib.c, blkdev_issue_zeroout()).
 */
static int part_zero(const struct namespace *namespace, uint64_t at, uint64_t len)
{
	uint64_t range[2] = { at, len };

	return ioctl(namespace->fd, BLKZEROOUT, range) ? namespace_fail(namespace, -errno, "zeros over it") : 0;
}

static int part_overwrite(const struct namespace *namespace, uint64_t at, uint64_t len)
{
	uint8_t *zeros = aligned_alloc(KIB(64), MIB(1));
	int err = zeros ? 0 : -ENOMEM;

	if (zeros)
		memset(zeros, 0, MIB(1));
	for (uint64_t done = 0; !err && done < len;) {
		ssize_t got = pwrite(namespace->fd, zeros, MIN(len - done, MIB(1)), (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		err = got < 0 ? -errno : got == 0 ? -EIO : 0;
		done += got > 0 ? (uint64_t)got : 0;
	}
	free(zeros);
	return err ? namespace_fail(namespace, err, "zeros written over it") : 0;
}

/* Of @len bytes at @at, not through the page cache. */
static int part_check(const struct namespace *namespace, uint8_t *bytes, uint64_t at, uint64_t len)
{
	ssize_t got = pread(namespace->fd, bytes, len, (off_t)at);

	if (got != (ssize_t)len)
		return namespace_fail(namespace, got < 0 ? -errno : -EIO, "read back");
	if (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0)
		return 0;
	return fail(-EIO, "functions: namespace %s: cleared, and not zero when read back at %llu", namespace->name,
		    (unsigned long long)at);
}

/* All of it, or so many parts of it, the first and the last among them. */
static int clear_verify(const struct namespace *namespace, bool all)
{
	uint64_t part = MIN(all ? MIB(1) : KIB(64), namespace->bytes);
	uint64_t last = align_down(namespace->bytes - part, namespace->block);
	uint64_t step = all ? part : MAX(align_down(last / (NAMESPACE_SAMPLES - 1), KIB(64)), part);
	uint8_t *bytes = aligned_alloc(KIB(64), align_up(part, KIB(64)));
	int err = bytes ? 0 : -ENOMEM;

	for (uint64_t at = 0; !err && at < last; at += step)
		err = part_check(namespace, bytes, at, part);
	if (!err)
		err = part_check(namespace, bytes, last, part);
	free(bytes);
	return err;
}

static bool has_write_zeroes(const struct namespace *namespace)
{
	return sysfs_number("/sys/class/block/%s/queue/write_zeroes_max_bytes", namespace->name) > 0;
}

/* What is read after a Sanitize need not be zero, so that zeros follow it. */
static int clear_run(const struct namespace *namespace, enum namespace_clear how, namespace_progress_fn *progress,
		     void *ctx)
{
	int err = 0;

	switch (how) {
	case NAMESPACE_FORMAT:
		return namespace_format(namespace);
	case NAMESPACE_OVERWRITE:
		return parts_clear(namespace, part_overwrite, progress, ctx);
	case NAMESPACE_SANITIZE:
		err = namespace_sanitize(namespace);
		break;
	default:
		break;
	}
	return err ? err : parts_clear(namespace, part_zero, progress, ctx);
}

int namespace_clear(const struct namespace *namespace, enum namespace_clear how, bool verify_all, const char **by,
		    namespace_progress_fn *progress, void *ctx)
{
	int err = clear_run(namespace, how, progress, ctx);

	if (!err && fsync(namespace->fd))
		err = namespace_fail(namespace, -errno, "flush");
	if (how == NAMESPACE_AUTO)
		how = has_write_zeroes(namespace) ? NAMESPACE_WRITE_ZEROES : NAMESPACE_OVERWRITE;
	*by = namespace_clear_name(how);
	return err ? err : clear_verify(namespace, verify_all);
}

const char *namespace_clear_name(enum namespace_clear how)
{
	static const char *const names[] = { [NAMESPACE_AUTO] = "auto",
					     [NAMESPACE_WRITE_ZEROES] = "write-zeroes",
					     [NAMESPACE_FORMAT] = "format",
					     [NAMESPACE_SANITIZE] = "sanitize",
					     [NAMESPACE_OVERWRITE] = "overwrite" };

	return (size_t)how < ARRAY_SIZE(names) ? names[how] : NULL;
}

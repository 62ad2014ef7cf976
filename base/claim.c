// SPDX-License-Identifier: GPL-2.0-only
#include "base/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/claim_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define LOCK_NAME ".lock" /* it stays: removed, two could each lock one of their own */
#define NEW_NAME  ".new"  /* one at a time is on its way */
#define PATIENCE  10	  /* s */
#define PAUSE	  5	  /* ms */

static int lock_try(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

/* Polled, as the wait for a lock has no end of its own. */
static int turn_take(struct claims *claims)
{
	int64_t begun = clock_now();
	int err;

	claims->lock = openat(claims->folder, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (claims->lock < 0)
		return fail(-errno, "claims: lock: %s", strerror(errno));
	fchmod(claims->lock, 0660); /* whoever may write to the folder takes turns, and nobody else */
	while ((err = lock_try(claims->lock)) == -EAGAIN || err == -EACCES) {
		if (clock_now() - begun > PATIENCE * 1000000000LL)
			return fail(-EBUSY,
				    "claims: another nohype of this user has been at it for %d s: is it stopped?",
				    PATIENCE);
		poll(NULL, 0, PAUSE);
	}
	return err ? fail(err, "claims: lock: %s", strerror(-err)) : 0;
}

/* @context: to whom of the dead it belonged is added, if that can be told. */
static int file_sweep(void *context, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err = 0;
	struct claim_holder holder;

	if (fd < 0)
		return 0;
	if (!claim_file_is_held(fd)) {
		if (!claim_file_read(fd, &holder))
			err = claim_holder_keep(context, &holder);
		if (!err)
			unlinkat(folder, name, 0);
	}
	close(fd);
	return err;
}

/* Of its memory others may know more: nohyped clears what it holds, and memmap/left.c what has a name. */
static void dead_warn(const struct claim_holder *dead)
{
	warn("VM \"%s\" (process %d) was killed: unless it was nohyped's, which tells of it, or in a file "
	     "(memory.folder), which nohype recover clears, its memory was not cleared by nohype: Linux zeroes each "
	     "page "
	     "before its next user",
	     dead->vm, (int)dead->pid);
}

int claims_begin(struct claims *claims, const char *vm)
{
	struct claim_holders dead = { 0 };
	int err;

	snprintf(claims->vm, sizeof(claims->vm), "%s", vm);
	claims->folder = claim_folder_open(claims->root);
	if (claims->folder < 0)
		return claims->folder;
	err = turn_take(claims);
	if (err)
		return err;
	err = claim_folder_each(claims->folder, file_sweep, &dead);
	for (size_t i = 0; i < dead.count; i++)
		dead_warn(&dead.list[i]);
	claims_free(&dead);
	return err ? err : claim_folders_read(&claims->others, claims->root, -1);
}

int claims_bury(struct claim_holders *dead, const char *root)
{
	struct claims claims = CLAIMS_NONE;
	int err;

	*dead = (struct claim_holders){ 0 };
	claims.root = root;
	claims.folder = claim_folder_open(root);
	err = claims.folder < 0 ? claims.folder : turn_take(&claims);
	if (!err)
		err = claim_folder_each(claims.folder, file_sweep, dead);
	claims_release(&claims);
	return err;
}

const struct claim_holder *claims_find(const struct claim_holders *others, const char *what, const struct claim **claim)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct claim_holder *holder = &others->list[i];

		for (size_t k = 0; k < holder->count; k++) {
			if (strcmp(holder->list[k].what, what) != 0)
				continue;
			if (claim)
				*claim = &holder->list[k];
			return holder;
		}
	}
	return NULL;
}

uint64_t claims_sum(const struct claim_holders *others, const char *what)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < others->count; i++)
		for (size_t k = 0; k < others->list[i].count; k++) {
			const struct claim *claim = &others->list[i].list[k];

			if (claim->mode == CLAIM_PART && strcmp(claim->what, what) == 0 &&
			    __builtin_add_overflow(sum, claim->amount, &sum))
				return UINT64_MAX;
		}
	return sum;
}

static int refuse(const char *where, const char *what, const struct claim_holder *holder)
{
	return fail(-EBUSY, "%s: %s is promised to VM \"%s\" (process %d of user %u): end that, or ask for another",
		    where, what, holder->vm, (int)holder->pid, (unsigned int)holder->uid);
}

/* Shared goes with shared, and parts with parts as long as there is enough. */
static int claim_check(const struct claim_holders *others, const struct claim *claim, const char *where)
{
	const struct claim *theirs = NULL;
	const struct claim_holder *holder = claims_find(others, claim->what, &theirs);
	uint64_t sum;

	if (holder && (claim->mode == CLAIM_ALONE || theirs->mode != claim->mode))
		return refuse(where, claim->what, holder);
	if (claim->mode != CLAIM_PART)
		return 0;
	sum = claims_sum(others, claim->what);
	if (sum <= claim->limit && claim->amount <= claim->limit - sum)
		return 0;
	if (!holder)
		return fail(-EBUSY, "%s: %s: %" PRIu64 " wanted, and there are %" PRIu64, where, claim->what,
			    claim->amount, claim->limit);
	return fail(-EBUSY,
		    "%s: %s: %" PRIu64 " wanted, and of %" PRIu64 " others have %" PRIu64
		    ", VM \"%s\" (process %d of user %u) among them",
		    where, claim->what, claim->amount, claim->limit, sum, holder->vm, (int)holder->pid,
		    (unsigned int)holder->uid);
}

static struct claim *own_find(const struct claims *claims, const char *what)
{
	for (size_t i = 0; i < claims->count; i++)
		if (strcmp(claims->list[i].what, what) == 0)
			return &claims->list[i];
	return NULL;
}

int claims_add(struct claims *claims, const struct claim *claim, const char *where)
{
	struct claim *own = own_find(claims, claim->what), *list;
	struct claim sum = *claim;
	int err;

	if (own && claim->mode == CLAIM_PART && __builtin_add_overflow(own->amount, claim->amount, &sum.amount))
		sum.amount = UINT64_MAX;
	err = claim_check(&claims->others, &sum, where);
	if (err || own) {
		if (!err)
			own->amount = sum.amount;
		return err;
	}
	list = reallocarray(claims->list, claims->count + 1, sizeof(*list));
	if (!list)
		return fail(-ENOMEM, "claims: no memory for one more");
	claims->list = list;
	list[claims->count++] = *claim;
	return 0;
}

/* It gets its name when it is locked and all is in it; the number of its inode is nobody else's. */
static int file_make(struct claims *claims)
{
	struct stat st = { 0 };
	int err;

	unlinkat(claims->folder, NEW_NAME, 0); /* of one who died here */
	claims->file = openat(claims->folder, NEW_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (claims->file < 0)
		return -errno;
	err = lock_try(claims->file);
	if (!err)
		err = claim_file_write(claims->file, claims);
	if (!err && (fchmod(claims->file, 0644) || fstat(claims->file, &st)))
		err = -errno;
	if (err)
		return err;
	snprintf(claims->name, sizeof(claims->name), CLAIM_FILE_PREFIX "%ju", (uintmax_t)st.st_ino);
	if (renameat(claims->folder, NEW_NAME, claims->folder, claims->name)) {
		claims->name[0] = '\0';
		return -errno;
	}
	return 0;
}

/* In this folder nobody could; users of other folders may have claimed meanwhile. */
static int look_again(struct claims *claims)
{
	struct claim_holders now;
	int err = claim_folders_read(&now, claims->root, claims->file);

	for (size_t i = 0; !err && i < claims->count; i++)
		err = claim_check(&now, &claims->list[i], "claims");
	claims_free(&now);
	return err;
}

int claims_commit(struct claims *claims)
{
	int err = file_make(claims);

	if (err) {
		unlinkat(claims->folder, NEW_NAME, 0);
		fail(err, "claims: %s", strerror(-err));
	} else {
		err = look_again(claims);
	}
	if (err)
		claims_release(claims);
	else
		fd_close(&claims->lock);
	return err;
}

void claims_release(struct claims *claims)
{
	if (claims->name[0])
		unlinkat(claims->folder, claims->name, 0);
	fd_close(&claims->file);
	fd_close(&claims->lock);
	fd_close(&claims->folder);
	free(claims->list);
	claims_free(&claims->others);
	claims->list = NULL;
	claims->count = 0;
	claims->name[0] = '\0';
}

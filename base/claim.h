/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CLAIM_H
#define BASE_CLAIM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Claims: what of the host one VM was promised, so that a second that needs the same is refused before anything is
 * touched, and told whose it is. A claim lives no longer than its holder: each VM's claims are one file, under an open
 * file description lock (fcntl_locking(2)) for as long as the holder lives; a file without its lock is nobody's,
 * however its holder has ended, and refuses nothing.
 *
 * Root's files lie in /run/nohype/claims, which everyone may read. Another user's do too if that user may write there
 * (give it a group), or else lie in $XDG_RUNTIME_DIR/nohype/claims, or in /tmp/nohype-UID/claims. All of these are
 * read, as far as they can be: root sees every user's, a user root's and their own.
 *
 * In a folder one at a time claims: from claims_begin() to claims_commit() nobody else there does, so that what is
 * free at the one still is at the other. Between two folders each writes first and then looks again, so that of two at
 * once at least one sees the other, and gives up.
 *
 * Names, so that all mean the same: "core N" (a logical CPU), "l3 CACHE way N", "bandwidth CACHE" (parts of 100),
 * "function DDDD:BB:DD.F", "pages 2M" and "pages 2M node N" (parts; how many there are is the kernel's to say),
 * "image MAJOR:MINOR INODE".
 *
 * Not a boundary: between users of the host a claim is a word to be kept; someone who ignores it, or claims all, can.
 */
#define CLAIM_VM_MAX   65 /* bytes, with the 0, as are the next */
#define CLAIM_WHAT_MAX 48
#define CLAIM_NOTE_MAX 48

enum claim_mode {
	CLAIM_ALONE,  /* nobody else has any of it */
	CLAIM_SHARED, /* others may have it so too, but nobody alone */
	CLAIM_PART,   /* so much of it, and all together no more than there is */
};

struct claim {
	enum claim_mode mode;
	char what[CLAIM_WHAT_MAX]; /* printable ASCII */
	char note[CLAIM_NOTE_MAX]; /* for people: what it is used for; may be "" */
	uint64_t amount;	   /* CLAIM_PART: in a unit that goes with the name */
	uint64_t limit;		   /* CLAIM_PART, of who claims: how much there is. Not kept */
};

/* One VM and what it has. */
struct claim_holder {
	char vm[CLAIM_VM_MAX];
	pid_t pid;
	uid_t uid;
	struct claim *list;
	size_t count;
};

struct claim_holders {
	struct claim_holder *list;
	size_t count;
};

/* This VM's, on their way and then held. Start with CLAIMS_NONE. */
struct claims {
	const char *root; /* begins all paths; "" but in tests. The caller's */
	char vm[CLAIM_VM_MAX];
	int folder; /* fds, or -1 */
	int lock;
	int file; /* holds the claims: who has a copy of this fd holds them too */
	char name[32];
	struct claim *list;
	size_t count;
	struct claim_holders others; /* as they were at claims_begin() */
};

#define CLAIMS_NONE ((struct claims){ .root = "", .folder = -1, .lock = -1, .file = -1 })

/*
 * Begin to claim for @vm. Waits while another does, 10 s at most (-EBUSY). Changes nothing but that folders are made
 * and files of the dead removed, who were killed, as a warning says. Negative errno, reported; claims_release() in any
 * case.
 */
int claims_begin(struct claims *claims, const char *vm);

/*
 * Remove what the dead have left in this user's folder: a holder that ends by itself removes its own, so @dead is who
 * was killed. Where there is no folder, there is none. Negative errno, reported; free in any case.
 */
int claims_bury(struct claim_holders *dead, const char *root);

/*
 * Ask for one more. -EBUSY, reported, if another VM has it; the message begins with @where ("cores: 3"). What is asked
 * for twice is had once; of parts the sum.
 */
int claims_add(struct claims *claims, const struct claim *claim, const char *where);

/* All that was asked for is this VM's from here on; or nothing is: negative errno, reported. Others may claim again. */
int claims_commit(struct claims *claims);

/* Give all back, whatever was reached. */
void claims_release(struct claims *claims);

/* Who of the others has @what (of parts: one of them), or NULL; @claim (or NULL) becomes its claim. */
const struct claim_holder *claims_find(const struct claim_holders *others, const char *what,
				       const struct claim **claim);

/* How much of @what the others have in parts. */
uint64_t claims_sum(const struct claim_holders *others, const char *what);

/* All that is held now, as far as this user may see. Waits for nobody. -ENOMEM, reported; free in any case. */
int claims_read(struct claim_holders *holders, const char *root);
void claims_free(struct claim_holders *holders);

#endif

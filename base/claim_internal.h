/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CLAIM_INTERNAL_H
#define BASE_CLAIM_INTERNAL_H

#include <stdbool.h>

#include "base/claim.h"

/* Inside base/claim*.c. */
#define CLAIM_FILE_PREFIX "claims." /* and a number; names with a dot first are on their way */

/* claim_file.c: is the file under its holder's lock? */
bool claim_file_is_held(int fd);

/* Write all of @claims to @fd. Negative errno, unreported. */
int claim_file_write(int fd, const struct claims *claims);

/* What the file says; -EBADMSG: nothing that we write. -ENOMEM. Unreported; @holder is empty then. */
int claim_file_read(int fd, struct claim_holder *holder);

/*
 * claim_folder.c: call @each with the name of each file of claims in @folder, until it returns something else than 0.
 */
int claim_folder_each(int folder, int (*each)(void *context, int folder, const char *name), void *context);

/* The folder that this user's claims go to, open; made where it isn't there. Negative errno, reported. */
int claim_folder_open(const char *root);

/* One more; its list is @holders' then, also if there is no memory: -ENOMEM, reported. */
int claim_holder_keep(struct claim_holders *holders, const struct claim_holder *holder);

/* All held claims of all folders, but those of the file @own (an fd, or -1). -ENOMEM, reported. */
int claim_folders_read(struct claim_holders *holders, const char *root, int own);

#endif

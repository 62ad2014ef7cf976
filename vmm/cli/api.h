/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_API_H
#define VMM_CLI_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Ask nohyped (NOHYPE_SOCKET, or /run/nohype/api.sock). The status; of 300 and more the reason was reported. *@answer:
 * the body's JSON, owned by the caller, or NULL. Negative errno, reported: nobody answered.
 */
int api_ask(const char *method, const char *path, const char *body, size_t len, json_t **answer);

/* The same, and nothing is reported. */
int api_try(const char *method, const char *path, json_t **answer);

/* Is there a nohyped that runs as this user? Its VMs' supervisors are this user's then. */
bool api_is_own(void);

/* The body as it comes, malloced, of a GET; NULL, reported. */
char *api_text(const char *path);

/*
 * Each line of an answer that doesn't end, until @take, which is given @ctx and a line without its newline, says false:
 * then 200. Negative errno, reported: nohyped has refused, or its answer has ended before.
 */
int api_stream(const char *path, bool (*take)(void *ctx, const char *line), void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CLI_API_H
#define VMM_CLI_API_H

#include <jansson.h>
#include <stddef.h>

/*
 * Ask nohyped (NOHYPE_SOCKET, or /run/nohype/api.sock). The status; of 300 and more the reason was reported. *@answer:
 * the body's JSON, owned by the caller, or NULL. Negative errno, reported: nobody answered.
 */
int api_ask(const char *method, const char *path, const char *body, size_t len, json_t **answer);

#endif

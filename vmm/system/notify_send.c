// SPDX-License-Identifier: GPL-2.0-only
/* One event to one target. Whoever answers is not trusted with more than to say that it has taken it. */
#include <curl/curl.h>
#include <errno.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/fd.h"
#include "vmm/system/notify.h"

#define SECONDS 15 /* until a target is given up for this time */

void signature_make(const unsigned char *secret, size_t len, const char *text, char hex[65])
{
	unsigned char digest[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx hmac;

	hmac_sha256_set_key(&hmac, len, secret);
	hmac_sha256_update(&hmac, strlen(text), (const unsigned char *)text);
	hmac_sha256_digest(&hmac, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

static size_t body_drop(char *data, size_t size, size_t count, void *ctx)
{
	(void)data;
	(void)ctx;
	return size * count;
}

static struct curl_slist *headers_make(const struct target *target, const char *event, json_int_t id)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	char line[128], hex[65];

	snprintf(line, sizeof(line), "X-Nohype-Event: %lld", (long long)id);
	headers = curl_slist_append(headers, line);
	if (target->secret_len) {
		signature_make(target->secret, target->secret_len, event, hex);
		snprintf(line, sizeof(line), "X-Nohype-Signature: sha256=%s", hex);
		headers = curl_slist_append(headers, line);
	}
	return headers;
}

static int url_send(const struct target *target, const char *event, json_int_t id, char *why, size_t size)
{
	struct curl_slist *headers = headers_make(target, event, id);
	CURL *curl = curl_easy_init();
	CURLcode failed = CURLE_OUT_OF_MEMORY;
	long status = 0;

	if (curl && headers) {
		curl_easy_setopt(curl, CURLOPT_URL, target->url);
		curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, target->unix_socket);
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, event);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_drop);
		curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
		curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
		failed = curl_easy_perform(curl);
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	}
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	if (failed)
		snprintf(why, size, "%s", curl_easy_strerror(failed));
	else if (status < 200 || status > 299)
		snprintf(why, size, "it answers %ld: wanted 2xx", status);
	return failed || status < 200 || status > 299 ? -EAGAIN : 0;
}

/* Between fork and exec; what takes too long is ended by its alarm. */
static void command_exec(const struct target *target, int in)
{
	char *argv[64] = { NULL };

	for (size_t i = 0; i < json_array_size(target->command) && i < 63; i++)
		argv[i] = (char *)json_string_value(json_array_get(target->command, i));
	if (!argv[0] || dup2(in, STDIN_FILENO) < 0 || syscall(SYS_close_range, 3U, ~0U, 0))
		_exit(127);
	alarm(SECONDS);
	execv(argv[0], argv);
	_exit(127);
}

/* No pipe: one that reads nothing of it can't make us wait. No file: somebody else can have filled its disk. */
static int command_input(const char *event)
{
	int fd = memfd_create("event", MFD_CLOEXEC);

	if (fd >= 0 && (dprintf(fd, "%s\n", event) != (int)strlen(event) + 1 || lseek(fd, 0, SEEK_SET)))
		fd_close(&fd);
	return fd;
}

static int command_send(const struct target *target, const char *event, char *why, size_t size)
{
	int in = command_input(event), status = -1;
	pid_t pid = in < 0 ? -1 : fork();

	if (pid == 0)
		command_exec(target, in);
	fd_close(&in);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		snprintf(why, size, "it can't be run: %s", strerror(errno));
	else if (WIFSIGNALED(status))
		snprintf(why, size, "signal %d ended it", WTERMSIG(status));
	else
		snprintf(why, size, "it exits with %d: wanted 0", WEXITSTATUS(status));
	return status ? -EAGAIN : 0;
}

static int journal_send(const char *event, json_int_t id, char *why, size_t size)
{
	int err = sd_journal_send("MESSAGE=%s", event, "PRIORITY=5", "SYSLOG_IDENTIFIER=nohyped", "NOHYPE_EVENT=%lld",
				  (long long)id, NULL);

	if (err)
		snprintf(why, size, "%s", strerror(-err));
	return err;
}

int target_send(const struct target *target, const char *event, json_int_t id, char *why, size_t size)
{
	if (target->url)
		return url_send(target, event, id, why, size);
	if (target->command)
		return command_send(target, event, why, size);
	return journal_send(event, id, why, size);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client of nohyped's API: one request a connection, by HTTP/1.0, so that an answer ends with the connection and
 * has no chunks. What answers is who has made the socket: root, or this user.
 */
#include "vmm/cli/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/log.h"
#include "base/util.h"

#define SOCKET	   "/run/nohype/api.sock"
#define ANSWER_MAX MIB(8)
#define SECONDS	   30 /* of silence, until nohyped is given up */
#define TRIES	   4

static const char *socket_path(void)
{
	const char *path = getenv("NOHYPE_SOCKET");

	return path && *path ? path : SOCKET;
}

static int peer_uid(int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	*uid = peer.uid;
	return 0;
}

static int peer_check(int fd)
{
	uid_t uid = 0;
	int err = peer_uid(fd, &uid);

	if (err)
		return err;
	return uid == 0 || uid == geteuid() ? 0 : -EPERM;
}

static int api_connect(void)
{
	static const struct timeval patience = { .tv_sec = SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = socket_path();
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(-ENAMETOOLONG, "NOHYPE_SOCKET: \"%s\": too long for a socket's path", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(-errno, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	err = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : peer_check(fd);
	if (!err)
		return fd;
	close(fd);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return fail(err, "\"%s\": no nohyped listens there: start it, or set NOHYPE_SOCKET", path);
	return fail(err, "\"%s\": %s", path, strerror(-err));
}

static int request_send(int fd, const char *method, const char *path, const char *body, size_t len)
{
	char head[512];
	int size = snprintf(head, sizeof(head), "%s %s HTTP/1.0\r\nHost: nohyped\r\nContent-Length: %zu\r\n\r\n",
			    method, path, len);

	/* one that refuses a body may hang up before it has come: its answer says why */
	if (send(fd, head, (size_t)size, MSG_NOSIGNAL) != size)
		return fail(-EIO, "nohyped: the request was not taken: %s", strerror(errno));
	while (len > 0) {
		ssize_t sent = send(fd, body, len, MSG_NOSIGNAL);

		if (sent <= 0)
			break;
		body += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* All until the end, malloced and 0-terminated; NULL, reported. */
static char *answer_receive(int fd)
{
	char *text = malloc(ANSWER_MAX + 1);
	size_t len = 0;
	ssize_t got;

	if (!text) {
		fail(-ENOMEM, "nohyped: no memory for its answer");
		return NULL;
	}
	do {
		got = recv(fd, text + len, ANSWER_MAX - len, 0);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got < 0 && errno == EINTR));
	text[len] = '\0';
	if (got == 0 && len > 0)
		return text;
	fail(-EIO, "nohyped: no whole answer: %s", got < 0 ? strerror(errno) : "it hung up");
	free(text);
	return NULL;
}

/* What is wrong, in nohyped's words. */
static void problem_report(unsigned int status, const char *body)
{
	json_t *problem = json_loads(body, 0, NULL);
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	const json_t *errors = json_object_get(problem, "errors"), *error;
	size_t i;

	json_array_foreach (errors, i, error)
		fail(-EINVAL, "nohyped: %s", json_string_value(error));
	if (!json_array_size(errors))
		fail(-EINVAL, "nohyped: %s (%u)", detail ? detail : "an answer without a reason", status);
	json_decref(problem);
}

/* One request and its whole answer, malloced; *@rest is its body. The status, or negative errno, reported. */
static int answer_once(const char *method, const char *path, const char *body, size_t len, char **text, char **rest)
{
	int fd = api_connect(), err = fd < 0 ? fd : request_send(fd, method, path, body, len);
	unsigned int status = 0;

	*rest = NULL;
	*text = err ? NULL : answer_receive(fd);
	if (fd >= 0)
		close(fd);
	if (!*text)
		return err ? err : -EIO;
	*rest = strstr(*text, "\r\n\r\n");
	if (!*rest || sscanf(*text, "HTTP/1.%*1[01] %3u", &status) != 1)
		return fail(-EPROTO, "nohyped: no answer by HTTP");
	*rest += 4;
	return (int)status;
}

/* What Retry-After says, as far as one waits for that. */
static unsigned int seconds_find(const char *head)
{
	const char *header = strcasestr(head, "\r\nRetry-After: ");
	unsigned int seconds = 1;

	if (header)
		sscanf(strchr(header, ' '), " %3u", &seconds);
	return MIN(seconds, 5);
}

/* The same; and when nohyped has been asked too often, once more when it says. */
static int answer_get(const char *method, const char *path, const char *body, size_t len, char **text, char **rest)
{
	unsigned int tries = TRIES;
	int status;

	while ((status = answer_once(method, path, body, len, text, rest)) == 429 && *text && --tries) {
		sleep(seconds_find(*text));
		free(*text);
	}
	return status;
}

int api_ask(const char *method, const char *path, const char *body, size_t len, json_t **answer)
{
	char *text, *rest;
	int status = answer_get(method, path, body, len, &text, &rest);

	*answer = NULL;
	if (status >= 300)
		problem_report((unsigned int)status, rest);
	else if (status > 0)
		*answer = json_loads(rest, 0, NULL);
	free(text);
	return status;
}

int api_try(const char *method, const char *path, json_t **answer)
{
	struct capture capture;
	int status;

	*answer = NULL;
	if (capture_begin(&capture))
		return -EIO;
	status = api_ask(method, path, "", 0, answer);
	free(capture_end(&capture));
	return status;
}

bool api_is_own(void)
{
	struct capture capture;
	uid_t uid = 0;
	bool own;
	int fd;

	if (capture_begin(&capture))
		return false;
	fd = api_connect();
	own = fd >= 0 && !peer_uid(fd, &uid) && uid == geteuid();
	if (fd >= 0)
		close(fd);
	free(capture_end(&capture));
	return own;
}

char *api_text(const char *path)
{
	char *text, *rest;
	int status = answer_get("GET", path, "", 0, &text, &rest);

	if (status >= 300)
		problem_report((unsigned int)status, rest);
	if (status == 200 && rest)
		return memmove(text, rest, strlen(rest) + 1);
	free(text);
	return NULL;
}

/* The head of an answer; then problems end it. */
static int stream_begin(FILE *in, char **line, size_t *size)
{
	unsigned int status = 0;

	if (getline(line, size, in) < 0 || sscanf(*line, "HTTP/1.%*1[01] %3u", &status) != 1)
		return fail(-EPROTO, "nohyped: no answer by HTTP");
	while (getline(line, size, in) > 0 && strcmp(*line, "\r\n") != 0)
		;
	if (status == 200)
		return 0;
	problem_report(status, getline(line, size, in) > 0 ? *line : "");
	return -EACCES;
}

int api_stream(const char *path, bool (*take)(void *ctx, const char *line), void *ctx)
{
	int fd = api_connect(), err = fd < 0 ? fd : request_send(fd, "GET", path, "", 0);
	FILE *in = err ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	bool more = true;

	if (fd >= 0 && !in)
		close(fd);
	if (!in)
		return err ? err : -ENOMEM;
	err = stream_begin(in, &line, &size);
	while (!err && more) {
		/* it sends a comment every few seconds at least */
		if (getline(&line, &size, in) < 0) {
			err = fail(-EPIPE, "nohyped: its events end here: it was ended");
			break;
		}
		line[strcspn(line, "\n")] = '\0';
		more = take(ctx, line);
	}
	free(line);
	fclose(in);
	return err ? err : 200;
}

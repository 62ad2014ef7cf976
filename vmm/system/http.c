// SPDX-License-Identifier: GPL-2.0-only
/* The API's two sockets: one for all, and one on which nothing can be changed. Bodies, connections and time are
 * bounded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define CONNECTIONS_MAX 64
#define IDLE_SECONDS	10
#define REQUEST_MEMORY	(16 << 10) /* bytes of a request's line and headers: more are 431 */

static const char *const sockets[] = { "api.sock", "monitor.sock" };

static int connection_fd(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

static enum MHD_Result answer_send(struct MHD_Connection *connection, const struct request *request,
				   struct answer *answer)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(answer->len, answer->body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;
	char seconds[16];

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	if (answer->type)
		MHD_add_response_header(response, "Content-Type", answer->type);
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", request->route.allow);
	if (answer->retry_after) {
		snprintf(seconds, sizeof(seconds), "%u", answer->retry_after);
		MHD_add_response_header(response, "Retry-After", seconds);
	}
	MHD_add_response_header(response, "Cache-Control", "no-store");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

/* False: it isn't a number. */
static bool after_find(struct MHD_Connection *connection, json_int_t *after)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
	char *end;

	if (!text)
		text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "after");
	if (!text)
		return true;
	errno = 0;
	*after = strtoll(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static enum MHD_Result events_send(struct MHD_Connection *connection, struct request *request, struct answer *answer)
{
	json_int_t after = request->manager->last_stored;
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!after_find(connection, &after)) {
		answer_problem(answer, 400, NULL, "Last-Event-ID, after: not a number: wanted the id of an event");
		return answer_send(connection, request, answer);
	}
	/* whoever has had more than there was, as of an older STATE, gets the next one */
	response = stream_open(request, connection, MIN(after, request->manager->last_stored));
	if (!response) {
		answer_problem(answer, 503, NULL, "%d streams of events are open already: close one", STREAMS_MAX);
		return answer_send(connection, request, answer);
	}
	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

/* The first that is wrong with it, if anything, before its body is looked at. */
static void request_check(struct request *request, int fd, unsigned int found, const char *method,
			  struct answer *answer)
{
	bool change = strcmp(method, "GET") != 0;

	if (!peer_may(fd, request->read_only))
		answer_problem(answer, 403, NULL, "user %u is neither this socket's owner nor of its group",
			       (unsigned int)request->uid);
	else if ((answer->retry_after = limit_take(&request->manager->limit, request->uid, change, clock_now())))
		answer_problem(answer, 429, NULL,
			       "user %u asks too often: wanted at most %lld requests a second; try again in %u s",
			       (unsigned int)request->uid, (long long)request->manager->limit.rate,
			       answer->retry_after);
	else if (found == 404)
		answer_problem(answer, 404, NULL, "no such resource, or no name that a VM can have");
	else if (found)
		answer_problem(answer, found, NULL, "%s: wanted one of: %s", method, request->route.allow);
	else if (request->read_only && change)
		answer_problem(answer, 403, NULL, "%s: on this socket nothing can be changed", method);
}

static enum MHD_Result request_begin(struct manager *manager, bool read_only, struct MHD_Connection *connection,
				     const char *url, const char *method, void **state)
{
	struct request *request = calloc(1, sizeof(*request));
	int fd = connection_fd(connection);
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
	struct answer answer = { 0 };

	if (!request)
		return MHD_NO;
	*state = request;
	request->manager = manager;
	request->connection = connection;
	request->asked = clock_now();
	request->event = manager->last_event;
	request->read_only = read_only;
	request->uid = peer_uid(fd);
	request_check(request, fd, route_find(&request->route, method, url), method, &answer);
	if (!answer.status && length && strtoull(length, NULL, 10) > VM_CONFIG_MAX)
		answer_problem(&answer, 413, NULL, "a body of %s bytes: wanted at most %d", length, VM_CONFIG_MAX);
	return answer.status ? answer_send(connection, request, &answer) : MHD_YES;
}

static void body_take(struct request *request, const char *bytes, size_t len)
{
	char *body = NULL;

	if (!request->too_long && request->len + len <= VM_CONFIG_MAX)
		body = realloc(request->body, request->len + len + 1);
	request->too_long |= !body;
	if (!body)
		return;
	memcpy(body + request->len, bytes, len);
	request->body = body;
	request->len += len;
	body[request->len] = '\0';
}

static enum MHD_Result request_take(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				    const char *version, const char *bytes, size_t *len, void **state)
{
	struct MHD_Daemon *const *daemon = NULL;
	struct manager *manager = cls;
	struct request *request = *state;
	struct answer answer = { 0 };
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON);

	(void)version;
	daemon = info ? &info->daemon : NULL;
	if (!request)
		return request_begin(manager, !daemon || *daemon == manager->daemons[1], connection, url, method,
				     state);
	if (*len) {
		body_take(request, bytes, *len);
		*len = 0;
		return MHD_YES;
	}
	if (request->too_long)
		answer_problem(&answer, 413, NULL, "the body is too long: wanted at most %d bytes", VM_CONFIG_MAX);
	else if (request->route.id == ROUTE_EVENTS)
		return events_send(connection, request, &answer);
	else
		api_answer(request, &answer);
	return answer.status ? answer_send(connection, request, &answer) : MHD_YES;
}

/* Nothing that we have a name for needs an escape, and %00 would cut a path short: what has one is no resource. */
static size_t escapes_keep(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls;
	(void)connection;
	return strlen(text);
}

static void request_end(void *cls, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	struct request *request = *state;

	(void)cls;
	(void)connection;
	(void)why;
	if (request)
		free(request->body);
	free(request);
	*state = NULL;
}

/* Of its owner and group alone; one that a dead nohyped left is replaced. */
static int socket_open(const char *folder, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", folder, name);

	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		return fail(-ENAMETOOLONG, "socket: \"%s/%s\": wanted a path of less than %zu bytes", folder, name,
			    sizeof(address.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(-errno, "socket: %s", strerror(errno));
	unlink(address.sun_path);
	if (fchmod(fd, 0660) || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(address.sun_path, 0660) || listen(fd, 64)) {
		int err = fail(-errno, "socket: \"%s\": %s", address.sun_path, strerror(errno));

		close(fd);
		return err;
	}
	return fd;
}

int http_open(struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		int fd = service_socket(&manager->service, sockets[i]);

		if (fd < 0)
			fd = socket_open(manager->folders.run, sockets[i]);

		if (fd < 0)
			return fd;
		manager->daemons[i] = MHD_start_daemon(
			MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request_take, manager,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
			MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
			(size_t)REQUEST_MEMORY + RECORD_BLOCK, MHD_OPTION_NOTIFY_COMPLETED, request_end, NULL,
			MHD_OPTION_UNESCAPE_CALLBACK, escapes_keep, NULL, MHD_OPTION_END);
		if (!manager->daemons[i]) {
			close(fd);
			return fail(-EIO, "the HTTP server doesn't start: %s", strerror(errno));
		}
	}
	return 0;
}

/* Twice: a listener that stopped at the limit is taken up again at the beginning of a run alone. */
void http_serve(struct manager *manager)
{
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sockets); i++)
		MHD_run(manager->daemons[i / 2]);
}

bool http_is_full(const struct manager *manager)
{
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		if (MHD_get_daemon_info(manager->daemons[i], MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections >=
		    CONNECTIONS_MAX)
			return true;
	return false;
}

void http_close(struct manager *manager)
{
	manager->ending = true;
	streams_wake(manager);
	looks_wake(manager);
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
		if (!manager->daemons[i])
			continue;
		MHD_run(manager->daemons[i]);
		MHD_stop_daemon(manager->daemons[i]);
	}
}

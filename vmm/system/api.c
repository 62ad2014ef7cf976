// SPDX-License-Identifier: GPL-2.0-only
/* What each request does, once it is known to be one. schemas/openapi.json describes it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text_file.h"
#include "base/util.h"
#include "vmm/system/system.h"

#define JSON	 "application/json"
#define PROBLEM	 "application/problem+json" /* RFC 9457 */
#define TEXT	 "text/plain; charset=utf-8"
#define FILE_MAX MIB(4)

void answer_json(struct answer *answer, unsigned int status, json_t *json)
{
	answer->status = json ? status : 500;
	answer->type = JSON;
	answer->body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	answer->len = answer->body ? strlen(answer->body) : 0;
	json_decref(json);
}

static const char *problem_title(unsigned int status)
{
	switch (status) {
	case 400:
		return "Bad request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not found";
	case 405:
		return "Method not allowed";
	case 409:
		return "Conflict with the VM's state";
	case 413:
		return "Too long";
	case 422:
		return "Bad configuration";
	case 429:
		return "Too many requests";
	case 503:
		return "Not now";
	default:
		return "An error of nohyped's own";
	}
}

void answer_problem(struct answer *answer, unsigned int status, json_t *errors, const char *fmt, ...)
{
	char detail[512];
	json_t *json;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	json = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title", problem_title(status), "status",
			 (int)status, "detail", detail);
	if (errors)
		json_object_set_new(json, "errors", errors);
	answer_json(answer, status, json);
	answer->type = PROBLEM;
}

static json_t *by_json(const struct request *request)
{
	return json_pack("{s:{s:I}}", "by", "uid", (json_int_t)request->uid);
}

static void version_answer(struct answer *answer)
{
	answer_json(answer, 200, json_pack("{s:s, s:i}", "nohype", NOHYPE_VERSION, "api", 1));
}

static void list_answer(struct manager *manager, struct answer *answer)
{
	json_t *vms = json_array();

	for (unsigned int i = 0; i < manager->count; i++)
		json_array_append_new(vms, vm_json(manager->vms[i]));
	answer_json(answer, 200, json_pack("{s:o, s:I}", "vms", vms, "last_event", manager->last_stored));
}

static void show_answer(struct manager *manager, struct managed *vm, struct answer *answer)
{
	json_t *json = vm_json(vm), *live = vm_live_json(manager, vm);

	json_object_set_new(json, "live", live ? live : json_null());
	answer_json(answer, 200, json);
}

static void put_answer(struct request *request, struct managed *vm, struct answer *answer)
{
	struct manager *manager = request->manager;
	json_t *errors;
	bool created = !vm;
	int err;

	if (created && manager->count == VMS_MAX) {
		answer_problem(answer, 503, NULL, "there are %d VMs already: delete one", VMS_MAX);
		return;
	}
	err = store_put(manager, request->route.name, request->body ? request->body : "", request->len, &errors);
	if (err) {
		answer_problem(answer, err == -EINVAL ? 422 : 500, errors,
			       err == -EINVAL ? "the configuration: see errors" : "not stored: %s", strerror(-err));
		return;
	}
	if (created)
		vm = vm_add(manager, request->route.name);
	if (!vm) {
		answer_problem(answer, 500, NULL, "no memory");
		return;
	}
	event_add(manager, "defined", vm, by_json(request));
	answer_json(answer, created ? 201 : 200, vm_json(vm));
}

static void unwritten_answer(const struct request *request, const char *what, int err, struct answer *answer)
{
	answer_problem(answer, 500, NULL, "\"%s\": %s can't be written to %s/events: %s", request->route.name, what,
		       request->manager->folders.state, strerror(-err));
}

/* Its configuration goes last: if nohyped ends before, the VM is there still, and may be deleted once more. */
static void delete_answer(struct request *request, struct managed *vm, struct answer *answer)
{
	static const char *const files[] = { "life", "log", "console", "report", "" };
	char *path;
	int err;

	if (vm_is_alive(vm)) {
		answer_problem(answer, 409, NULL, "\"%s\" runs (%s): stop it first", vm->name, vm->state);
		return;
	}
	err = event_begin(request->manager, "deleted", vm, by_json(request));
	if (err) {
		unwritten_answer(request, "not deleted, as that", err, answer);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		path = path_make("%s/vm/%s/%s", request->manager->folders.run, vm->name, files[i]);
		if (path)
			remove(path);
		free(path);
	}
	path = store_path(request->manager, vm->name);
	if (!path || (unlink(path) && errno != ENOENT)) {
		answer_problem(answer, 500, NULL, "\"%s\": %s", path ? path : vm->name, strerror(errno));
		vm_forget(vm);
		event_add(request->manager, "defined", vm, by_json(request));
	} else {
		vm_remove(request->manager, vm);
		answer->status = 204;
	}
	free(path);
}

static void start_answer(struct request *request, struct managed *vm, struct answer *answer)
{
	int err;

	if (vm_is_alive(vm)) {
		answer_problem(answer, 409, NULL, "\"%s\" runs already (%s)", vm->name, vm->state);
		return;
	}
	err = vm_begin(request->manager, vm, by_json(request));
	if (err) {
		unwritten_answer(request, "not started, as its start", err, answer);
		return;
	}
	vm->restarts = 0;
	err = vm_launch(request->manager, vm);
	if (err)
		answer_problem(answer, 500, NULL, "\"%s\": its supervisor doesn't start: %s", vm->name, strerror(-err));
	else
		answer_json(answer, 202, vm_json(vm));
}

/* To one that waits for its restart: it is not to come after the next nohyped has begun either. */
static void wait_end(struct request *request, struct managed *vm, const char *word, struct answer *answer)
{
	int err = event_begin(request->manager, word, vm, by_json(request));

	if (err) {
		unwritten_answer(request, "not ordered, as the order", err, answer);
		return;
	}
	vm->restart_at = 0;
	answer_json(answer, 202, vm_json(vm));
}

static void order_answer(struct request *request, struct managed *vm, const char *word, struct answer *answer)
{
	bool seal = strcmp(word, "seal") == 0;

	if (!seal && !vm_is_alive(vm) && vm->restart_at) {
		wait_end(request, vm, word, answer);
		return;
	}
	if (!vm_is_alive(vm)) {
		answer_problem(answer, 409, NULL, "\"%s\" doesn't run (%s): start it first", vm->name, vm->state);
		return;
	}
	if (seal && strcmp(vm->state, "booting") != 0) {
		answer_problem(answer, 409, NULL, "\"%s\" is %s: wanted it booting", vm->name, vm->state);
		return;
	}
	vm->ordered = vm->ordered || !seal;
	event_add(request->manager, word, vm, by_json(request));
	vm_order(vm, word);
	answer_json(answer, 202, vm_json(vm));
}

/* A file of the VM's, whole. @path is freed. */
static void file_answer(char *path, const char *type, const char *what, struct answer *answer)
{
	struct stat st;
	ssize_t len = path && !stat(path, &st) ? text_file_read(path, FILE_MAX, what, what, &answer->body) : -ENOENT;

	free(path);
	if (len < 0) {
		answer->body = NULL;
		answer_problem(answer, len == -ENOENT ? 404 : 500, NULL, "%s: %s", what,
			       len == -ENOENT ? "there is none" : strerror((int)-len));
		return;
	}
	answer->status = 200;
	answer->type = type;
	answer->len = (size_t)len;
}

static void vm_answer(struct request *request, struct managed *vm, struct answer *answer)
{
	static const char *const words[] = { [ROUTE_STOP] = "stop", [ROUTE_ABORT] = "abort", [ROUTE_SEAL] = "seal" };
	const char *run = request->manager->folders.run;

	switch (request->route.id) {
	case ROUTE_SHOW:
		show_answer(request->manager, vm, answer);
		break;
	case ROUTE_DELETE:
		delete_answer(request, vm, answer);
		break;
	case ROUTE_START:
		start_answer(request, vm, answer);
		break;
	case ROUTE_STOP:
	case ROUTE_ABORT:
	case ROUTE_SEAL:
		order_answer(request, vm, words[request->route.id], answer);
		break;
	case ROUTE_CONFIG:
		file_answer(store_path(request->manager, vm->name), JSON, "a configuration", answer);
		break;
	case ROUTE_LOG:
		file_answer(path_make("%s/vm/%s/log", run, vm->name), TEXT, "a log", answer);
		break;
	case ROUTE_CONSOLE:
		file_answer(path_make("%s/vm/%s/console", run, vm->name), TEXT, "a console", answer);
		break;
	case ROUTE_REPORT:
		file_answer(path_make("%s/vm/%s/report", run, vm->name), JSON, "a report", answer);
		break;
	default:
		answer_problem(answer, 500, NULL, "a route without an answer");
	}
}

void api_answer(struct request *request, struct answer *answer)
{
	struct managed *vm = vm_find(request->manager, request->route.name);

	if (request->len && request->route.id != ROUTE_PUT) {
		answer_problem(answer, 400, NULL, "a body of %zu bytes: wanted none", request->len);
	} else if (request->route.id == ROUTE_VERSION) {
		version_answer(answer);
	} else if (request->route.id == ROUTE_METRICS) {
		answer->body = metrics_text(request->manager, &answer->len);
		answer->status = answer->body ? 200 : 500;
		answer->type = "text/plain; version=0.0.4; charset=utf-8";
	} else if (request->route.id == ROUTE_TOPOLOGY || request->route.id == ROUTE_DOCTOR) {
		look_answer(request, answer);
	} else if (request->route.id == ROUTE_LIST) {
		list_answer(request->manager, answer);
	} else if (request->route.id == ROUTE_PUT) {
		put_answer(request, vm, answer);
	} else if (!vm) {
		answer_problem(answer, 404, NULL, "\"%s\": no such VM", request->route.name);
	} else {
		vm_answer(request, vm, answer);
	}
}

// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/control.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define ASK_MS	  5000 /* until a supervisor that doesn't answer is given up */
#define LISTEN_MS 3000 /* until a client that says nothing is hung up on */

socklen_t control_address(struct sockaddr_un *address, uid_t uid, const char *name)
{
	int len;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "nohype/%u/%s", (unsigned int)uid, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* Is the process at the other end root's or this user's? */
static int peer_check(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len))
		return -errno;
	return peer->uid == 0 || peer->uid == geteuid() ? 0 : -EPERM;
}

/* Who holds the name: a VM of this user's, or someone who wants none to start. */
static int taken_fail(const char *name, const struct sockaddr_un *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = { 0 };
	int err = 0;

	if (fd >= 0 && connect(fd, (const struct sockaddr *)address, len))
		err = -errno;
	else if (fd >= 0)
		err = peer_check(fd, &peer);
	if (fd >= 0)
		close(fd);
	if (err == -EPERM)
		return fail(-EEXIST,
			    "name: \"%s\": process %d of user %u has taken the address of its control socket "
			    "(@%s): end that, or name this VM otherwise",
			    name, (int)peer.pid, (unsigned int)peer.uid, address->sun_path + 1);
	if (err == -ECONNREFUSED)
		return fail(-EEXIST,
			    "name: \"%s\": a process that isn't nohype has taken the address of its control socket "
			    "(@%s): name this VM otherwise",
			    name, address->sun_path + 1);
	return fail(-EEXIST, "name: \"%s\": a VM of that name runs already: stop it, or name this one otherwise", name);
}

int control_take(struct vm *vm)
{
	struct sockaddr_un address;
	socklen_t len = control_address(&address, geteuid(), vm->cfg->name);

	vm->control_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vm->control_fd < 0)
		return fail(-errno, "control socket: %s", strerror(errno));
	if (!bind(vm->control_fd, (struct sockaddr *)&address, len) && !listen(vm->control_fd, 8))
		return 0;
	control_give_back(vm);
	if (errno == EADDRINUSE)
		return taken_fail(vm->cfg->name, &address, len);
	return fail(-errno, "control socket: %s", strerror(errno));
}

void control_give_back(struct vm *vm)
{
	int saved = errno;

	fd_close(&vm->client_fd);
	fd_close(&vm->control_fd);
	errno = saved;
}

/* One client at a time; the others wait in the kernel's queue. */
static void control_accept(struct vm *vm)
{
	struct ucred peer;

	vm->client_fd = accept4(vm->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	vm->client_since = clock_now();
	if (vm->client_fd >= 0 && peer_check(vm->client_fd, &peer))
		fd_close(&vm->client_fd);
}

int64_t control_watch(struct vm *vm)
{
	int64_t left = LISTEN_MS - (clock_now() - vm->client_since) / 1000000;

	if (vm->client_fd < 0)
		return -1;
	if (left <= 0)
		fd_close(&vm->client_fd);
	return left > 0 ? left : -1;
}

struct pollfd control_poll(const struct vm *vm)
{
	return (struct pollfd){ .fd = vm->client_fd >= 0 ? vm->client_fd : vm->control_fd, .events = POLLIN };
}

struct answer {
	char text[CONTROL_TEXT_MAX];
	size_t len;
};

static void answer_set(struct answer *answer, const char *text)
{
	answer->len = (size_t)snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static const char *state_name(const struct vm *vm)
{
	if (vm->core_gone)
		return "ending";
	if (vm->seal.sealed)
		return "sealed";
	if (!vm->seal.asked)
		return "booting";
	return vm->seal.level == SEAL_AUDIT ? "audited" : "sealing";
}

static json_t *vcpu_json(const struct vm *vm, unsigned int i)
{
	const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];
	struct exits now, before;
	json_t *json;

	if (exits_read(vcpu, &now))
		return NULL;
	before = vm->seal.marked ? vcpu->at_seal : now;
	json = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "vcpu", (int)i, "core", (int)vm->plan.cores[i], "exits",
			 (json_int_t)now.all, "host", (json_int_t)now.host, "before_seal", (json_int_t)before.all,
			 "host_before_seal", (json_int_t)before.host);
	json_object_set_new(json, "exceptions", exceptions_count_json(&vm->seal, i));
	return json;
}

/* As they are now; those of the seal if the core manager is just ending; none before the seal. */
static json_t *guarantees_now(const struct vm *vm)
{
	struct guarantees now = { 0 };

	if (vm->seal.marked)
		guarantees_read(vm, &now);
	return guarantees_json(now.count ? &now : &vm->seal.guarantees);
}

static void answer_exits(struct vm *vm, struct answer *answer)
{
	json_t *vcpus = json_array(), *cache = cache_json(vm, false), *json;

	for (unsigned int i = 0; i < vm->seal.count; i++)
		json_array_append_new(vcpus, vcpu_json(vm, i)); /* NULL isn't appended */
	json = json_pack("{s:b, s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o, s:o}", "ok", 1, "name", vm->cfg->name, "state",
			 state_name(vm), "level", seal_level_name(vm->seal.level), "label", vm->seal.label, "vcpus",
			 vcpus, "now_ns", (json_int_t)(clock_now() - vm->started), "asked_ns",
			 time_json(vm, vm->seal.asked_at), "sealed_ns", time_json(vm, seal_time(vm)), "guarantees",
			 guarantees_now(vm));
	json_object_set_new(json, "reasons", reasons_live_json(vm));
	json_object_set_new(json, "heartbeat", heartbeat_json(vm));
	json_object_set_new(json, "memory_traffic_bytes", memory_traffic_json(cache));
	json_object_set_new(json, "cache", cache); /* released also where there is no object */
	answer->len = json ? json_dumpb(json, answer->text, sizeof(answer->text), 0) : 0;
	json_decref(json);
	if (!answer->len || answer->len > sizeof(answer->text))
		answer_set(answer, "{\"ok\": false, \"error\": \"no room for the answer\"}");
}

static void order_stop(struct vm *vm)
{
	rings_stop(vm); /* without rings a guest can't be asked, so it is ended at once */
}

static void order_abort(struct vm *vm)
{
	vm->abandoned = true;
	vm_stop(vm, EXIT_ABORTED, "aborted by order");
}

static const struct order {
	const char *word;
	void (*act)(struct vm *vm);
} orders[] = {
	{ "stop", order_stop },
	{ "abort", order_abort },
	{ "seal", seal_ask },
};

static void order_take(struct vm *vm, const char *word, struct answer *answer)
{
	if (strcmp(word, "exits") == 0) {
		answer_exits(vm, answer);
		return;
	}
	if (rings_serve(word)) {
		answer_set(answer,
			   vm->rings.fd >= 0 ? "{\"ok\": true, \"rings\": true}" : "{\"ok\": true, \"rings\": false}");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (strcmp(orders[i].word, word) != 0)
			continue;
		orders[i].act(vm);
		answer_set(answer, "{\"ok\": true}");
		return;
	}
	answer_set(answer, "{\"ok\": false, \"error\": \"unknown request\"}");
}

/* The system manager holds it too, and its rings', so that they can be cleared when we have been killed. */
static void memory_give(const struct vm *vm)
{
	static const char answer[] = "{\"ok\": true}";
	const int fds[] = { vm->memory.fd, vm->rings.memory.fd };
	int err = fd_send(vm->client_fd, answer, strlen(answer), fds, vm->rings.memory.fd >= 0 ? 2 : 1, MSG_DONTWAIT);

	if (err)
		warn("control socket: a client didn't take the memory: %s", strerror(-err));
}

static void control_serve(struct vm *vm)
{
	struct answer answer = { .len = 0 };
	char word[CONTROL_WORD_MAX + 1];
	ssize_t len = recv(vm->client_fd, word, sizeof(word) - 1, MSG_DONTWAIT);

	if (len > 0) {
		word[len] = '\0';
	}
	if (len > 0 && strcmp(word, "memory") == 0) {
		memory_give(vm);
	} else if (len > 0) {
		order_take(vm, word, &answer);
		if (send(vm->client_fd, answer.text, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			warn("control socket: a client didn't take its answer: %s", strerror(errno));
		else
			rings_attach(vm, word, vm->client_fd); /* as one that is the ring process' from now on */
	}
	fd_close(&vm->client_fd);
}

void control_turn(struct vm *vm, const struct pollfd *control)
{
	if (control->revents && vm->client_fd >= 0)
		control_serve(vm);
	else if (control->revents)
		control_accept(vm);
}

/* For each step: to send is also to connect, which waits while a queue is full. */
static int patience_set(int fd, unsigned int ms)
{
	const struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return -errno;
	return 0;
}

static int socket_ask(int fd, const char *word, char *answer, size_t size)
{
	ssize_t len = send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ? -1 : recv(fd, answer, size - 1, 0);

	if (len < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!len)
		return -ECONNRESET;
	answer[len] = '\0';
	return 0;
}

int control_connect(const char *name, unsigned int ms, struct ucred *peer)
{
	struct sockaddr_un address;
	socklen_t address_len = control_address(&address, geteuid(), name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = patience_set(fd, ms);
	if (!err && connect(fd, (struct sockaddr *)&address, address_len))
		err = errno == EAGAIN ? -ETIMEDOUT : -ESRCH;
	if (!err)
		err = peer_check(fd, peer);
	if (err)
		close(fd);
	return err ? err : fd;
}

/* The socket, which is the caller's. */
static int control_open(const char *name, const char *word, char *answer, size_t size, unsigned int ms)
{
	struct ucred peer;
	int fd = control_connect(name, ms, &peer), err = fd < 0 ? fd : socket_ask(fd, word, answer, size);

	if (fd >= 0 && err)
		close(fd);
	return err ? err : fd;
}

static int control_fail(const char *name, int err)
{
	if (err == -ESRCH)
		return fail(err, "\"%s\": no VM of that name and of this user runs", name);
	if (err == -EPERM)
		return fail(err, "\"%s\": who holds its control socket is another user: nothing was sent", name);
	return fail(err, "\"%s\": its supervisor didn't answer: %s", name, strerror(-err));
}

int control_try_for(const char *name, const char *word, char *answer, size_t size, unsigned int ms)
{
	int fd = control_open(name, word, answer, size, ms);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int control_try(const char *name, const char *word, char *answer, size_t size)
{
	return control_try_for(name, word, answer, size, ASK_MS);
}

int control_ask(const char *name, const char *word, char *answer, size_t size)
{
	int err = control_try(name, word, answer, size);

	return err ? control_fail(name, err) : 0;
}

int control_attach(const char *name, const char *word, char *answer, size_t size)
{
	int fd = control_open(name, word, answer, size, ASK_MS);

	return fd < 0 ? control_fail(name, fd) : fd;
}

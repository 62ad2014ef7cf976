// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/supervisor/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define ASK_SECONDS 5 /* until a supervisor that doesn't answer is given up */

socklen_t control_address(struct sockaddr_un *address, uid_t uid, const char *name)
{
	int len;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "nohype/%u/%s", (unsigned int)uid, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* Is the process at the other end root's or this user's? */
static int peer_check(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EPERM;
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
		return fail(-EEXIST,
			    "name: \"%s\": a VM of that name runs already: stop it, or name this one otherwise",
			    vm->cfg->name);
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
void control_accept(struct vm *vm)
{
	vm->client_fd = accept4(vm->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (vm->client_fd >= 0 && peer_check(vm->client_fd))
		fd_close(&vm->client_fd);
}

struct answer {
	char text[CONTROL_TEXT_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void answer_add(struct answer *answer, const char *fmt, ...)
{
	size_t room = sizeof(answer->text) - answer->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(answer->text + answer->len, room, fmt, ap);
	va_end(ap);
	answer->len += MIN((size_t)len, room - 1);
}

static const char *state_name(const struct vm *vm)
{
	if (vm->core_gone)
		return "ending";
	if (vm->seal.sealed)
		return "sealed";
	return vm->seal.asked ? "audited" : "booting";
}

static void answer_exits(const struct vm *vm, struct answer *answer)
{
	answer_add(answer,
		   "{\"ok\": true, \"name\": \"%s\", \"state\": \"%s\", \"level\": \"%s\", \"label\": \"%s\", "
		   "\"vcpus\": [",
		   vm->cfg->name, state_name(vm), seal_level_name(vm->seal.level), vm->seal.label);
	for (unsigned int i = 0; i < vm->seal.count; i++) {
		const struct watched_vcpu *vcpu = &vm->seal.vcpus[i];
		struct exits now, before;

		if (exits_read(vcpu, &now))
			continue;
		before = vm->seal.asked ? vcpu->at_seal : now;
		answer_add(answer,
			   "%s{\"vcpu\": %u, \"core\": %u, \"exits\": %" PRIu64 ", \"host\": %" PRIu64
			   ", \"before_seal\": %" PRIu64 ", \"host_before_seal\": %" PRIu64 "}",
			   i ? ", " : "", i, vm->plan.cores[i], now.all, now.host, before.all, before.host);
	}
	answer_add(answer, "]}");
}

static void order_stop(struct vm *vm)
{
	/* before the console rings exist a guest can't be asked, so it is ended at once */
	vm_stop(vm, EXIT_CLEAN, "stopped by order");
}

static void order_abort(struct vm *vm)
{
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
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		if (strcmp(orders[i].word, word) != 0)
			continue;
		orders[i].act(vm);
		answer_add(answer, "{\"ok\": true}");
		return;
	}
	answer_add(answer, "{\"ok\": false, \"error\": \"unknown request\"}");
}

void control_serve(struct vm *vm)
{
	struct answer answer = { .len = 0 };
	char word[CONTROL_WORD_MAX + 1];
	ssize_t len = recv(vm->client_fd, word, sizeof(word) - 1, MSG_DONTWAIT);

	if (len > 0) {
		word[len] = '\0';
		order_take(vm, word, &answer);
		if (send(vm->client_fd, answer.text, answer.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			warn("control socket: a client didn't take its answer: %s", strerror(errno));
	}
	fd_close(&vm->client_fd);
}

int control_ask(const char *name, const char *word, char *answer, size_t size)
{
	static const struct timeval patience = { .tv_sec = ASK_SECONDS };
	struct sockaddr_un address;
	socklen_t address_len = control_address(&address, geteuid(), name);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int err = 0;
	ssize_t len;

	if (fd < 0)
		return fail(-errno, "control socket: %s", strerror(errno));
	if (connect(fd, (struct sockaddr *)&address, address_len)) {
		err = fail(-ESRCH, "\"%s\": no VM of that name and of this user runs", name);
		goto close_fd;
	}
	err = peer_check(fd);
	if (err) {
		fail(err, "\"%s\": who holds its control socket is another user: nothing was sent", name);
		goto close_fd;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	len = send(fd, word, strlen(word), MSG_NOSIGNAL) < 0 ? -1 : recv(fd, answer, size - 1, 0);
	if (len <= 0)
		err = fail(len ? -errno : -ECONNRESET, "\"%s\": its supervisor didn't answer: %s", name,
			   strerror(len ? errno : ECONNRESET));
	else
		answer[len] = '\0';
close_fd:
	close(fd);
	return err;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor while a VM runs: that neither a guest, nor who has won the core manager, nor another user keeps it
 * from what it has to do. The core manager is a process that does nothing.
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/control.h"
#include "vmm/supervisor/internal.h"

#define MANY 100 /* more messages than are taken at a time, and few enough for a socket to hold */

static struct vm vm;
static struct vm_config cfg;
static const struct run_options options;
static char name[] = "web";
static int events, console;
static char answer[CONTROL_TEXT_MAX];

static void vm_make(void)
{
	int pair[2], size = 4 << 20;
	sigset_t none;

	cfg = (struct vm_config){ .name = name };
	vm = (struct vm){ .cfg = &cfg,
			  .opt = &options,
			  .client_fd = -1,
			  .control_fd = -1,
			  .rings = { .fd = -1 },
			  .seal = { .other.fd = -1, .vm_stats_fd = -1 } };
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ck_assert_int_eq(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	vm.event_fd = pair[0];
	events = pair[1];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	vm.console_fd = pair[0];
	console = pair[1];
	sigemptyset(&none);
	vm.signal_fd = signalfd(-1, &none, SFD_CLOEXEC);
	vm.core_pid = fork();
	if (vm.core_pid == 0)
		for (;;)
			pause();
	vm.core_pidfd = (int)syscall(SYS_pidfd_open, vm.core_pid, 0);
	ck_assert_int_ge(vm.core_pidfd, 0);
}

static void vm_unmake(void)
{
	core_kill(&vm);
	close(events);
	close(console);
	close(vm.event_fd);
	close(vm.console_fd);
	close(vm.signal_fd);
	close(vm.core_pidfd);
}

static unsigned int events_put(enum event_type type, enum log_level level)
{
	const struct event event = { .type = type, .level = level, .value = '!', .text = "x" };
	unsigned int count = 0;

	while (count < MANY && send(events, &event, sizeof(event), MSG_DONTWAIT) == (ssize_t)sizeof(event))
		count++;
	return count;
}

static unsigned int lines_of(const char *text)
{
	unsigned int lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* At audit a guest can say so as often as it likes; what is said goes to a file on the host. */
START_TEST(guest_is_ready_once)
{
	struct capture cap;
	unsigned int put;
	char *said;

	vm.seal.level = SEAL_AUDIT;
	vm.seal.asked = true;
	put = events_put(EVENT_READY, 0);
	ck_assert_uint_gt(put, 1);
	ck_assert_int_eq(capture_begin(&cap), 0);
	while (recv(vm.event_fd, &put, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		ck_assert(events_receive(&vm));
	said = capture_end(&cap);
	ck_assert_uint_le(lines_of(said), 1);
	free(said);
}
END_TEST

/* Whoever sends on and on doesn't keep the supervisor from orders and signals. */
START_TEST(events_have_turns)
{
	unsigned int put = events_put(EVENT_LOG, LOG_NOTE);
	struct capture cap;
	char *said, byte;

	ck_assert_uint_eq(put, MANY);
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert(events_receive(&vm));
	said = capture_end(&cap);
	ck_assert_uint_ge(lines_of(said), 1);
	ck_assert_int_gt(recv(vm.event_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT), 0);
	free(said);
}
END_TEST

/* But all that a dead one has said is heard. */
START_TEST(last_words_are_heard)
{
	unsigned int put = events_put(EVENT_LOG, LOG_NOTE);
	struct capture cap;
	char *said;

	core_kill(&vm);
	ck_assert_int_eq(capture_begin(&cap), 0);
	events_receive(&vm);
	said = capture_end(&cap);
	ck_assert_uint_eq(lines_of(said), put);
	free(said);
}
END_TEST

/* At audit it can go on for ever: what it says is a part of the VM's log, in a file system that others need too. */
START_TEST(words_have_an_end)
{
	struct capture cap;
	char *said, byte;

	ck_assert_int_eq(capture_begin(&cap), 0);
	for (unsigned int put = 0; put < 3000; put += events_put(EVENT_LOG, LOG_NOTE))
		while (recv(vm.event_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			ck_assert(events_receive(&vm));
	said = capture_end(&cap);
	ck_assert_uint_eq(lines_of(said), 1000);
	ck_assert_ptr_nonnull(strstr(said, "what follows is dropped"));
	ck_assert(!vm.core_failed);
	events_put(EVENT_LOG, LOG_ERROR);
	while (recv(vm.event_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		ck_assert(events_receive(&vm));
	ck_assert(vm.core_failed);
	free(said);
}
END_TEST

/* An order that comes while it is being sealed is what ended it, not that the dead couldn't be sealed. */
START_TEST(dead_are_not_sealed)
{
	static const enum event_type types[] = { EVENT_BOOTING, EVENT_READY, EVENT_QUIET, EVENT_FILTERED };
	struct outcome outcome = { 0 };

	vm.plan.vcpus = 1;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		ck_assert_int_eq(send(events, &(struct event){ .type = types[i] }, sizeof(struct event), 0),
				 sizeof(struct event));
	vm_stop(&vm, EXIT_ABORTED, "aborted by order");
	ck_assert(events_receive(&vm));
	outcome_find(&vm, &outcome);
	ck_assert_int_eq(outcome.code, EXIT_ABORTED);
	ck_assert_str_eq(outcome.text, "aborted by order");
}
END_TEST

/* Nor when its vCPUs were what the seal still waited for, and the last one is told of by the dead. */
START_TEST(dead_are_not_asked)
{
	struct outcome outcome = { 0 };

	vm.seal.level = SEAL_STRICT;
	close(events);
	events = -1;
	vm_stop(&vm, EXIT_ABORTED, "aborted by order");
	seal_ask(&vm);
	outcome_find(&vm, &outcome);
	ck_assert_int_eq(outcome.code, EXIT_ABORTED);
	ck_assert_str_eq(outcome.text, "aborted by order");
}
END_TEST

/* A vCPU whose statistics can't be understood isn't taken: its fds are closed once, and who gets their numbers next
 * keeps them. */
START_TEST(refused_fds_are_closed_once)
{
	const struct event event = { .type = EVENT_VCPU };
	int fds[] = { memfd_create("statistics", MFD_CLOEXEC), memfd_create("vCPU", MFD_CLOEXEC) }, later[8];
	struct capture cap;

	vm.plan.vcpus = 2;
	ck_assert_int_eq(ftruncate(fds[1], sysconf(_SC_PAGESIZE)), 0);
	ck_assert_int_eq(fd_send(events, &event, sizeof(event), fds, 2, 0), 0);
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert(!events_receive(&vm));
	free(capture_end(&cap));
	for (size_t i = 0; i < ARRAY_SIZE(later); i++)
		later[i] = dup(fds[0]);
	seal_release(&vm);
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		ck_assert_int_ge(fcntl(later[i], F_GETFD), 0);
		close(later[i]);
	}
	close(fds[0]);
	close(fds[1]);
}
END_TEST

/* Ends the core manager when the guest's words have come, or after some seconds; its status says which. */
static pid_t reader_start(int from)
{
	struct pollfd out = { .fd = from, .events = POLLIN };
	char bytes[8];
	pid_t pid = fork();
	int heard;

	if (pid != 0)
		return pid;
	heard = poll(&out, 1, 5000) == 1 && read(from, bytes, sizeof(bytes)) == 2;
	kill(vm.core_pid, SIGKILL);
	_exit(heard ? 0 : 1);
}

/*
 * Another user can knock at the control socket as fast as it likes. Here it is one that always looks as if somebody
 * were there.
 */
START_TEST(knocking_stops_nothing)
{
	int knock[2], out[2], saved = dup(STDOUT_FILENO), status;
	pid_t reader;

	ck_assert_int_eq(pipe(knock), 0);
	ck_assert_int_eq(write(knock[1], "x", 1), 1);
	ck_assert_int_eq(pipe(out), 0);
	vm.control_fd = knock[0];
	ck_assert_int_eq(write(console, "hi", 2), 2);
	reader = reader_start(out[0]);
	ck_assert_int_ge(dup2(out[1], STDOUT_FILENO), 0);
	vm_watch(&vm);
	dup2(saved, STDOUT_FILENO);
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* One client connects and is stopped, say; the next one's order is taken all the same. */
START_TEST(silent_client_holds_nobody_up)
{
	static char own[32];
	struct ucred peer;
	int silent, status;
	pid_t client;

	snprintf(own, sizeof(own), "watch-%d", (int)getpid());
	cfg.name = own;
	ck_assert_int_eq(control_take(&vm), 0);
	silent = control_connect(own, 1000, &peer);
	ck_assert_int_ge(silent, 0);
	client = fork();
	if (client == 0)
		_exit(control_ask(own, "abort", answer, sizeof(answer)) ? EXIT_FAILURE : EXIT_SUCCESS);
	vm_watch(&vm);
	ck_assert_int_eq(waitpid(client, &status, 0), client);
	ck_assert_int_eq(status, 0);
	ck_assert(vm.core_gone);
	close(silent);
	control_give_back(&vm);
}
END_TEST

/* The host was asleep, or its clock was set, between two looks: as the kernel's clocks say then. */
static const struct {
	int64_t asleep, wall; /* ns */
	const char *said;
} clocks[] = {
	{ 0, 0, "" },
	{ 5001 * INT64_C(1000000), 0, "nohype: warning: web: the host: suspended: for 5.0" },
	{ 0, INT64_C(3600000000000), "nohype: warning: web: the host: clock set: forward by " },
	{ 0, -INT64_C(3600000000000), "nohype: warning: web: the host: clock set: back by " },
	{ 0, INT64_C(100000000), "" }, /* two clocks are not read at one moment */
	{ 50 * INT64_C(1000000), 0, "" },
};

static bool preempted; /* after the next look at the clock that counts sleep too */

int64_t __real_clock_read(clockid_t clock);
int64_t __wrap_clock_read(clockid_t clock);

int64_t __wrap_clock_read(clockid_t clock)
{
	int64_t ns = __real_clock_read(clock);

	if (clock == CLOCK_BOOTTIME && preempted) {
		preempted = false;
		poll(NULL, 0, 300);
	}
	return ns;
}

/* Each time that it is judged, a thread is asked whether the tripwire would end it. */
static const struct {
	int how; /* SIG_BLOCK: blocked; or -1 */
	void (*handler)(int);
	enum guarantee_state state;
	const char *said;
} traps[] = {
	{ -1, SIG_DFL, GUARANTEE_HELD, "strict: tripwire armed on 1 of 1 vCPUs, able to kill" },
	{ -1, SIG_IGN, GUARANTEE_NOT_HELD, "strict: vCPU 0: SIGTRAP is ignored there: a tripwire could not end it" },
	{ SIG_BLOCK, SIG_DFL, GUARANTEE_NOT_HELD,
	  "strict: vCPU 0: SIGTRAP is blocked there: a tripwire could not end it" },
};

/* The core manager with SIGTRAP so. Children have it as we do when they are made. */
static pid_t core_with(int how, void (*handler)(int))
{
	sigset_t trap, before;
	pid_t pid;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	sigprocmask(SIG_BLOCK, how < 0 ? NULL : &trap, &before);
	signal(SIGTRAP, handler);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	signal(SIGTRAP, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

START_TEST(exits_are_judged_anew)
{
	struct guarantee row;
	pid_t was = vm.core_pid;

	vm.seal.level = SEAL_STRICT;
	vm.seal.count = vm.seal.armed = 1;
	vm.core_pid = vm.seal.vcpus[0].tid = core_with(traps[_i].how, traps[_i].handler);
	guarantee_exits(&vm, &row);
	ck_assert_str_eq(row.evidence, traps[_i].said);
	ck_assert_int_eq(row.state, traps[_i].state);
	kill(vm.core_pid, SIGKILL);
	ck_assert_int_eq(waitpid(vm.core_pid, NULL, 0), vm.core_pid);
	guarantee_exits(&vm, &row);
	ck_assert_int_eq(row.state, GUARANTEE_NOT_HAD);
	vm.core_gone = true;
	guarantee_exits(&vm, &row);
	ck_assert_int_eq(row.state, GUARANTEE_HELD);
	vm.core_gone = false;
	vm.core_pid = was;
	vm.seal.count = 0;
}
END_TEST

/* A debugger gets the signal in its place. */
START_TEST(debugged_is_not_ended)
{
	struct guarantee row;
	char said[128];

	vm.seal.level = SEAL_STRICT;
	vm.seal.count = vm.seal.armed = 1;
	vm.seal.vcpus[0].tid = vm.core_pid;
	ck_assert_int_eq(ptrace(PTRACE_SEIZE, vm.core_pid, NULL, NULL), 0);
	guarantee_exits(&vm, &row);
	snprintf(said, sizeof(said), "strict: vCPU 0: process %d debugs it, and would get its SIGTRAP", (int)getpid());
	ck_assert_str_eq(row.evidence, said);
	ck_assert_int_eq(row.state, GUARANTEE_NOT_HELD);
	vm.seal.count = 0;
}
END_TEST

static enum guarantee_state states[8]; /* of the cores' guarantee, as they are read one after the other */
static unsigned int reads;

void __wrap_guarantees_read(const struct vm *of, struct guarantees *guarantees);

void __wrap_guarantees_read(const struct vm *of, struct guarantees *guarantees)
{
	(void)of;
	*guarantees = (struct guarantees){ .count = GUARANTEE_COUNT };
	for (unsigned int i = 0; i < GUARANTEE_COUNT; i++)
		guarantees->rows[i].name = guarantee_name(i);
	guarantee_set(&guarantees->rows[GUARANTEE_CORES], states[MIN(reads, ARRAY_SIZE(states) - 1)], "as read");
	reads++;
}

/* Sealed, and its first look was. Nothing was promised, so that nothing is lost. */
static void watch_begin(void)
{
	cfg.watch_every = 60000;
	vm.seal.marked = true;
	vm.seal.guarantees.count = GUARANTEE_COUNT;
	for (unsigned int i = 0; i < GUARANTEE_COUNT; i++)
		vm.seal.guarantees.rows[i].state = GUARANTEE_NOT_HAD;
	ck_assert_int_eq(host_watch(&vm), 60000);
}

/* What the next look says. */
static char *look(void)
{
	struct capture cap;

	vm.watched.next = 1;
	ck_assert_int_eq(capture_begin(&cap), 0);
	ck_assert_int_eq(host_watch(&vm), 60000);
	return capture_end(&cap);
}

START_TEST(clocks_are_compared)
{
	char *said;

	ck_assert_int_eq(host_watch(&vm), -1);
	watch_begin();
	ck_assert_int_le(host_watch(&vm), 60000);
	vm.watched.asleep -= clocks[_i].asleep;
	vm.watched.wall -= clocks[_i].wall;
	said = look();
	if (!*clocks[_i].said)
		ck_assert_ptr_null(strstr(said, "the host"));
	ck_assert_msg(strncmp(said, clocks[_i].said, strlen(clocks[_i].said)) == 0, "%s", said);
	ck_assert_uint_eq(vm.watched.count, *clocks[_i].said != 0);
	free(said);
	host_watch_release(&vm);
}
END_TEST

/* Who isn't let run between its looks at two clocks doesn't take that for sleep. */
START_TEST(clocks_are_read_at_once)
{
	watch_begin();
	for (int i = 0; i < 2; i++) {
		char *said;

		preempted = i == 0;
		said = look();
		ck_assert(!preempted);
		ck_assert_ptr_null(strstr(said, "the host"));
		free(said);
	}
}
END_TEST

/* What takes long isn't done as often: the supervisor has more to do. */
START_TEST(long_looks_are_few)
{
	watch_begin();
	cfg.watch_every = 1000;
	vm.watched.next = 1;
	preempted = true;
	ck_assert_int_ge(host_watch(&vm), 15000);
	ck_assert_int_ge(vm.watched.next - clock_now(), INT64_C(14000000000));
}
END_TEST

#define HELD	  GUARANTEE_HELD
#define LOST	  GUARANTEE_NOT_HELD
#define UNREAD	  GUARANTEE_NOT_HAD
#define TOLD_LOST "nohype: warning: web: guarantee lost: cores.isolated: "
#define TOLD_HELD "nohype: web: guarantee held again: cores.isolated: as read\n"

/* One look after the other, at which it is read so, and what all of them say. */
static const struct {
	unsigned int looks;
	enum guarantee_state states[8];
	const char *said;
} read_so[] = {
	{ 2, { HELD, HELD }, "" },
	{ 2, { LOST, LOST, HELD }, TOLD_LOST "as read\n" TOLD_HELD },
	{ 2, { LOST, LOST, LOST }, TOLD_LOST "as read\n" },
	{ 2, { LOST, HELD, HELD }, "" },
	{ 2, { LOST, UNREAD, HELD }, "" },
	{ 5, { UNREAD, UNREAD, HELD, UNREAD, UNREAD }, "" },
	{ 5,
	  { UNREAD, UNREAD, UNREAD, UNREAD, HELD },
	  TOLD_LOST "3 looks in a row could not read it: as read\n" TOLD_HELD },
	{ 4, { LOST, LOST, UNREAD, UNREAD, UNREAD }, TOLD_LOST "as read\n" },
};

static void cores_promise(const enum guarantee_state *so)
{
	watch_begin();
	vm.seal.guarantees.rows[GUARANTEE_CORES].state = GUARANTEE_HELD;
	memcpy(states, so, sizeof(states));
	reads = 0;
}

START_TEST(guarantees_are_compared)
{
	char all[1024] = "";

	cores_promise(read_so[_i].states);
	for (unsigned int i = 0; i < read_so[_i].looks; i++) {
		char *said = look();

		strncat(all, said, sizeof(all) - strlen(all) - 1);
		free(said);
	}
	ck_assert_str_eq(all, read_so[_i].said);
	ck_assert(!vm.core_gone);
	host_watch_release(&vm);
}
END_TEST

/* The looks at which it is lost and held again in turn, @count of them: lines that were said. */
static unsigned int flap(unsigned int count)
{
	unsigned int lines = 0;

	for (unsigned int i = 0; i < count; i++) {
		char *said;

		states[0] = states[1] = vm.watched.lost ? HELD : LOST;
		reads = 0;
		said = look();
		lines += lines_of(said);
		free(said);
	}
	reads = 0;
	return lines;
}

#define MINUTES INT64_C(60000000000) /* ns */

/* It fills no log: the first changes are told each, then once in ten minutes what it has come to. */
START_TEST(flapping_is_told_seldom)
{
	struct host_change *change = &vm.watched.changes[GUARANTEE_CORES];
	char *said;

	cores_promise((enum guarantee_state[8]){ HELD });
	ck_assert_uint_eq(flap(CHANGES_KEPT), CHANGES_KEPT);
	ck_assert_uint_eq(flap(117), 0);
	change->told -= 10 * MINUTES;
	said = look();
	ck_assert_str_eq(said, TOLD_LOST "as read; changed 117 times since it was last told\n"
					 "nohype: warning: web: more changes than the report tells\n");
	free(said);
	ck_assert_uint_eq(flap(117), 0);
	cfg.watch_abort = true;
	ck_assert_uint_eq(flap(1), 0);
	ck_assert(vm.core_gone);
	host_watch_release(&vm);
}
END_TEST

/* What ends a guest is a loss that two reads agree on. */
START_TEST(loss_ends_it)
{
	cfg.watch_abort = true;
	cores_promise((enum guarantee_state[8]){ LOST, UNREAD, LOST, LOST });
	free(look());
	ck_assert(!vm.core_gone);
	free(look());
	ck_assert(vm.core_gone);
	ck_assert_int_eq(vm.stop_code, EXIT_ABORTED);
	ck_assert_str_eq(vm.stop_reason, "guarantee lost: cores.isolated: as read");
	host_watch_release(&vm);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("watch");
	TCase *tc = tcase_create("watch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, vm_make, vm_unmake);
	tcase_add_test(tc, guest_is_ready_once);
	tcase_add_test(tc, events_have_turns);
	tcase_add_test(tc, last_words_are_heard);
	tcase_add_test(tc, words_have_an_end);
	tcase_add_test(tc, dead_are_not_sealed);
	tcase_add_test(tc, dead_are_not_asked);
	tcase_add_test(tc, refused_fds_are_closed_once);
	tcase_add_test(tc, knocking_stops_nothing);
	tcase_add_test(tc, silent_client_holds_nobody_up);
	tcase_add_loop_test(tc, clocks_are_compared, 0, ARRAY_SIZE(clocks));
	tcase_add_test(tc, clocks_are_read_at_once);
	tcase_add_test(tc, long_looks_are_few);
	tcase_add_loop_test(tc, exits_are_judged_anew, 0, ARRAY_SIZE(traps));
	tcase_add_test(tc, debugged_is_not_ended);
	tcase_add_loop_test(tc, guarantees_are_compared, 0, ARRAY_SIZE(read_so));
	tcase_add_test(tc, flapping_is_told_seldom);
	tcase_add_test(tc, loss_ends_it);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

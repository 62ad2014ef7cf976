/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SYSTEM_SYSTEM_H
#define VMM_SYSTEM_SYSTEM_H

#include <jansson.h>
#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/file.h"
#include "vmm/config/config.h"
#include "vmm/system/limit.h"
#include "vmm/system/notify.h"
#include "vmm/system/route.h"

/*
 * nohyped: many VMs. Each is a supervisor (`nohype run`) in a session of its own, which lives on when nohyped dies.
 * What is known of one is what it writes itself: RUN/vm/NAME/life, a record a state, locked as long as it lives. One
 * thread, one loop; nothing in it waits but for a supervisor's answer, which comes at once.
 */
#define VMS_MAX	     256
#define EVENTS_KEPT  4096	/* in reach of who reads on; older ones are gone */
#define STREAMS_MAX  16		/* of each socket's own: who only reads takes none from who gives orders */
#define RECORD_BLOCK (72 << 10) /* bytes: an event and its id, whole */

struct folders {
	const char *state; /* lasts: STATE/vms/NAME.json, STATE/events */
	const char *run;   /* until the next boot: RUN/vm/NAME/, the sockets */
};

/* A supervisor's unit of systemd's, while it is asked for. */
struct scope {
	struct manager *manager;
	int go_fd;     /* a byte, or its end, lets the supervisor begin; -1: it has begun */
	int64_t until; /* ns, CLOCK_MONOTONIC: then it begins without */
	int64_t again; /* the same: then it is asked for once more; 0: it is asked for */
	struct sd_bus_slot *call;
};

struct managed {
	char name[VM_NAME_MAX + 1];
	const char *state;  /* "defined" until its first start; then as its supervisor says */
	json_int_t run;	    /* the id of the event that started it; 0: never */
	json_int_t deleted; /* the id of the event that did: its lives before that are no news; 0: never */
	json_int_t seq;	    /* records of its life that were read */
	json_int_t told;    /* those that are events already */
	pid_t pid;	    /* 0: none */
	int pid_fd;
	int life_fd;
	off_t life_at;
	char step[48];	       /* the last that it has said, as "start: memory"; "" none */
	pid_t core;	       /* its core manager's */
	int memory_fd;	       /* the guest's, held for clearing; -1: not */
	int rings_fd;	       /* and its rings'; -1: it has none */
	int64_t memory_again;  /* ns, CLOCK_MONOTONIC: until then it isn't asked for once more */
	int64_t memory_wait;   /* ns between the last two times; 0: it wasn't asked in vain */
	bool verify;	       /* what is cleared is read back as a whole */
	bool left;	       /* nobody held its memory, which is in a file that is there still */
	bool clearing;	       /* .pid is a process of ours, which clears */
	off_t bytes;	       /* so many */
	uint64_t *failed;      /* of these, what the hardware lost: that process tells; NULL: it isn't asked */
	const char *order;     /* given, and not to be taken yet: "stop" or "abort" */
	bool unended;	       /* while nohyped starts: its events tell of a life and of no end */
	json_int_t unbegun;    /* the same: a life of which its record knows nothing yet; 0: none */
	bool ended_now;	       /* told of, and what is to follow not decided yet */
	bool ordered;	       /* its end: not for a restart */
	unsigned int restarts; /* in a row */
	int64_t restart_at;    /* ns, CLOCK_MONOTONIC; 0: it isn't waited for */
	int64_t deaf_until;    /* ns, CLOCK_MONOTONIC: its supervisor did not answer, and isn't asked until then */
	int status;	       /* its supervisor's exit code, if that is known; -1 */
	int64_t ns;	       /* of its life, when it wrote the last record */
	json_t *cause;	       /* why it ends, while it does, or NULL: code, text, violation */
	json_t *end;	       /* the last record of its last life, or NULL */
	struct scope scope;
};

struct stream {
	struct MHD_Connection *connection; /* NULL: free */
	struct manager *manager;
	json_int_t next; /* the event that it gets next */
	bool asleep;
	bool beat; /* to be sent a comment, which shows whether anyone is there */
};

/* What `nohype` tells of the host, by a process of its own. */
#define LOOKS 2

struct look {
	char *text; /* what it said the last time; NULL: nothing, and why not: */
	size_t len;
	char why[128];
	int64_t begun;	  /* ns, CLOCK_MONOTONIC: when it was begun; 0: never */
	json_int_t event; /* the last one then */
	pid_t pid;	  /* who looks now; 0: nobody */
	int pid_fd;
	int out_fd; /* what it prints */
	bool late;  /* it was waited for long enough */
	struct request *waiting;
};

/* What systemd has given: sockets that listen already, and what its fd store has kept. */
struct service {
	unsigned int count;
	struct given {
		char *name; /* FileDescriptorName=, or as it was stored: anything */
		int fd;	    /* -1: taken */
	} * given;
};

struct manager {
	struct service service;
	struct folders folders;
	struct targets targets;
	struct limit limit;
	struct managed *vms[VMS_MAX]; /* sorted by name */
	unsigned int count;
	int locks[2]; /* of the folders */
	int events_fd;
	off_t events_full; /* bytes: then it is made shorter */
	json_int_t last_event;
	json_int_t last_stored;			/* the last that is in the file: it can be full */
	char boot[BOOT_ID_SIZE];		/* the host's */
	bool rebooted;				/* the last nohyped was of another */
	json_t *events;				/* the last of them, texts */
	int64_t impatient_until;		/* ns, CLOCK_MONOTONIC: a supervisor did not answer in time */
	struct stream streams[2 * STREAMS_MAX]; /* those of the first socket, then of the one that only reads */
	struct look looks[LOOKS];
	int watch_fd; /* inotify */
	int signal_fd;
	struct MHD_Daemon *daemons[2]; /* all; and what only reads */
	int64_t next_beat;	       /* ns, CLOCK_MONOTONIC: comments to streams that have nothing to say */
	bool ending;
	struct sd_bus *bus; /* systemd's, while something is asked of it */
	bool bus_listens, bus_warned;
};

/* vms.c: NULL: there is none. vm_add: NULL, not reported: no room. */
struct managed *vm_find(struct manager *manager, const char *name);
struct managed *vm_add(struct manager *manager, const char *name);
void vm_remove(struct manager *manager, struct managed *vm);
void vm_forget(struct managed *vm); /* all its lives: it was deleted */
bool vm_is_alive(const struct managed *vm);
json_t *vm_json(const struct managed *vm); /* a new reference */
/* All that STATE has; and those that run, found again. Negative errno, reported. */
int vms_load(struct manager *manager);

/* "FOLDER/..." , malloced; NULL: no memory. */
char *path_make(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* store.c: the configuration of a VM, checked. @errors: what is wrong, an array; -EINVAL. */
int store_put(struct manager *manager, const char *name, const char *text, size_t len, json_t **errors);
char *store_path(const struct manager *manager, const char *name);

/*
 * restart.c. restart_decide: is one that has ended so to be started again, for the time after @restarts, and after how
 * many ms? vm_restart_plan: of one that has just ended. restart_give_up: it isn't. vms_restart: those whose time has
 * come; ns until the next.
 */
bool restart_decide(const struct restart *restart, int code, bool ordered, unsigned int restarts, int64_t *delay);
void restart_give_up(struct manager *manager, const struct managed *vm);
void vm_restart_plan(struct manager *manager, struct managed *vm);
void vm_restart_recall(struct managed *vm, const char *type, const json_t *event);
int64_t vms_restart(struct manager *manager);

/* The event that a life begins with; takes @event. Negative errno, reported: it isn't on the disk, so none begins. */
int vm_begin(struct manager *manager, struct managed *vm, json_t *event);

/* launch.c: start a supervisor; the program that it is, `nohype` beside this one. Negative errno, reported. */
int program_find(char path[PATH_MAX]);
int vm_launch(struct manager *manager, struct managed *vm);

/*
 * scope.c. scope_is_wanted: there is systemd, and we may ask it. scope_request: vm->pid into a unit of its own; then,
 * or if it can't be had, which is warned of once, or not soon, who waits at the other end of @go_fd, which is taken,
 * begins. scopes_run: what the bus said, and time limits; what to poll for. scopes_next: ns until one of these.
 */
bool scope_is_wanted(void);
void scope_wait(int fd);
void scope_request(struct manager *manager, struct managed *vm, int go_fd);
void scope_end(struct managed *vm);
struct pollfd scopes_run(struct manager *manager);
int64_t scopes_next(const struct manager *manager);

/*
 * follow.c: read on in its life; and its end, when its process is gone. vm_find_process: of one whose process isn't
 * known. memories_hold: memory_hold once more, for one that runs and hasn't answered. vm_not_begun: the end of one that
 * has a start and no process.
 */
int vm_follow(struct manager *manager, struct managed *vm);
void vm_find_process(struct manager *manager, struct managed *vm);
void vm_read(struct manager *manager, struct managed *vm);
void vm_ended(struct manager *manager, struct managed *vm);
void memories_hold(struct manager *manager);
void vm_not_begun(struct manager *manager, struct managed *vm, const char *why);
/* A word to its supervisor, now or as soon as it listens; its answer is waited for by nobody. */
void vm_order(struct managed *vm, const char *word);
/* Words for which a supervisor's queue was full, as any user can make it, once more. True: some still wait. */
bool orders_wait(struct manager *manager);

/*
 * live.c: guarantees, exits and more, a new reference; NULL: it doesn't run, or its supervisor didn't answer within
 * some seconds, after which it is not asked for some, and others have less time.
 */
json_t *vm_live_json(struct manager *manager, struct managed *vm);

/*
 * memory.c: memory_hold asks a supervisor for the guest's memory, and waits for it so many ms: negative errno,
 * not reported, and it isn't asked for some seconds. memory_clear_begin clears it, by a process that
 * becomes .pid; false: it isn't ours to clear. memory_clear_stray clears what is no VM's, now; false, reported: it
 * couldn't. memory_drop lets go of it, in systemd's store too: before anyone is told of the end, who may start anew.
 * memory_cleared: bytes, when that process has ended well. memory_has_name: it is a file (memory.folder), which isn't
 * gone when it is let go of.
 */
#define CLEAR_SECONDS 60       /* that systemd is told to wait for it, and one more for each of these: */
#define CLEAR_BYTES   MIB(256) /* a slow processor clears as much in a second */

int memory_hold(struct managed *vm);
bool memory_clear_begin(struct managed *vm);
off_t memory_cleared(const struct managed *vm);
bool memory_has_name(const struct managed *vm);
bool memory_clear_stray(int fd);
void memory_drop(struct managed *vm);

/*
 * stored.c: the same in systemd's fd store, where there is one. stored_take: what the store has kept of the life that
 * was just read. stored_strays, when all lives were: what is nobody's is cleared, and let go of. stored_end: and what
 * else was given, closed.
 */
void stored_put(const struct managed *vm);
void stored_drop(const struct managed *vm);
void stored_take(struct manager *manager, struct managed *vm);
void stored_strays(struct manager *manager);
void stored_end(struct manager *manager);
bool stored_is_name(const char *name);

/*
 * users.c: a process but this one and its parent that has @fd's file open or mapped, or doesn't let us see that. 0:
 * none; -1: not known.
 */
pid_t memory_user(int fd);

/*
 * events.c: takes @event, numbers and keeps it, and wakes who waits; nobody is told of one before it is in the file.
 * event_add: one that has happened; if it can't be written, that is warned of, and events_retry or the next tries it
 * again. event_begin: one that is to be written before what it tells of is done: negative errno, reported, and there is
 * no such event; or there is (last_event tells), and it is not known whether it is on the disk. events_skip: numbers up
 * to @id were given.
 */
void event_add(struct manager *manager, const char *type, const struct managed *vm, json_t *event);
int event_begin(struct manager *manager, const char *type, const struct managed *vm, json_t *event);
void events_retry(struct manager *manager);
void events_skip(struct manager *manager, json_int_t id);
int events_open(struct manager *manager);
/* events_file.c: of a file that has grown long, what is still of use takes its place. What fails is warned of. */
void events_shorten(struct manager *manager);
json_int_t events_first(const struct manager *manager);

/* http.c */
int http_open(struct manager *manager);
void http_serve(struct manager *manager); /* what has come */
bool http_is_full(const struct manager *manager);
void http_close(struct manager *manager);

/*
 * service.c: service_take: the first fd of that name, and of the kind that @is_wanted says, that was given and wasn't
 * taken, for the caller to close; or -1. service_socket: one that listens. service_end: the others are closed, with a
 * warning. service_keep: a copy of @fd into systemd's store (negative errno, not reported; that systemd refuses it
 * isn't known), and service_forget: all of that name out of it, after which service_barrier waits for systemd, a second
 * at most. service_starting: it may take @seconds from now on until it is ready. Without systemd nothing is given and
 * the rest does nothing.
 */
void service_begin(struct service *service);
int service_take(struct service *service, const char *name, bool (*is_wanted)(int fd));
int service_socket(struct service *service, const char *name);
void service_end(struct service *service);
int service_keep(const char *name, int fd);
void service_forget(const char *name);
void service_barrier(void);
void service_starting(unsigned int seconds);
void service_ready(void);
void service_alive(void);
void service_ending(void);

/* stream.c: streams_wake: there is an event. streams_beat: a comment to each. */
void streams_wake(struct manager *manager);
void streams_beat(struct manager *manager);

/*
 * peer.c: peer_uid: (uid_t)-1: the kernel doesn't say. peer_may: root, this user, the socket's owner and its group,
 * and, on the socket where nothing can be changed, others if its mode says so.
 */
uid_t peer_uid(int fd);
bool peer_may(int fd, bool read_only);

struct request {
	struct route route;
	struct manager *manager;
	struct MHD_Connection *connection;
	struct request *next; /* of those that wait for the same look */
	int64_t asked;	      /* ns, CLOCK_MONOTONIC */
	json_int_t event;     /* the last one then */
	bool read_only;
	bool started;
	bool too_long;
	uid_t uid;
	char *body;
	size_t len;
};

/* stream.c: an answer that doesn't end, with the events after number @after, at most the last; NULL: there are too
 * many. */
struct MHD_Response *stream_open(const struct request *request, struct MHD_Connection *connection, json_int_t after);

struct answer {
	unsigned int status;
	const char *type;
	char *body; /* malloced, or NULL */
	size_t len;
	unsigned int retry_after; /* seconds; 0: nothing is said of it */
};

/*
 * host.c. look_answer: what @request asks about the host, as of when it came or, if nothing has happened since, a
 * little before. No status: it isn't known yet; the connection sleeps, and is asked for once more. looks_run: what
 * became of those who look. looks_poll: LOOKS of what to poll for. looks_next: ns until one is too late. looks_wake:
 * all that wait.
 */
void look_answer(struct request *request, struct answer *answer);
void looks_run(struct manager *manager);
void looks_poll(const struct manager *manager, struct pollfd *fds);
int64_t looks_next(const struct manager *manager);
void looks_wake(struct manager *manager);

/* api.c: what @request asks for is done, or not. No status: not yet, see look_answer. */
void api_answer(struct request *request, struct answer *answer);
void answer_problem(struct answer *answer, unsigned int status, json_t *errors, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void answer_json(struct answer *answer, unsigned int status, json_t *json); /* takes @json */

/* metrics.c: Prometheus' text format, malloced. */
char *metrics_text(struct manager *manager, size_t *len);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_SUPERVISOR_INTERNAL_H
#define VMM_SUPERVISOR_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "disks/disks.h"
#include "memmap/memmap.h"
#include "sriov/sriov.h"
#include "vmm/core/handoff.h"
#include "vmm/supervisor/host_watch.h"
#include "vmm/supervisor/report.h"
#include "vmm/supervisor/seal.h"
#include "vmm/supervisor/steps.h"
#include "vmm/supervisor/supervisor.h"
#include "vmm/supervisor/terminal.h"

/* plan.c: which host resources the VM gets. Nothing is touched to make it but /dev/kvm, opened and asked. */
struct vm_plan {
	struct memory_layout layout;
	uint64_t page_size; /* bytes */
	uint32_t tsc_khz;
	uint32_t disable_exits; /* KVM_X86_DISABLE_EXITS_* that this host can do, tried */
	uint32_t touch_step;	/* 0: KVM can map memory ahead; or how far apart the guest must write for that */
	unsigned int vcpus;
	unsigned int cores[VM_VCPUS_MAX];
	struct cpus beside; /* siblings of these that no other VM may have */
	struct functions functions;
	struct cache_group cache;
	struct claims claims;	   /* held to the end, where the VM is to run */
	struct memory_nodes nodes; /* of the host */
	struct guest_numa numa;	   /* and what the guest is told of them */
};

/* How a VM ended: what the last line says and the exit code is made from. */
struct outcome {
	enum exit_code code;
	char text[1100];
	char hint[256]; /* what to do about it, or "" */
};

/* rings.c: the ring process, where the configuration has one. */
struct ring_process {
	struct memory memory; /* that the guest shares; .fd -1: there are no rings */
	pid_t pid;	      /* 0: there is none */
	int pidfd;
	int fd;		 /* our end of its socket */
	int serial_fd;	 /* the core manager's end of the serial port, until it has it */
	bool gone;	 /* and was waited for */
	bool beats;	 /* a heartbeat was there */
	bool silent;	 /* and is missing, for as long as was allowed */
	int64_t stop_by; /* ns, CLOCK_MONOTONIC: the guest was asked to end by then; 0: it wasn't */
	char reason[96]; /* why it ended the VM */
};

/* What a report says of a disk. */
struct disk_told {
	enum disk_format format;
	int64_t load_ns;
	enum { DISK_KEPT, DISK_NOT_CLEAN, DISK_SAVED, DISK_LOST } end; /* its image, that is */
	struct disk_saved saved;				       /* DISK_SAVED */
	int64_t save_ns;
};

/* An NVMe controller's namespace, where functions[] has one. */
struct vm_namespace {
	struct disk_image image; /* stays open, and locked, where it is saved */
	struct disk_told told;
	uint64_t bytes;		      /* of the namespace */
	int owed;		      /* of namespace_owe; -1: nothing is */
	const struct namespace *open; /* while it is saved */
	const char *cleared;	      /* how; NULL: it isn't */
};

/* The running one. */
struct vm {
	const struct vm_config *cfg;
	const struct run_options *opt;
	struct vm_plan plan;
	struct memory memory;
	struct boot_entry entry;
	int kvm_fd;
	int core_pidfd;
	pid_t core_pid;
	int event_fd;	/* our end of the core manager's socket */
	int console_fd; /* our end of the serial port */
	int signal_fd;
	int control_fd;		 /* listens for orders */
	int client_fd;		 /* one who is about to give one, or -1 */
	int64_t client_since;	 /* ns, CLOCK_MONOTONIC */
	struct event end;	 /* type 0: the core manager has said nothing of an end */
	unsigned int core_words; /* messages of its that were logged */
	bool core_failed;	 /* it reported an error of its own */
	bool core_gone;		 /* and was waited for */
	int core_status;	 /* then: as waitpid gives it */
	const char *stop_reason; /* why we ended it, if we did */
	enum exit_code stop_code;
	struct ring_process rings;
	struct seal seal;
	unsigned int seal_step;	    /* of the order in which the core manager may report */
	struct violation violation; /* .found: what ended it was one */
	struct host_watch watched;
	struct report report;
	struct timespec utc; /* the start, CLOCK_REALTIME */
	int64_t started;     /* ns, CLOCK_MONOTONIC, as are the next; 0: not yet */
	int64_t prepared_at, booting_at, ended_at;
	struct memory_cleared cleared;
	struct pool pool;		       /* huge pages that this VM has brought */
	struct pool rings_pool;		       /* and for its rings, where theirs are of another size */
	struct disk_image disks[VM_DISKS_MAX]; /* those that are saved stay open, and locked */
	struct disk_told disks_told[VM_DISKS_MAX];
	struct vm_namespace namespaces[FUNCTIONS_MAX];
	struct steps_said steps;
	enum sequence sequence;	 /* in which it is given back */
	bool abandoned;		 /* ordered to end without saving */
	struct outcome *outcome; /* NULL: it has not ended yet */
};

/* An enum exit_code: EXIT_CLEAN, or whose fault it is, reported. */
enum exit_code plan_make(struct vm_plan *plan, const struct vm_config *cfg);

/*
 * claims.c: cores that no other VM was promised, and what is needed is asked for; memory, and images that are saved, so
 * that others see whose they are. Negative errno, reported.
 */
int plan_cores(struct vm_plan *plan, const struct vm_config *cfg);

/* What the plan has asked for is this VM's, until plan_release(), which is to be called in any case. */
enum exit_code plan_claim(struct vm_plan *plan);
void plan_release(struct vm_plan *plan);

/*
 * numa.c: the memory's parts by node, multiples of the pages' size, and the disks'; and when the cores are chosen, the
 * nodes that the guest sees: those of its memory, if they are several, and each vCPU on the one that is nearest to its
 * core. -EINVAL, reported: there is no such node.
 */
void plan_nodes(struct vm_plan *plan, const struct vm_config *cfg);
int plan_numa(struct vm_plan *plan);

/* What memory the VM gets, by its own cores. @plan must live as long. plan_place: where, @suffix ending its name. */
struct memory_request plan_memory_request(const struct vm_plan *plan, const struct vm_config *cfg);
struct memory_place plan_place(const struct vm_config *cfg, const char *suffix);

/* What is to be loaded. The strings stay @cfg's. */
struct boot_request plan_boot_request(const struct vm_config *cfg, uint32_t tsc_khz);

/* kvm.c: open /dev/kvm, see that it can do what we need; the TSC's frequency in kHz. Negative errno, reported. */
int kvm_open(void);
/* The first capability that we need and it doesn't have, or NULL. */
const char *kvm_lacks(int kvm_fd);
int kvm_read_tsc_khz(int kvm_fd, uint32_t *khz);

/*
 * probe.c: which exits can be switched off here. Asked of KVM, then tried by a VM of a few instructions: some nested
 * hosts promise it and then fail to enter the guest. 0 if none can. Negative errno, reported, if not even that runs.
 */
int probe_disable_exits(int kvm_fd, uint32_t *mask);

/* Does a guest of two instructions run with these exits off? 0 or negative errno; reports nothing. */
int probe_try(int kvm_fd, uint32_t mask);

/*
 * disks.c: see that the images are there and fit, and give each a range of the layout; then their content into it; and
 * at the end, the core manager being dead and memory not yet cleared, out of it to where it is to be saved.
 */
int plan_disks(struct vm_plan *plan, const struct vm_config *cfg);
int disks_take(struct vm *vm);
void disks_give_back(struct vm *vm);

/* For people: the file's name without its folder, printable ASCII. */
void disk_title(const char *path, char *title, size_t size);

/*
 * disks.c, for what is saved from elsewhere: with the lock that its use needs; can it be saved where it is to be; is it
 * wanted after this end (@what is it, for messages); and tried until it is saved or nobody wants it, its data being
 * @where.
 */
int disk_open(struct disk_image *image, const struct disk_config *disk);
int save_check(const struct disk_image *image, const struct disk_config *disk);
bool save_is_wanted(struct vm *vm, const struct disk_config *disk, struct disk_told *told, const char *what);
int save_surely(struct vm *vm, int (*once)(struct vm *vm, unsigned int nth), unsigned int nth, const char *where);

/*
 * namespaces.c: NVMe namespaces: see that images are there, and that they fit, the controllers being chosen; cleared
 * and filled before their controllers are taken from the host's driver; and when it has them again, saved and cleared.
 */
int plan_namespaces(const struct vm_config *cfg);
int namespaces_fit(const struct vm_plan *plan, const struct vm_config *cfg);
int namespaces_take(struct vm *vm);
void namespaces_give_back(struct vm *vm);

/*
 * functions.c: PCI functions, chosen by the plan when claims can be made; taken; and let at the memory that they may
 * write to. functions_send: after the handoff. functions_watch: the host wants one back, which ends the VM.
 */
int plan_functions(struct vm_plan *plan, const struct vm_config *cfg);
int vm_functions_take(struct vm *vm);
void vm_functions_give_back(struct vm *vm);
int dma_take(struct vm *vm);
void dma_give_back(struct vm *vm);
int functions_send(const struct vm *vm);
int64_t functions_watch(struct vm *vm);

/*
 * cache.c: the VM's share of caches and bandwidth: chosen by the plan when claims can be made, and taken. vcpu_cache: a
 * vCPU's thread gets it. cache_json: what it uses, or null; a new reference. While it runs it must be known that asking
 * disturbs nobody: @ended says that it doesn't.
 */
int plan_cache(struct vm_plan *plan, const struct vm_config *cfg);
int vm_cache_take(struct vm *vm);
void vm_cache_give_back(struct vm *vm);
int vcpu_cache(const struct vm *vm, pid_t tid);
json_t *cache_json(const struct vm *vm, bool ended);

/* start.c: @mem, which is called @what, could not be cleared: what becomes of it is a part of how the VM ended. */
void memory_spoil(struct vm *vm, struct memory *mem, const char *what);

/* start.c: a VM that has nothing yet; the start sequence, which undoes all that was done on an error; and the end's. */
void vm_init(struct vm *vm, const struct vm_config *cfg, const struct run_options *opt);
enum exit_code vm_start(struct vm *vm);
void vm_give_back(struct vm *vm);

/*
 * launch.c: programs of ours that are executed by fd, each with one socket. program_open: negative errno, reported;
 * program_exec is for between fork and exec, and ends the process if it can't.
 */
int program_open(const char *what, const char *name);
void program_exec(int program, int socket, const char *program_name, const char *name) __attribute__((noreturn));

/*
 * launch.c: make the core manager, and give it what it needs. core_leave: its vCPUs' threads are there, and its main
 * one has no more to do on their cores. core_kill ends it, if it hasn't yet, and waits for it; core_end does that and
 * closes what led to it.
 */
int core_launch(struct vm *vm);
void core_leave(const struct vm *vm);
void core_kill(struct vm *vm);
void core_end(struct vm *vm);

/* watch.c: pass console bytes and watch, until the core manager is gone. */
void vm_watch(struct vm *vm);

/* End it for @reason, kept as the cause unless there was one before. */
void vm_stop(struct vm *vm, enum exit_code code, const char *reason);

/*
 * rings.c: the ring process: taken before the core manager is, given back after it. rings_receive takes what it says;
 * rings_sealed, that the guest is sealed or audited; rings_attach hands a client's @fd over if @word is one that it
 * serves ("console", "logs", "follow"; rings_serve) and there are rings. rings_stop asks the guest to end, or else ends
 * it; rings_watch, ms until it is ended unasked. rings_end: the core manager is dead; it passes on what the guest left,
 * and exits.
 */
uint64_t
vm_mapped_size(const struct vm *vm); /* bytes that KVM maps at the seal: the guest's memory, rings, registers */
int rings_take(struct vm *vm);
void rings_give_back(struct vm *vm);
void rings_receive(struct vm *vm);
void rings_sealed(struct vm *vm);
bool rings_serve(const char *word);
void rings_attach(struct vm *vm, const char *word, int fd);
void rings_stop(struct vm *vm);
int64_t rings_watch(struct vm *vm);
void rings_end(struct vm *vm);

/* Their memory. rings_have_pool: its pages are of another size than the guest's, whose request doesn't count them. */
struct memory_request rings_request(const struct vm_plan *plan, const struct vm_config *cfg);
bool rings_have_pool(const struct vm_plan *plan, const struct vm_config *cfg);

/*
 * control.c: orders of this user's and root's, while the VM runs. control_poll: what is waited for, for poll(2);
 * control_turn: what came of it is done. control_watch hangs up on a client that keeps the others waiting and says
 * nothing; ms until then, or -1.
 */
int control_take(struct vm *vm);
void control_give_back(struct vm *vm);
struct pollfd control_poll(const struct vm *vm);
void control_turn(struct vm *vm, const struct pollfd *control);
int64_t control_watch(struct vm *vm);

/*
 * live.c: exits since the seal by reason, of all vCPUs together (null before it, or where this user may not know); the
 * heartbeat, "not yet", "beats" or "silent" (null: none is wanted); bytes moved to and from memory, by what
 * cache_json() says (null: not counted). New references.
 */
json_t *reasons_live_json(struct vm *vm);
json_t *heartbeat_json(const struct vm *vm);
json_t *memory_traffic_json(const json_t *cache);

/* events.c: take what the core manager says, a part of it at a time. False: it has hung up, or talks nonsense. */
bool events_receive(struct vm *vm);

/*
 * life.c: what the system manager is told, if there is one. life_begin: -EBADF, reported, if there is none. life_say,
 * life_step, life_change (of a guarantee; NULL: of the host), life_cause (it ends, as @outcome says) and life_end can't
 * fail the VM.
 */
int life_begin(struct vm *vm);
void life_say(struct vm *vm, const char *state);
void life_step(struct vm *vm, const char *sequence, const char *step, int64_t ns);
void life_change(struct vm *vm, const char *guarantee, const char *state, const char *evidence);
void life_cause(struct vm *vm, const struct outcome *outcome);
void life_end(struct vm *vm, const struct outcome *outcome);
/* Standard output is a file that a guest could fill a disk by: it keeps its last part. */
void life_console(void);
/* Make @text, which may be anything, one line that a terminal does nothing odd with; it ends within @size. */
void text_tame(char *text, size_t size);

/* outcome.c. outcome_spoil: what went wrong on the way back is said too, and no end with it is a clean one. */
void outcome_find(struct vm *vm, struct outcome *outcome);
void outcome_spoil(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* progress.c: a bar on standard error, if that is a terminal and it takes over a second. */
struct progress {
	const char *what;
	int64_t started; /* ns, CLOCK_MONOTONIC; 0: not yet */
	bool shown;
};
void progress_show(void *progress, uint64_t done, uint64_t total);
void progress_end(struct progress *progress);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/* What causes an interruption and what stops it. Each seen on Debian's 6.1 or 6.12, or from that kernel's source. */
#include <string.h>

#include "pinning/noise/noise.h"

#define TICK_CURE "nohz_full= for the core, and one thread on it that can run"
#define FAIR_CURE "0 into /sys/kernel/debug/sched/fair_server/cpuN/runtime"

/* A beginning stands behind the names that it would cover too. */
const struct noise_cure noise_cures[] = {
	{ NOISE_VECTOR, "LOC", "a timer of this core is due", "see what the timers were for" },
	{ NOISE_VECTOR, "RES", "another core makes the scheduler look: a thread woke, or was moved here",
	  "a cpuset partition of type isolated, and one thread a core" },
	{ NOISE_VECTOR, "CAL", "another core has a function called here", "see which functions" },
	{ NOISE_VECTOR, "IWI", "work put off from where it couldn't be done: of perf, RCU, printk or BPF",
	  "no tracing and no profiling; nohz_full= and rcu_nocbs=" },
	{ NOISE_VECTOR, "NMI", "the hard lockup detector, perf, or hardware in trouble",
	  "kernel.nmi_watchdog=0, no profiling" },
	{ NOISE_VECTOR, "PMI", "a hardware counter ran over: perf or the hard lockup detector",
	  "kernel.nmi_watchdog=0, no profiling" },
	{ NOISE_VECTOR, "TRM", "the processor is too hot", "cooling, or a lower frequency" },
	{ NOISE_VECTOR, "THR", "errors that were corrected, more than a limit", "hardware; mce=ignore_ce" },
	{ NOISE_VECTOR, "DFR", "an error of memory that wasn't used yet", "hardware" },
	{ NOISE_VECTOR, "MCE", "a machine check", "hardware" },
	{ NOISE_VECTOR, "PIW", "a device's interrupt for a vCPU that sleeps", "HLT left to the guest" },
	{ NOISE_LINE, "*", "a device's interrupt", "another core into /proc/irq/N/smp_affinity_list" },
	{ NOISE_SOFTIRQ, "TIMER", "timers of this core", "see what the timers were for" },
	{ NOISE_SOFTIRQ, "SCHED", "the scheduler balances load", "a cpuset partition of type isolated" },
	{ NOISE_SOFTIRQ, "RCU", "RCU's callbacks", "rcu_nocbs= for the core" },
	{ NOISE_SOFTIRQ, "NET_RX", "a network card's interrupt, or RPS",
	  "the card's interrupts and /sys/class/net/*/queues/*/rps_cpus on other cores" },
	{ NOISE_SOFTIRQ, "NET_TX", "a network card's interrupt", "the card's interrupts on other cores" },
	{ NOISE_SOFTIRQ, "BLOCK", "a disk request was completed where it was made",
	  "2 into /sys/block/*/queue/rq_affinity; no I/O from this core" },
	{ NOISE_SOFTIRQ, "HRTIMER", "timers that user space asked for", "see what the timers were for" },
	{ NOISE_SOFTIRQ, "TASKLET", "a driver's interrupt", "the device's interrupt on another core" },
	{ NOISE_THREAD, "kworker/u*", "work that no core is bound to",
	  "other cores into /sys/devices/virtual/workqueue/cpumask" },
	{ NOISE_THREAD, "kworker/*", "work of this core's own", "see which work" },
	{ NOISE_THREAD, "ksoftirqd/*", "softirqs that were too many for their interrupt", "see the softirqs" },
	{ NOISE_THREAD, "migration/*", "a thread was moved from here, or a function stopped this core",
	  "no change of affinities, of CPUs or of code while it runs" },
	{ NOISE_THREAD, "watchdog/*", "the soft lockup detector", "kernel.watchdog=0, or kernel.watchdog_cpumask" },
	{ NOISE_THREAD, "rcuo*", "RCU's callbacks, for this core or another", "its affinity: other cores" },
	{ NOISE_THREAD, "irq/*", "a device's interrupt thread", "another core for the interrupt, which it follows" },
	{ NOISE_THREAD, "*", "a thread that may run here", "a cpuset partition of type isolated" },
	{ NOISE_EXIT, "*", "the host took the core from the guest", "see the interrupts" },
	{ NOISE_HRTIMER, "tick_nohz_handler", "the scheduler's tick", TICK_CURE },
	{ NOISE_HRTIMER, "tick_sched_timer", "the scheduler's tick", TICK_CURE },
	{ NOISE_HRTIMER, "dl_task_timer", "the fair server, on behalf of other threads", FAIR_CURE },
	{ NOISE_HRTIMER, "inactive_task_timer", "the fair server, on behalf of other threads", FAIR_CURE },
	{ NOISE_HRTIMER, "sched_rt_period_timer", "the limit for real-time threads", "kernel.sched_rt_runtime_us=-1" },
	{ NOISE_HRTIMER, "watchdog_timer_fn", "the soft lockup detector",
	  "kernel.watchdog=0, or kernel.watchdog_cpumask" },
	{ NOISE_HRTIMER, "apic_timer_fn", "the timer of the guest's own APIC",
	  "kvm.pi_inject_timer=1 with APICv or AVIC" },
	{ NOISE_HRTIMER, "hrtimer_wakeup", "a thread that slept here wakes", "no such thread on this core" },
	{ NOISE_TIMER, "mce_timer_fn", "a look at the machine check banks",
	  "0 into /sys/devices/system/machinecheck/machinecheck0/check_interval" },
	{ NOISE_TIMER, "delayed_work_timer_fn", "work that is due", "see which work" },
	{ NOISE_TIMER, "clocksource_watchdog", "the TSC is compared with another clock", "tsc=reliable" },
	{ NOISE_TIMER, "process_timeout",
	  "a thread's sleep is over: it slept here, or on an idle core, whose timers one with a tick serves",
	  "nohz_full= for the core" },
	{ NOISE_TIMER, "tsc_sync_check_timer_fn", "the TSCs of the cores are compared", "tsc=reliable" },
	{ NOISE_WORK, "vmstat_update", "counters of memory are gathered", "vm.stat_interval of hours" },
	{ NOISE_WORK, "psi_avgs_work", "how much a cgroup waits is averaged, where its thread runs",
	  "0 into the cgroup's cgroup.pressure, or psi=0" },
	{ NOISE_WORK, "vmstat_shepherd", "the same, for all cores", "the workqueues' cpumask" },
	{ NOISE_WORK, "lru_add_drain_per_cpu", "a process locks memory, or the kernel moves pages",
	  "memory is locked and freed before the guest is sealed" },
	{ NOISE_WORK, "cache_reap", "the slab allocator's caches are looked at", "a kernel with SLUB" },
	{ NOISE_WORK, "flush_backlog", "a network interface goes", "none goes while it runs" },
	{ NOISE_CALL, "TLB", "of the calls: a process took memory away that it had used on this core",
	  "no other thread of that process here; no munmap by the VM's own" },
	{ NOISE_CALL, "do_sync_core", "the kernel patches its own code: a tracepoint or static key goes on or off",
	  "keep it on: see docs/quiet-cores.md" },
	{ NOISE_CALL, "flush_tlb_func", "a process took memory away that it had used on this core",
	  "no other thread of that process here; no munmap by the VM's own" },
	{ NOISE_CALL, "tlb_remove_table_smp_sync", "page tables went: khugepaged made a huge page",
	  "never into /sys/kernel/mm/transparent_hugepage/enabled" },
	{ NOISE_CALL, "do_flush_tlb_all", "the kernel gave up memory of its own", "none known" },
	{ NOISE_CALL, "do_kernel_range_flush", "the kernel gave up memory of its own", "none known" },
	{ NOISE_CALL, "kvm_enable_virtualization_cpu", "the first VM of the host was made",
	  "kvm.enable_virt_at_load=1 (6.12), or one VM that stays" },
	{ NOISE_CALL, "kvm_disable_virtualization_cpu", "the last VM of the host is gone",
	  "kvm.enable_virt_at_load=1 (6.12), or one VM that stays" },
	{ NOISE_CALL, "hardware_enable_nolock", "the first VM of the host was made", "one VM that stays" },
	{ NOISE_CALL, "hardware_disable_nolock", "the last VM of the host is gone", "one VM that stays" },
	{ NOISE_CALL, "remote_function", "perf opens, reads or closes an event of this core", "no perf on it" },
	{ NOISE_CALL, "event_function", "perf opens, reads or closes an event of this core", "no perf on it" },
	{ NOISE_CALL, "__perf_event_read", "perf reads an event of this core", "no perf on it" },
	{ NOISE_CALL, "nohz_full_kick_func", "the tick may be needed again here", "none known" },
	{ NOISE_CALL, "rcu_exp_handler", "someone waits for RCU in a hurry", "rcupdate.rcu_normal=1" },
	{ NOISE_CALL, "ipi_mb", "membarrier() by a process with a thread here", "none in the VM's processes" },
	{ NOISE_CALL, "smp_call_function_many_cond", "all cores were asked to do something", "none known" },
	{ NOISE_CALL, "wakeup", "a thread that may run here woke", "a cpuset partition of type isolated" },
	{ NOISE_CALL, "nohz_csd_func", "the scheduler looks for work here: load is balanced",
	  "a cpuset partition of type isolated" },
	{ NOISE_CALL, "sched_ttwu_pending", "a thread woke that may run here", "a cpuset partition of type isolated" },
	{ NOISE_RESCHEDULE_SENDER, "dl_task_timer*", "the fair server, on behalf of other threads", FAIR_CURE },
	{ NOISE_CALL_SENDER, "irq_work_queue_on*", "the tick may be needed here: a thread or a timer came",
	  "the fair server off, and one thread that can run" },
	{ NOISE_IRQ_WORK, "nohz_full_kick_func*", "the tick may be needed here: a thread or a timer came",
	  "the fair server off, and one thread that can run" },
	{ NOISE_CALL, "mtrr_rendezvous_handler", "memory types are set", "no driver is loaded while it runs" },
	{ 0 },
};

static bool matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

const struct noise_cure *noise_cure_find(enum noise_kind kind, const char *name)
{
	for (const struct noise_cure *cure = noise_cures; cure->cause; cure++)
		if (cure->kind == kind && matches(cure->name, name))
			return cure;
	return NULL;
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For what runs on an emulated host: by hand what makes a core quiet.

# write TEXT FILE: where there is such a file, and it takes that.
write() {
  [ ! -e "$2" ] || echo "$1" 2>/dev/null >"$2" || true
}

# quiet CORE...: all that the host does goes to core 0, and what it does on each core by itself ends on these.
quiet() {
  local core file
  for file in /proc/irq/*/smp_affinity_list; do write 0 "$file"; done
  write 1 /proc/irq/default_smp_affinity
  write 1 /sys/devices/virtual/workqueue/cpumask
  write 1 /sys/devices/virtual/workqueue/writeback/cpumask
  for core; do write 0 "/sys/kernel/debug/sched/fair_server/cpu$core/runtime"; done
  write 0 /proc/sys/kernel/watchdog
  write 86400 /proc/sys/vm/stat_interval
  # khugepaged interrupts all cores when it makes pages huge (mm/mmu_gather.c, tlb_remove_table_sync_one())
  write never /sys/kernel/mm/transparent_hugepage/enabled
  for file in /sys/devices/system/machinecheck/machinecheck*/check_interval; do write 0 "$file"; done
  # one program for all: on an emulated host each that is started takes its time
  python3 -c 'import glob, os
for task in glob.glob("/proc/[0-9]*/task/[0-9]*"):
    try:
        os.sched_setaffinity(int(task.rpartition("/")[2]), {0})
    except OSError:
        pass'
}

# partition CORE PID: CORE becomes an isolated partition, and the process moves there with all its threads.
GROUP=/sys/fs/cgroup/quiet
partition() {
  local task
  echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
  mkdir -p $GROUP
  echo "$1" >$GROUP/cpuset.cpus
  write "$1" $GROUP/cpuset.cpus.exclusive
  echo isolated >$GROUP/cpuset.cpus.partition
  [ "$(cat $GROUP/cpuset.cpus.partition)" = isolated ]
  echo "$2" >$GROUP/cgroup.procs
  for task in "/proc/$2"/task/*; do taskset -pc "$1" "${task##*/}" >/dev/null; done
}

partition_remove() {
  rmdir $GROUP
}

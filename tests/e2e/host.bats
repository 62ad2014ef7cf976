#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# `nohype host` on emulated hosts: what it changes, that all of it comes back, and what it refuses. tests/e2e/host-runs
# has done it, once a kernel; what is looked at here is what it saw. LONG=1 kills at each step, and not at some.
# shellcheck disable=SC2016 # jq's own variables

bats_require_minimum_version 1.5.0
load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR
  gcc -shared -fPIC -D_GNU_SOURCE -O2 -o "$OUT/kill-at.so" tests/e2e/kill-at.c -ldl
  host 6.12 "" whole kill-apply kill-undo refused journals others offline
  host 6.1 "" whole ${LONG:+kill-apply kill-undo journals others} refused no-cgroup
  host 6.12 --isolated=3 isolated
}

# host KERNEL OPTION PART...: the parts' facts in $OUT/KERNEL OPTION.
host() {
  local out=$OUT/$1$2 options=()
  [ -z "$2" ] || options=("$2")
  mkdir -p "$out"
  "$RIG" --kernel "$1" --cpus 4 --mem 1G "${options[@]}" --timeout "${LONG:+2}900" --out "$out" --env "OUT=$out" \
    --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-}" --env "KILL_AT_SO=$OUT/kill-at.so" -- \
    tests/e2e/host-runs "${@:3}" >"$out/log" 2>&1 3>&- || cat "$out/log"
}

# fact FOLDER PART FILTER
fact() { jq -r "$3" "$OUT/$1/$2.json"; }

KERNELS="6.12 6.1"

@test "a plan and a dry run change nothing, and say what apply then changes" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" whole '.dry.status, .plan.status')" $'0\n0'
    same "$(fact "$kernel" whole '.dry_differs | length')" 0
    same "$(fact "$kernel" whole '.dry.out | fromjson | [.changes[] | .path] | sort | unique | length > 30')" true
    # each file that has changed is one of the plan's, or the kernel's own account of it
    run fact "$kernel" whole '(.dry.out | fromjson | [.changes[].path]) as $planned | .changed[] | select(startswith("/")) |
      split(": ")[0] | select(IN($planned[]) or test("cpuset.cpus.(effective|isolated|exclusive)|cpuset.mems|workqueue/cpumask_|workqueue/.*/cpumask|machinecheck[1-9]|cgroup/nohype/") | not)'
    same "$output" ""
    has "$(fact "$kernel" whole .plan.out)" "nohz_full=2-3"
  done
  has "$(fact 6.12 whole .plan.out)" "isolcpus=managed_irq,2-3"
}

@test "after apply nothing of the host's is on the cores" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" whole .applied.status)" 0
    same "$(fact "$kernel" whole '.may_run_there | length')" 0
    same "$(fact "$kernel" whole '.spinner.told')" "Invalid argument"
    same "$(fact "$kernel" whole '.spinner.seen - [0, 1] | length')" 0
    same "$(fact "$kernel" whole '.partition | join(" ")')" "isolated 2-3"
    same "$(fact "$kernel" whole '"\(.default) \(.workqueues) \(.watchdog) \(.polls) \(.khugepaged) \(.rps | join(","))"')" \
      "3 2 0-1 0 4294967295 0,2"
    # a managed interrupt is the kernel's own: the rig's NVMe queue for cores 2-3
    same "$(fact "$kernel" whole '[.interrupts[] | select(.[0] | test("[23]"))] | length')" 1
    same "$(fact "$kernel" whole '.tracepoint | map(join(": ")) | unique | join(";")')" "1: exit_reason == 0 && exit_reason != 0"
    same "$(fact "$kernel" whole '.tracepoint | length')" 2
  done
  same "$(fact 6.12 whole .isolated)" 2-3
  same "$(fact 6.12 whole '[.fair_server[]] | join(" ")')" "50000000 50000000 0 0"
}

@test "a process enters the partition, or one of its threads does" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" whole .unit.status)" 0 || fact "$kernel" whole .unit.out
    has "$(fact "$kernel" whole .unit.out)" "100%: Checks: "
  done
}

@test "status says who, and that it holds" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" whole .status.status)" 0
    has "$(fact "$kernel" whole .status.out)" "cores 2-3 are the VMs', taken by process "
    same "$(fact "$kernel" whole '.status_json.out | fromjson | "\(.applied) \(.complete) \(.cores) \(.uid) \(.others | length)"')" \
      "true true 2-3 0 0"
    same "$(fact "$kernel" whole .again.status)" 3
    has "$(fact "$kernel" whole .again.err)" "cores 2-3 are taken already"
  done
}

@test "undo restores exactly, and a second one has nothing to do" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" whole .undone.status)" 0
    same "$(fact "$kernel" whole '.differs[]')" ""
    same "$(fact "$kernel" whole '.nothing | map(.status) | join(" ")')" "0 0"
    same "$(fact "$kernel" whole '.nothing | map(.out) | add')" $'nothing to undo: no cores are taken\nno cores are taken'
  done
}

killed() { # KERNEL PART LEAST
  same "$(fact "$1" "$2" '[.runs[] | select(.undone != 0 or (.differs | length) > 0 or .err != "")] | length')" 0
  same "$(fact "$1" "$2" "([.runs[] | select(.killed)] | length) * .every > $3")" true
  same "$(fact "$1" "$2" '.runs[-1].killed')" false
  # in most of them there was something to undo
  same "$(fact "$1" "$2" '([.runs[] | select(.killed and .journal)] | length) * 2 > (.runs | length)')" true
}

@test "killed at any step of apply, undo restores exactly, and another apply waits for it" {
  for kernel in 6.12 ${LONG:+6.1}; do
    killed "$kernel" kill-apply 40
    same "$(fact "$kernel" kill-apply '[.runs[] | select(.second != null) | .second] | unique | join(" ")')" 3
    same "$(fact "$kernel" kill-apply '[.runs[] | select(.killed and .status == 3)] | length > 2')" true
  done
}

@test "killed at any step of undo, another restores exactly" {
  for kernel in 6.12 ${LONG:+6.1}; do
    killed "$kernel" kill-undo 25
    same "$(fact "$kernel" kill-undo '[.runs[].applied] | unique | join(" ")')" 0
  done
}

@test "refused half way, all is put back" {
  for kernel in $KERNELS; do
    for part in file late; do
      same "$(fact "$kernel" refused .$part.status)" 3
      has "$(fact "$kernel" refused .$part.err)" "nohype: host: all is put back as it was"
      same "$(fact "$kernel" refused ".${part}_differs[]")" ""
    done
    has "$(fact "$kernel" refused .file.err)" \
      "nohype: error: host: watchdog: /proc/sys/kernel/watchdog_cpumask: 0-1 to be written: Read-only file system"
    has "$(fact "$kernel" refused .late.err)" "nohype: error: host: partition: /sys/fs/cgroup/cgroup.subtree_control: "
  done
}

@test "cores that are in use, offline or another partition's are refused" {
  for kernel in $KERNELS; do
    same "$(fact "$kernel" refused '[.taken, .group, .in_use] | map(.status) | join(" ")')" "3 3 3"
    same "$(fact "$kernel" refused .taken.err)" "nohype: error: host: cores: 3: another cpuset partition's: end that first"
    same "$(fact "$kernel" refused '.taken_differs[]')" ""
    has "$(fact "$kernel" refused .group.err)" "/sys/fs/cgroup/nohype is there already, and no journal tells of it"
    same "$(fact "$kernel" refused .in_use.err)" "nohype: error: host: cores: 3: task $(fact "$kernel" refused .process) (sleep) is pinned there: end it, or move it away"
  done
  same "$(fact 6.12 offline .offline.status)" 3
  same "$(fact 6.12 offline .offline.err)" "nohype: error: host: cores: 3: is offline (online: 0-2): echo 1 >/sys/devices/system/cpu/cpu3/online"
}

@test "a journal that is cut, of another version or of another boot" {
  same "$(fact 6.12 journals '[.cut[], .version[]] | map(.status) | unique | join(" ")')" 3
  same "$(fact 6.12 journals '[.cut[].err | test("cut or altered")] | all')" true
  same "$(fact 6.12 journals '[.version[].err | test("of version 3, wanted 2")] | all')" true
  same "$(fact 6.12 journals .boot_undo.status)" 0
  has "$(fact 6.12 journals .boot_undo.err)" "is of another boot, and its settings went with that: removed"
  same "$(fact 6.12 journals .boot_apply.status)" 0
  same "$(fact 6.12 journals '.differs[]')" ""
}

@test "with a full disk nothing is changed, or all is put back" {
  same "$(fact 6.12 journals '"\(.full.status) \(.full_later.status)"')" "3 3"
  same "$(fact 6.12 journals '.full_differs[], .full_later_differs[]')" ""
  has "$(fact 6.12 journals .full.err)" 'host: journal: "/run/full/host.journal": No space left on device'
  has "$(fact 6.12 journals .full_later.err)" "all is put back as it was"
  same "$(fact 6.12 journals '.full_left | join(" ")')" "fill host.lock"
}

@test "what someone else changed meanwhile is left, and said" {
  same "$(fact 6.12 others .status.status)" 3
  has "$(fact 6.12 others .status.out)" "/proc/irq/8/smp_affinity_list: is 0, wanted 0-1"
  same "$(fact 6.12 others .left.status)" 0
  has "$(fact 6.12 others .left.err)" \
    'host: interrupts: /proc/irq/8/smp_affinity_list: was "0-2", set to "0-1", and is now "0": someone else'"'"'s, so it is left'
  same "$(fact 6.12 others '.left.out | fromjson | [.changes[] | select(.state == "left") | .path] | join(" ")')" \
    "/proc/irq/8/smp_affinity_list /sys/devices/virtual/workqueue/cpumask"
  same "$(fact 6.12 others '.left_values | join(" ")')" "0 1"
  same "$(fact 6.12 others '.differs[]')" ""
}

@test "two calls at once don't mix" {
  same "$(fact 6.12 others '[.at_once[][1]] | sort | join(" ")')" "0 3 3 3 3"
  same "$(fact 6.12 others '.at_once_differs[]')" ""
  same "$(fact 6.12 others '[.locked[].status] | join(" ")')" "3 3 3"
  same "$(fact 6.12 others '[.locked[].err | test("another nohype host is at work")] | all')" true
}

@test "cores with a VM on them are given back by force alone" {
  guest=$(fact 6.12 others .guest)
  has "$(fact 6.12 others .guest_status.out)" "  $guest sleep (2-3)"
  same "$(fact 6.12 others '.guest_undo[:2] | map(.status) | join(" ")')" "3 0"
  has "$(fact 6.12 others '.guest_undo[0].err')" "/sys/fs/cgroup/nohype: task $guest is on these cores"
  same "$(fact 6.12 others '.guest_undo[2]')" 0::/
  same "$(fact 6.12 others '.guest_differs[]')" ""
}

@test "without cgroup v2 tasks are moved once, and it says what lacks" {
  same "$(fact 6.1 no-cgroup .applied.status)" 0
  has "$(fact 6.1 no-cgroup .applied.err)" "cgroup v2 isn't mounted: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
  same "$(fact 6.1 no-cgroup '.may_run_there[]')" ""
  same "$(fact 6.1 no-cgroup '.differs[]')" ""
}

@test "cores of which one was isolated at boot" {
  same "$(fact 6.12--isolated=3 isolated '"\(.boot) \(.applied.status) \(.partition) \(.has)"')" "3 0 isolated 2"
  same "$(fact 6.12--isolated=3 isolated '.may_run_there[]')" ""
  # refused is said
  same "$(fact 6.12--isolated=3 isolated '(.fair_server == "0") != (.applied.err | test("fair_server/cpu2/runtime: the kernel refused"))')" true
  same "$(fact 6.12--isolated=3 isolated '.differs[]')" ""
}

# --- without a host of its own ---

@test "bad usage" {
  said() { # STATUS TEXT ARG...
    local wanted=$1 text=$2
    shift 2
    run "$NOHYPE" host "$@"
    same "$status" "$wanted"
    same "$output" "nohype: error: $text"
  }
  for command in plan apply; do
    said 2 "host $command: wanted --cores LIST, as 2-3,6: see nohype host topology for what there is" "$command"
    said 2 "host $command: option --cores: wanted an argument" "$command" --cores
    for list in "" a 1,,2 "1," 3-1 "1 2" 1-; do
      said 2 "host: cores: \"$list\": wanted a list of cores, as 2-3,6" "$command" --cores "$list" --state "$BATS_TEST_TMPDIR"
    done
    said 2 'host: cores: "5,4-6": core 5 is there twice' "$command" --cores 5,4-6 --state "$BATS_TEST_TMPDIR"
    said 2 'host: cores: "8192": cores are numbered 0 to 8191' "$command" --cores=8192 --state "$BATS_TEST_TMPDIR"
    said 2 "host: cores: 0: the host keeps the core that it booted on: its clocks and much else stay there" \
      "$command" --cores 0 --state "$BATS_TEST_TMPDIR"
    has "$(cat /sys/devices/system/cpu/possible)" 0
    run "$NOHYPE" host "$command" --cores 8191 --state "$BATS_TEST_TMPDIR"
    same "$status" 3
    has "$output" "nohype: error: host: cores: 8191: this host has no such core (it has "
  done
  said 2 'host apply: "--dryrun": unknown: did you mean --dry-run?' apply --dryrun
  said 2 'host undo: "--cores": unknown: did you mean --force?' undo --cores 1 || said 2 'host undo: "--cores": unknown: see nohype host undo --help' undo --cores 1
  said 2 'host status: "x": unknown: see nohype host status --help' status x
  same "$(find "$BATS_TEST_TMPDIR" -type f -name '*.journal')" ""
}

@test "help names the commands and their options" {
  run "$NOHYPE" host --help
  same "$status" 0
  for word in plan apply status undo --cores --dry-run --json --force; do
    has "$output" "$word"
  done
}

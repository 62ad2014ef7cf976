#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the host interrupts cores for: a core made quiet has nothing, and what is there is found, by name.
#
# Alone: interrupts are counted, and none of some.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests poll
  tests/e2e/violations/build >/dev/null
  host quiet --append 'nohz_full=2-3 rcu_nocbs=2-3'
  [ "${LONG:-0}" != 1 ] || host plain
}

host() { # PART [RIG OPTION...]
  local part=$1
  shift
  "$RIG" --no-devices --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-0}" --env "SMALL_GUESTS=$SMALL_GUESTS" \
    --cpus 4 --mem 2G --hugepages 2M:130 --timeout 1200 --out "$OUT" "$@" -- tests/e2e/noise-runs "$part" >&2 3>&-
}

# measured NAME: the run went well, and lost nothing.
measured() {
  same "$(status_of "$1")" 0 || { cat "$OUT/$1.err"; return 1; }
  same "$(value "$1" .traced,.counted,.lost | xargs)" "true true 0"
}

value() { # NAME FILTER
  jq -r "$2" "$OUT/$1.out"
}

# count NAME KIND PATTERN [CORE]: how often sources of that kind, with names like that, were there.
count() {
  jq "[.sources[] | select(.kind == \"$2\" and (.name + \" \" + .what | test(\"$3\"))) | .cores[] |
    select(${4:-.core} == .core) | .count] | add // 0" "$OUT/$1.out"
}

cure() { # NAME KIND PATTERN
  jq -r "[.sources[] | select(.kind == \"$2\" and (.name | test(\"$3\"))) | .cure] | first" "$OUT/$1.out"
}

between() { # NUMBER LEAST MOST
  ((${1:-0} >= $2 && ${1:-0} <= $3)) || { echo "$1 found, wanted $2 to $3"; return 1; }
}

@test "a core taken by host apply, with a guest that polls: no interrupt, and no exit of any kind" {
  local core
  for core in 1 2; do
    same "$(status_of apply-$core) $(status_of undo-$core)" "0 0" || { cat "$OUT"/{apply,undo}-$core.err; return 1; }
  done
  grep -Eq 'cores.isolated +held .*; isolated: 2(,|$)' "$OUT/b.err" || { cat "$OUT/b.err"; return 1; }
  measured quiet
  same "$(value quiet '[.sources[] | "\(.kind) \(.name): \(.count)"] | join(", ")')" ""
  same "$(value quiet '.vm.vcpus[] | "\(.core) \(.host) \(.guest)"')" "2 0 0"
  same "$(value quiet '.cores[].runs')" nohype-core
  local seconds=5
  [ "${LONG:-0}" != 1 ] || seconds=60
  between "$(value quiet '.ns / 1e6 | floor')" $((seconds * 1000)) $((seconds * 1000 + 60000))
  # it was there, and worked
  local counted
  counted=$(sed -n 's/.*evidence: 0x8000: //p' "$OUT/b.err")
  [ $((counted)) -gt 1000000 ]
}

@test "silent: the same guest's core lets a silent guest live until it ends itself" {
  local guest=loop-quiet-some
  [ "${LONG:-0}" != 1 ] || guest=loop-quiet-long
  same "$(status_of s)" 5
  grep -qF "settled: any exit ends the guest now" "$OUT/s.err"
  grep -qF "violation: vCPU 0 at RIP 0x$(sed -n "s/^$guest //p" "$BUILD/violations/addresses"): port I/O" "$OUT/s.err"
  local words
  read -ra words < <(sed -n 's/.* evidence: 0x8000: //p' "$OUT/s.err")
  same "${words[*]:0:2}" "0x1 0x0"
  [ $((words[3])) -gt 100000 ]
}

@test "while a silent VM runs no other is started, as that would end it" {
  same "$(status_of neighbour)" 3
  has "$(cat "$OUT/neighbour.err")" '"s": it is sealed at level silent, which this would end: the start of a VM'
  ! grep -q 'guest is ready' "$OUT/neighbour.err" || return 1
}

@test "while a silent VM runs no tracepoint is switched, and counters are read all the same" {
  same "$(status_of refused)" 3
  has "$(cat "$OUT/refused.err")" '"s": it is sealed at level silent, which this would end: switching tracepoints on'
  same "$(status_of counters)" 0
  same "$(value counters '"\(.traced) \(.counted)"')" "false true"
  same "$(value counters '[.sources[].longest_ns] | all(. == null)')" true
}

@test "another thread on a core, by its name, and on that core alone" {
  measured planted
  between "$(count planted thread '^(sh|sleep) ' 1)" 10 10000
  same "$(count planted thread '^(sh|sleep) ' 2)" 0
}

@test "a device's interrupt, by its line and the kernel's description, with its duration" {
  between "$(count planted irq '^[0-9]+ virtio' 3)" 1 1000000
  same "$(count planted irq '^[0-9]+ virtio' 2)" 0
  has "$(cure planted irq '^[0-9]+$')" smp_affinity_list
  same "$(value planted '[.sources[] | select(.kind == "irq") | .longest_ns > 0 and .longest_ns <= .total_ns] | unique[]')" true
}

@test "a function called from another core, its name and who called it" {
  between "$(count planted call '^do_sync_core ' 2)" 1 1000
  between "$(count planted vector '^CAL ' 2)" 1 1000
  between "$(count planted call-sender '\\(bash\\) ' 2)" 1 1000
}

@test "the fair server: who sends what, what stops it, and what it costs the guest" {
  between "$(count planted reschedule-sender '^dl_task_timer ' 2)" 1 400
  has "$(cure planted reschedule-sender dl_task_timer)" fair_server
  between "$(count planted exit '^INTR ' 2)" 1 1000
  same "$(count planted guest-exit .)" 0
}

cost_of() { # STEP: exits by the host
  sed -n "s/^$1 \([0-9]*\) .*/\1/p" "$OUT/costs"
}

@test "neighbours start and end: the bystander's own exits stay 0, the host's are few, and with a vCPU held none" {
  sed 's/^/# a step, exits by the host, by the guest, interrupts: /' "$OUT/costs" >&3
  same "$(awk '{ print $3 }' "$OUT/costs" | sort -u)" 0
  same "$(cost_of nothing)" 0
  for step in start-1 start-2 start-3; do between "$(cost_of $step)" 1 300; done
  for step in stop-2 stop-3 abort-1 start-held stop-held; do same "$(cost_of $step)" 0; done
  # each by its source: calls to patch the kernel's code, and nothing else
  same "$(awk '{ for (i = 4; i <= NF; i++) print $i }' "$OUT/costs" | sed 's/:.*//' | sort -u)" CAL
  measured neighbours
  between "$(count neighbours call '^do_sync_core ' 2)" 1 300
  same "$(value neighbours '[.sources[] | select(.kind == "call") | .name] | unique | join(" ")')" do_sync_core
  same "$(value neighbours '.vm.vcpus[0].guest')" 0
}

@test "wrong cores, names, options" {
  same "$(status_of offline)" 3
  has "$(cat "$OUT/offline.err")" "cores: 9: no such core is online on this host (it has 0-3)"
  same "$(status_of no-vm)" 1
  for name in twice letters neither both never unknown; do
    same "$(status_of $name)" 2
  done
  has "$(cat "$OUT/twice.err")" '"1,1": host CPU 1 is there twice'
  has "$(cat "$OUT/letters.err")" '"a": wanted host CPUs'
  has "$(cat "$OUT/neither.err")" "wanted --cores LIST or --vm NAME, one of the two"
  has "$(cat "$OUT/both.err")" "wanted --cores LIST or --vm NAME, one of the two"
  has "$(cat "$OUT/never.err")" '--seconds: "0"'
  has "$(cat "$OUT/unknown.err")" '"--core": unknown'
}

@test "Ctrl-C: what was seen until then" {
  same "$(status_of cut)" 0
  measured=$(value cut '.ns')
  between "$measured" 1000000 300000000000
}

@test "a plain user gets the counters, and is told what is missing" {
  same "$(status_of plain)" 0
  has "$(cat "$OUT/plain.out")" "not known: causes and durations: this user may not trace"
}

# Here a core that has none; with LONG=1 a host that has none.
@test "without boot options: the tick is what is left, by name" {
  local seconds=4
  [ "${LONG:-0}" != 1 ] || seconds=60
  if [ "${LONG:-0}" = 1 ]; then
    measured boot-nothing
    between "$(count boot-nothing hrtimer '^tick_nohz_handler ')" $((seconds * 200)) $((seconds * 300))
    between "$(count boot-nothing exit '^INTR ')" $((seconds * 200)) $((seconds * 400))
  fi
  measured boot-quiet
  # 250 Hz, where the emulated host isn't held up
  between "$(count boot-quiet hrtimer '^tick_nohz_handler ')" $((seconds * 50)) $((seconds * 300))
  # from other cores comes nothing
  same "$(count boot-quiet vector '^(RES|CAL) ')" 0
  has "$(cure boot-quiet hrtimer tick_nohz_handler)" nohz_full=
  same "$(value boot-quiet '.cores[].runs')" nohype-core
  same "$(value boot-quiet '.vm.vcpus[0].guest')" 0
}

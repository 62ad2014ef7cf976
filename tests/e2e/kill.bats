#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A VM's two processes: what they may do, seen from outside; and that nothing remains, however they are killed.

load lib

# On emulated hosts in any case: core_pattern is the whole host's. Two side by side.
on_rig() {
  "$RIG" --no-devices --cpus 2 --mem 1G --hugepages 2M:64 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" \
    -- tests/e2e/kill-runs "$@"
}

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests busy
  on_rig inside signals core >&2 3>&- &
  on_rig supervisor both >&2 3>&-
  wait $!
}

# values NAME [KIND]: what thread lines have for NAME, each once.
values() {
  sed -n "s/^thread|${2:-[a-z]*}|$1|//p" "$OUT/inside.out" | sort -u
}

# lines KIND: the rest of the lines of that kind, joined by commas.
lines() {
  sed -n "s/^$1|//p" "$OUT/inside.out" | paste -sd ,
}

@test "all was looked at" {
  for part in inside signals core supervisor both; do
    same "$(cat "$OUT/$part.status") $(cat "$OUT/$part.err")" "0 "
  done
  same "$(grep -c '^thread|main|Uid' "$OUT/inside.out") $(grep -c '^thread|vcpu|Uid' "$OUT/inside.out")" "1 2"
}

@test "no thread of the core manager is root, or in a group of others" {
  read -r uid rest < <(values Uid)
  [ "$uid" -gt 1000000000 ]
  same "$rest" "$uid $uid $uid"
  same "$(values Gid)" "$(values Uid)"
  same "$(values Groups)" ""
}

@test "nor has a capability, or can get one" {
  for set in CapInh CapPrm CapEff CapAmb; do
    same "$(values $set)" 0000000000000000
  done
  same "$(values NoNewPrivs)" 1
}

@test "each is under a system call filter" {
  same "$(values Seccomp)" 2
}

@test "no signal is blocked or ignored, no one traces it, and it is in no PID namespace of its own" {
  for kind in main vcpu; do
    same "$(values SigBlk $kind) $(values SigIgn $kind)" "0000000000000000 0000000000000000"
  done
  same "$(values TracerPid)" 0
  [[ ! $(values NSpid) =~ ' ' ]]
}

@test "each vCPU thread may run on its core and no other" {
  same "$(sed -n 's/^thread|vcpu|Cpus_allowed_list|//p' "$OUT/inside.out" | paste -sd ,)" 1,0
}

@test "it has namespaces of its own, but the PID one" {
  same "$(lines namespace)" "mnt|own,net|own,ipc|own,uts|own,cgroup|own,pid|shared,user|shared"
}

@test "its root is one empty file system, read only" {
  same "$(grep -c '^mount|' "$OUT/inside.out")" 1
  grep -qE '^mount\|.* / / ro,nosuid,nodev,noexec[, ].* - tmpfs ' "$OUT/inside.out"
  same "$(lines root)" "[]|[]"
}

@test "it has no network but its own loopback, no environment, a session of its own, and no core file" {
  same "$(lines network)" 1
  same "$(lines environment)" "''"
  same "$(lines session)" own
  same "$(lines limit)" "Max core file size 0 0 bytes"
  same "$(lines dumpable)" "core|0,supervisor|0"
}

@test "the guest's memory is mapped by the core manager alone, and left out of dumps and children" {
  same "$(lines mapped)" "core|1,supervisor|0"
  has "$(lines flags) " " dc dd "
}

@test "the core manager has the VM, its vCPUs, the console and the supervisor's socket, and nothing else open" {
  same "$(sed -n 's/^fd|core|//p' "$OUT/inside.out" | paste -sd ,)" \
    "anon_inode:kvm-vcpu:0,anon_inode:kvm-vcpu:1,anon_inode:kvm-vm,socket,socket"
}

@test "the supervisor keeps the memory, and neither KVM nor the VM" {
  grep -qx 'fd|supervisor|/memfd:nohype-guest (deleted)' "$OUT/inside.out"
  same "$(grep -E '^fd\|supervisor\|(/dev/kvm|anon_inode:kvm-vm$|anon_inode:kvm-vcpu:)' "$OUT/inside.out")" ""
}

@test "a program behind core_pattern gets nothing of either, and gets what others dump" {
  same "$(grep -c . "$OUT/signals.out")" 11
  same "$(head -n 1 "$OUT/signals.out")" "dumped|control|1"
  while IFS='|' read -r _ name dumped _; do
    same "$name: $dumped" "$name: 0"
  done < <(tail -n +2 "$OUT/signals.out")
}

@test "the supervisor says by which signal the core manager was ended" {
  end='(exit code 1: an error of nohype'
  grep -qF "SIGSEGV core|0|1|nohype: vm: the core manager was killed by signal 11 (Segmentation fault) $end" "$OUT/signals.out"
  grep -qF "SIGTRAP core|0|1|nohype: vm: the core manager was killed by signal 5 (Trace/breakpoint trap) $end" "$OUT/signals.out"
  grep -qF "SIGSYS core|0|1|nohype: vm: the core manager made a system call that its filter forbids $end" "$OUT/signals.out"
}

# nothing_left TARGET: at each of the ten moments.
nothing_left() {
  local name target code last left count=0
  while IFS='|' read -r name target code last left; do
    count=$((count + 1))
    same "$name, $target: $left" "$name, $target: "
    if [ "$target" = core ]; then
      same "$code $last" "1 nohype: vm: the core manager was killed by signal 9 (Killed) (exit code 1: an error of nohype's own)"
    else
      same "$code" -9
    fi
  done <"$OUT/$1.out"
  same "$count" 10
}

@test "kill -9 of the supervisor, at ten moments of a boot: nothing is left" {
  nothing_left supervisor
}

@test "kill -9 of the core manager: nothing is left, and the supervisor says so" {
  nothing_left core
  same "$(grep -c '|core|' "$OUT/core.out")" 8
}

@test "kill -9 of both: nothing is left" {
  nothing_left both
  same "$(grep -c '|both|' "$OUT/both.out")" 8
}

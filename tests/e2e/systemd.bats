#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# nohyped as systemd's service, and its VMs as units of their own, on one emulated host: tests/e2e/systemd-runs.

load lib

setup_file() {
  unset MAKEFLAGS MFLAGS MAKELEVEL
  guests rest
  export OUT=$BATS_FILE_TMPDIR/out TREE=$BATS_FILE_TMPDIR/tree
  make install DESTDIR="$TREE" >/dev/null
  # never here, where systemd may be this machine's
  "$RIG" --systemd --no-devices --cpus 5 --mem 2G --hugepages 2M:33 --timeout 900 --append "$PAGES_STAY" --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" \
    --env "LONG=${LONG:-}" -- tests/e2e/systemd-runs "$TREE" >"$BATS_FILE_TMPDIR/found" 2>"$BATS_FILE_TMPDIR/log" 3>&- ||
    cat "$BATS_FILE_TMPDIR/log" "$OUT/nohyped.log"
}

# found WHAT WANTED: what the lines of that name have, joined by commas.
found() {
  same "$(sed -n "s/^$1|//p" "$BATS_FILE_TMPDIR/found" | paste -sd ,)" "$2"
}

@test "nohyped is started by the first request to its socket" {
  found "start of the socket" "0|inactive|660"
  found groups "nohype|nohype-monitor"
  found "first request" "0|active|running|main"
}

@test "each VM is a scope of its own, supervisor and core manager together" {
  found started "0|0|0|0"
  found cgroups "$(printf '/nohype.slice/nohype-vm-%s.scope\n' one two three web-4.x | paste -sd ,)"
  found scope "nohype.slice|nohype: the VM one|active|inactive-or-failed"
}

@test "what the service may not do keeps no core manager from its jail" {
  found "own namespaces" "cgroup|ipc|mnt|net|uts"
  found root ""
}

@test "restart, kill -9, stop and the watchdog's end of nohyped: four sealed VMs go on, and no guest exits" {
  for what in "after restart" "after kill -9" "after its silence" "after stop"; do
    found "$what" "0|0|0|0|True|True"
  done
  found stopped "inactive|0"
  found "found again" "True|True|True|True"
}

@test "a VM's unit goes with it, however it ends, and is there for its next life" {
  found "nohype stop" 0
  found "started again" "0|/nohype.slice/nohype-vm-one.scope"
  found "nohype abort" 0
  found "supervisor killed" "cleared by nohyped"
  found left "0|False|0"
}

@test "systemd's fd store has the memory of each VM until its end, over a restart, not over a stop" {
  found stored 4
  found given "True|4"
  found "stored again" 4
}

@test "kill -9 of nohyped and a supervisor at once: the next nohyped clears the memory, and lets go of it" {
  found "killed at once" "2|cleared by nohyped|1|64|0"
  found "its memory" "[64, 2]|[]"
}

@test "who is told of an end may start again: systemd has none of its pages" {
  found pages "0|0|0|0|0|0|0"
}

@test "memory in the store of a VM that isn't known is cleared if nobody has it, and left alone if not" {
  found stray "2|0|[64, 2]|[]"
  found "in use" "0|0|0"
  found "said of strays" "$(printf '%s|' ', and no' ', and no' ': left to' ': left to' | sed 's/|$//')"
}

@test "systemctl stop of a VM's unit, or of all in their slice, is a clean end with the memory cleared" {
  found "systemctl stop of a scope" 0
  found "systemctl stop of the slice" 0
  found three "0|stopped by a signal|64"
  found web-4.x "0|stopped by a signal|64"
}

@test "a taken core's partition is a unit's VM's, and outlives what systemd does to cgroups" {
  found "host apply" "0|isolated"
  found "start in the partition" 0
  found "its threads" "/nohype.slice/nohype-vm-part.scope|/|/nohype"
  found "after systemd's reload" "isolated|/nohype|3|0"
  found "stop in the partition" "0|0"
}

@test "nohype@NAME.service is one VM of /etc/nohype/NAME.json" {
  found nohype@single 0
  found "it is" "/nohype.slice/nohype@single.service|/nohype.slice/nohype@single.service|0"
  found "and ends" "0|inactive|success|0"
}

@test "all of it is under the AppArmor profiles, enforced, which refuse nothing of it, and what they are there for" {
  found profiles "nohyped (enforce)|nohyped (enforce)|nohyped (enforce)"
  found "its profiles" "unconfined|nohype-core (enforce)"
  grep -qx refused "$BATS_FILE_TMPDIR/found" || { grep '^refused|' "$BATS_FILE_TMPDIR/found"; return 1; }
  found "written to" "/etc/nohype/new|1,/usr/local/new|1,/proc/sysrq-trigger|1,/var/lib/nohype/new|0"
  found moved 1
  same "$(($(sed -n 's/^refused then|//p' "$BATS_FILE_TMPDIR/found") >= 4))" 1
}

# LONG=1: a bus that is there and silent, too.
@test "without a bus a VM stays in nohyped's unit, which is said once, and with one again it doesn't" {
  found "start without a bus" "0|/system.slice/nohyped.service|0,0|/system.slice/nohyped.service|0"
  same "$(sed -n 's/^warned|//p' "$BATS_FILE_TMPDIR/found" | grep -c "alone: no unit of its own under systemd")" 1
  found "start with a bus" "0|/nohype.slice/nohype-vm-alone.scope|0"
  found "while the bus is silent" "${LONG:+defined|True}"
  found "start with a silent bus" "${LONG:+0|/system.slice/nohyped.service}"
}

@test "what systemd-analyze thinks of nohyped.service" {
  sed -n 's/^security|/# /p' "$BATS_FILE_TMPDIR/found" >&3
  grep -q '^security|.*Overall exposure level for nohyped.service: [0-6][.]' "$BATS_FILE_TMPDIR/found"
}

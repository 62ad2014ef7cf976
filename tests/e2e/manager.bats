#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# nohyped: VMs through the API, on one host: tests/e2e/manager-runs.

load lib

setup_file() {
  tests/e2e/violations/build >/dev/null
  guests rest
  export OUT=$BATS_FILE_TMPDIR/out
  on_kvm_host --cpus 4 --mem 2G --hugepages 2M:162 --timeout "${LONG:+1}1200" --out "$OUT" -- tests/e2e/manager-runs >"$BATS_FILE_TMPDIR/found" 2>"$BATS_FILE_TMPDIR/log" 3>&- ||
    cat "$BATS_FILE_TMPDIR/log" "$OUT/nohyped.log"
}

# found WHAT WANTED: what the lines of that name have, joined by commas.
found() {
  same "$(sed -n "s/^$1|//p" "$BATS_FILE_TMPDIR/found" | paste -sd ,)" "$2"
}

@test "VMs are defined, started once, sealed and listed" {
  found define "201,201,201"
  found start "202|409,202|409,202|409"
  found list "absent defined|bad defined|one sealed|three sealed|two sealed"
}

@test "nohype top shows state, cores and causes of all, and - for what isn't known" {
  found top "sealed|None|None|True"
  found "top's table" "NAME STATE CORES|bad defined -|one sealed 0|two sealed 1"
}

@test "the API tells whose each core and all memory is, and doctor tries no guest beside those; the sealed VMs have no exit of it" {
  found "who has what" "one: core 0 alone 0 vCPU 0; pages 2M part 32 memory|three: core 2 alone 0 vCPU 0; pages 2M part 32 memory|two: core 1 alone 0 vCPU 0; pages 2M part 32 memory"
  found supervisors True
  found cores "one|two|three|None"
  found doctor "not tried: a VM runs here, which making another would interrupt"
  found "exits of looking" "0|0"
}

@test "one that runs is not deleted, and one that is sealed not sealed again" {
  found "delete while it runs" 409
  found "seal a sealed one" 409
}

@test "a violation is told with its record, and the memory is cleared" {
  found violation "5|port I/O|64"
}

@test "one that can't start says why" {
  found absent "2|nohype: error: kernel \"$(realpath "$BUILD")/e2e-guests/absent\": No such file or directory"
}

@test "a name whose address another user has taken: who, and what to do" {
  found taken "2|nohype: error: name: \"absent\": process PID of user 1000 has taken the address of its control socket (@nohype/0/absent): end that, or name this VM otherwise"
}

@test "kill -9 of nohyped: sealed VMs have no exit of it, and a new one finds them, and who ended meanwhile" {
  found "after kill" "one sealed|two sealed|three gone"
  found "same processes" True
  found "exits of the guest" "0|0"
  found "told once" "state three stopping|state three gone|manager - ready"
}

# Each waited 5 s, and from the ninth on, when the socket's queue was full, for good.
@test "a supervisor that is stopped holds nobody up, and is asked again later" {
  found "stopped supervisor" "{None}|sealed|True"
  found "it goes on" sealed
}

@test "stop is 0, abort 6, also while it starts" {
  found stop "202|0"
  found "stop again" 409
  found abort "202|6"
  found "abort while it starts" "202|202|6"
}

@test "eight starts of one at once are one; a start while it stops is refused; an abort ends it at each time of its start" {
  found "eight starts at once" "202|409|409|409|409|409|409|409"
  found "start while stopping" "409|0"
  found "abort waits" "0|gone"
  found "abort at each time of a start" "(0, 6, False)"
  found "core free again" "0|0"
}

# LONG=1: 1,000 of them.
@test "30 cycles of start and stop leave as many fds, processes, files, cgroups, sockets and huge pages, and no memory" {
  grep -E '^[0-9]+ cycles, ' "$BATS_FILE_TMPDIR/log" | sed 's/^/# /' >&3
  found cycles "$([ "${LONG:-0}" = 1 ] && echo 1000 || echo 30)|(0, 0)|True|True"
}

@test "the example of a cloud manager quarantines what broke its seal, with evidence, and stops what is taken away" {
  found "cloud manager" "event.json|report.json|port I/O"
}

@test "kill -9 of a supervisor: nohyped clears the memory" {
  found "supervisor killed" "1|cleared by nohyped|64"
}

@test "kill -9 of nohyped and a supervisor at once: recover says that memory was not cleared by nohype, once" {
  local fate="not cleared by nohype: Linux zeroes each page before its next user"
  found recovered "one sealed $fate|0"
  found "after recover" "1|$fate|0"
}

@test "restart: after a violation if that is said, as often as is said; never after an order" {
  found restarts "start|5|restart|start|5|restart"
  found "ended by a signal" "0|False"
}

@test "events come in order, with ids without holes" {
  found "events of a run" "planned|prepared|booting|sealed|gone"
  found ids True
}

@test "nothing is left: no fds, no files" {
  found fds True
  found deleted "204|204|204|204|204"
  found left "[]|[]"
  found ended 0
}

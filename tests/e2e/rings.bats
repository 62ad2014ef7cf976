#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Sealed guests at level strict that talk through the rings. Their only exits are ticks that came late, an exception as
# in proof.bats, and their own end.

load lib
load proof/lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  tests/e2e/rings/build >&2
  "$RIG" --no-devices --cpus 2 --mem 1G --isolated 1 --hugepages 2M:66 --timeout "${LONG:+2}900" --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" \
    --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-}" -- tests/e2e/rings-runs >&2 3>&-
}

# What the guest caused since the seal but what was let through: of one that ends itself, that one write.
exits_of_its_own() { # NAME
  echo $(($(by_the_guest "$1") - $(let_through "$1")))
}

@test "a console session on a sealed guest: commands, their output, Ctrl-C; leaving ends nothing" {
  same "$(cat "$OUT/talk.out")" "command answered
terminal answered
work answered
interrupt answered
left 0"
}

@test "and no exit of the guest's own but its end; the heart was there; stop asks it" {
  ended session 0 "session: the guest powered off"
  has "$(cat "$OUT/session.err")" "session: the guest was asked to end"
  same "$(exits_of_its_own session)" 1
  run ! grep heartbeat "$OUT/session.err"
}

@test "a login with glibc's programs: their CPUID is let through and counted, and there is no other exit but the end" {
  same "$(cat "$OUT/talk-login.out")" "refused
logged in
command answered
left 0"
  ended login 0 "login: the guest powered off"
  [ "$(let_through login cpuid)" -gt 20 ]
  same "$(exits_of_its_own login)" 1
}

@test "the ring process is jailed: a user of its own, no capabilities, a filter, an empty root, no vCPU's core" {
  has "$(cat "$OUT/jail")" $'NoNewPrivs:\t1'
  has "$(cat "$OUT/jail")" $'CapEff:\t0000000000000000'
  has "$(cat "$OUT/jail")" $'Seccomp:\t2'
  has "$(cat "$OUT/jail")" $'Cpus_allowed_list:\t0'
  [ "$(awk '/^Uid:/ { print $2 }' "$OUT/jail")" -ge 1862270976 ]
  same "$(cat "$OUT/jail-root")" "total 0"
}

@test "the log: every line once and in order, and no exit of the guest's own but its end" {
  local count=750000
  [ "${LONG:-0}" != 1 ] || count=12000000
  ended log 0 "log: the guest powered off"
  same "$(exits_of_its_own log)" 1
  same "$(sha256sum <"$OUT/follow.out")" "$(seq -w 1 $count | sha256sum)"
  same "$(jq -r 'select(.vm == "log").text' "$OUT/follow.json" | sha256sum)" "$(seq -w 1 $count | head -n 1000 | sha256sum)"
}

@test "a heart that stops: aborted, 6, and memory is cleared" {
  same "$(status_of silent)" 6
  [[ $(last_line silent) =~ ^"nohype: silent: no heartbeat for "[0-9.]+" s, and the guest was ended (exit code 6: " ]]
  has "$(cat "$OUT/silent.err")" "silent: memory cleared: 128 MiB"
}

@test "a guest that writes rubbish everywhere, at boot and sealed: the ring is dead, the VM lives to its own end" {
  ended scribble 0 "scribble: the guest powered off"
  has "$(cat "$OUT/scribble.err")" "rings: the guest wrote what can't be into the counts of its ring"
  same "$(grep -c "what can't be" "$OUT/scribble.err")" 1
}

@test "the function's configuration after the seal is a violation" {
  same "$(status_of config)" 5
  has "$(last_line config)" "port I/O"
}

@test "nothing is left" {
  same "$(cat "$OUT/left")" ""
}

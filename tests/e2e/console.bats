#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The guest's serial port on a terminal, a pipe or a file; and what becomes of the terminal.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests busy echo flood power-off
  "$RIG" --no-devices --cpus 2 --mem 1G --hugepages 2M:64 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" \
    -- tests/e2e/console-runs >&2 3>&-
}

# found SCENE WHAT: the rest of console.py's line about it.
found() {
  sed -n "s/^$1|$2|//p" "$OUT/console.out"
}

# ends SCENE CODE [TEXT]: the terminal is as it was, nothing is left, and the last line says TEXT.
ends() {
  same "$1: $(found "$1" exit)" "$1: $2"
  same "$1: $(found "$1" restored)" "$1: True"
  same "$1: $(found "$1" left)" "$1: "
  [ -z "${3:-}" ] || has "$(last_line "$1")" "nohype: vm: $3 (exit code $2: "
}

@test "all of it was done" {
  same "$(status_of console) $(cat "$OUT/console.err")" "0 "
}

@test "a shell in the guest is typed to and answers; Ctrl-C is the guest's" {
  same "$(found shell typed)" answered
}

@test "Ctrl-A x ends it: 0" {
  ends shell 0 "ended by Ctrl-A x"
  ends escape 0 "ended by Ctrl-A x"
}

@test "while it runs the terminal is raw, but for newlines of our own" {
  for scene in shell sigterm sigkill; do
    same "$(found $scene mode)" output
  done
}

@test "every key is the guest's, Ctrl-A twice is one Ctrl-A" {
  while read -r typed answered; do
    same "$typed: $(found escape "$typed")" "$typed: $answered"
  done <<'END'
41 41
03 03
1a 1:
0101 01
0162 62
78 78
0d 0=
END
}

@test "the terminal is as it was when the guest powers off, or a signal ends it" {
  ends guest-end 0 "the guest powered off"
  ends sigterm 0 "stopped by a signal"
  ends sigint 0 "stopped by a signal"
}

@test "and when the supervisor is killed" {
  ends sigkill -9
  ends sigsegv -11
}

@test "a terminal that goes away ends the VM: 6, and nothing is left" {
  ends gone 6 "the terminal went away, and the guest was ended"
}

@test "in the background the terminal is let alone, and what is typed is another's" {
  same "$(found background mode)" "echo lines signals cr output"
  same "$(found background state)" "goes on"
  ends background 99
  has "$(last_line background)" "nohype: vm: stopped by a signal (exit code 0: "
}

@test "a file on standard input reaches the guest, every byte once; its end ends nothing" {
  same "$(found input same) $(found input alive) $(found input exit)" "True True 0"
}

@test "a reader that goes away ends the VM: 6" {
  [[ $(found pipe 'first line') == 0123456789abcdef* ]]
  for scene in pipe full; do
    same "$(found $scene exit) $(found $scene left)" "6 "
    has "$(last_line $scene)" "nohype: vm: the console's reader went away, and the guest was ended (exit code 6: "
  done
}

@test "a reader that doesn't read holds up nobody but the guest" {
  same "$(found slow alive) $(found slow exit)" "True 0"
}

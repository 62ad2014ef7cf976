#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The emulated host, tests/rig/rig. A boot costs seconds, so most tests look at the results of two that run side by side.

RIG=${RIG:-tests/rig/rig}

# shellcheck disable=SC2016 # COMMAND's own shell code
setup_file() {
  export DIR=$BATS_FILE_TMPDIR
  export MARK=rig.test=$$
  # Every byte value, more of them than a pipe holds.
  for octal in $(seq 0 255); do printf '%b' "\\0$(printf %03o "$octal")"; done >"$DIR/256"
  for _ in $(seq 400); do cat "$DIR/256"; done >"$DIR/bytes"
  rm -rf "/var/tmp/$MARK"
  got=0
  "$RIG" --append "$MARK" --cpus 3 --isolated 1-2 --hugepages 2M:37 --instructions --out "$DIR/out" --env "GREETING=two words" \
    --timeout 240 -- sh -c '
      cat "$1"
      tr "\000-\377" "\001-\377\000" <"$1" >&2
      cd "$2" && exec >seen
      uname -r
      stat -c %t:%T:%F /dev/kvm
      cat /sys/devices/system/cpu/isolated /sys/devices/system/cpu/nohz_full
      cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
      echo "$GREETING"
      pwd
      touch "/var/tmp/$3" && ls "/var/tmp/$3"
      cat /sys/class/net/eth0/device/sriov_totalvfs /sys/class/nvme/nvme0/device/sriov_totalvfs
      od -A n -w24 -t u8 -N 24 instructions
      taskset -c 1 sh -c "i=0; while [ \$i -lt 20000 ]; do i=\$((i + 1)); done"
      sleep 0.1
      od -A n -w24 -t u8 -N 24 instructions
      exit 7' sh "$DIR/bytes" "$DIR/out" "$MARK" >"$DIR/stdout" 2>"$DIR/stderr" 3>&- &
  first=$!
  "$RIG" --no-devices --append "$MARK" --timeout 240 --stdin -- sh -c 'cat; nproc; ls /sys/class/net; sleep 1000 & exit 3' \
    <"$DIR/256" >"$DIR/second" 2>"$DIR/second.err" 3>&- || got=$?
  echo "$got" >"$DIR/second.status"
  got=0
  wait $first || got=$?
  echo "$got" >"$DIR/first.status"
}

same() {
  [ "$1" = "$2" ] || { printf 'found:  %s\nwanted: %s\n' "$1" "$2"; return 1; }
}

# ids of processes, this shell's own aside, that have the mark of this file's emulated hosts on their command line
hosts() {
  grep -lsaF "$MARK" /proc/[0-9]*/cmdline | while read -r file; do
    pid=${file#/proc/}
    [ "$(cat "/proc/${pid%/*}/comm" 2>/dev/null)" != qemu-system-x86 ] || echo "${pid%/*}"
  done
}

# Waits for a line of text, or a host to be there, up to two minutes.
until_true() {
  for _ in $(seq 600); do
    ! "$@" || return 0
    sleep 0.2
  done
  echo "not within two minutes: $*"
  return 1
}

some_host() { [ -n "$(hosts)" ]; }
no_host() { [ -z "$(hosts)" ]; }
no_folder() { [ ! -e "$folder" ]; }

seen() {
  same "$(sed -n "$1p" "$DIR/out/seen")" "$2"
}

@test "the exit status is the command's" {
  same "$(cat "$DIR/first.status") $(cat "$DIR/second.status")" "7 3"
}

@test "standard output comes out as it was written, every byte value" {
  cmp "$DIR/stdout" "$DIR/bytes"
}

@test "standard error is apart from it, as clean" {
  tr '\000-\377' '\001-\377\000' <"$DIR/bytes" | cmp - "$DIR/stderr"
}

@test "two run side by side, and --stdin goes in" {
  { cat "$DIR/256"; echo 2; echo lo; } | cmp - "$DIR/second"
  same "$(cat "$DIR/second.err")" ""
}

@test "the kernel is not this machine's, and has KVM" {
  [ "$(sed -n 1p "$DIR/out/seen")" != "$(uname -r)" ]
  seen 2 "a:e8:character special file"
}

@test "--isolated and --hugepages are what the kernel reports" {
  seen 3 1-2
  seen 4 1-2
  seen 5 37
}

@test "--env reaches the command, words together" {
  seen 6 "two words"
}

@test "--out stays, and nothing else does" {
  seen 7 "$DIR/out"
  seen 8 "/var/tmp/$MARK"
  [ ! -e "/var/tmp/$MARK" ]
}

@test "there is a network card and an NVMe disk, both with SR-IOV, but with --no-devices" {
  [ "$(sed -n 9p "$DIR/out/seen")" -ge 1 ]
  [ "$(sed -n 10p "$DIR/out/seen")" -ge 1 ]
  same "$(tail -n 1 "$DIR/second")" lo
}

@test "--instructions counts each CPU's: a loop on one is there, and no less than it has" {
  read -r zero one two < <(sed -n 11p "$DIR/out/seen")
  read -r _ later _ < <(sed -n 12p "$DIR/out/seen")
  [ "$zero" -gt 1000000 ] && [ "$two" -gt 0 ]
  [ $((later - one)) -gt 200000 ]
}

@test "nothing of the two is left running" {
  no_host
}

@test "--timeout ends it in time with 124" {
  start=$(date +%s)
  run "$RIG" --append "$MARK" --timeout 5 -- sleep 1000
  same "$status $output" "124 rig: ended after 5 seconds (--timeout)"
  [ $(($(date +%s) - start)) -lt 60 ]
  no_host
}

@test "Ctrl-C ends it with 130, output so far has come" {
  "$RIG" --no-devices --append "$MARK" --timeout 240 -- sh -c 'echo up; sleep 1000' >"$DIR/interrupted" 2>&1 3>&- &
  rig=$!
  until_true grep -q up "$DIR/interrupted"
  some_host
  kill -INT $rig
  got=0
  wait $rig || got=$?
  same "$got $(cat "$DIR/interrupted")" "130 up"
  no_host
}

@test "killed, it leaves no process, and the next run removes its folder" {
  "$RIG" --no-devices --append "$MARK" --timeout 240 -- sleep 1000 3>&- &
  rig=$!
  until_true some_host
  folder=$(tr '\0' '\n' <"/proc/$(hosts | head -n 1)/cmdline" | sed -n 's/.*path=\(.*\)\/asked,.*/\1/p')
  [ -d "$folder" ]
  kill -KILL $rig
  until_true no_host
  "$RIG" --no-devices --append "$MARK" --timeout 240 -- sleep 1000 3>&- &
  rig=$!
  until_true no_folder
  kill -INT $rig
  wait $rig || true
  until_true no_host
}

@test "a host that ends before the command is an error, and its log is named" {
  run "$RIG" --no-devices --append "$MARK" --timeout 240 -- sh -c 'echo c >/proc/sysrq-trigger'
  [ "$status" = 125 ]
  [[ $output == "rig: the emulated host's kernel: "*"sysrq triggered crash; its log: "* ]]
  [ -s "${output##*its log: }" ]
}

@test "--shell is a terminal" {
  run timeout 240 script -qec "$RIG --no-devices --append $MARK --shell -- sh -c 'tty; exit 5'" /dev/null </dev/null
  same "$status ${output//$'\r'/}" "5 /dev/hvc0"
}

@test "each bad option is named" {
  while IFS='|' read -r options message; do
    # shellcheck disable=SC2086 # several options
    run "$RIG" $options
    same "$status $output" "125 rig: $message"
  done <<'END'
--cpus 0 -- true|--cpus "0": 1 to 255 wanted
--cpus two -- true|argument --cpus: invalid int value: 'two'; see --help
--mem lots -- true|argument --mem: "lots": a size wanted, as 512M or 3G; see --help
--mem 16M -- true|--mem "16M": 512M or more wanted
--numa 3 -- true|--numa: 1 to 2 nodes wanted (--cpus)
--numa 3 --cpus 3 --mem 1000M -- true|--numa: equal shares of 1000M wanted; give another --mem
--isolated 2 -- true|--isolated: CPUs below 2 (--cpus) wanted, and not all of them
--isolated 0-1 -- true|--isolated: CPUs below 2 (--cpus) wanted, and not all of them
--isolated x -- true|argument --isolated: "x": CPUs wanted, as 1,3-5; see --help
--hugepages 4M:1 -- true|argument --hugepages: "4M:1": 2M:COUNT or 1G:COUNT wanted; see --help
--hugepages 1G:4 -- true|--hugepages: more than the memory, 3072M; give more --mem
--instructions -- true|--instructions: --out wanted too, for the file
--timeout 0 -- true|argument --timeout: "0": seconds wanted, more than 0; see --help
--env 1=2 -- true|argument --env: "1=2": NAME=VALUE wanted; see --help
--out /dev/null -- true|--out "/dev/null": File exists
--colour -- true|unrecognized arguments: --colour; see --help
true|unrecognized arguments: true; see --help
--cpus 1|no COMMAND; see --help
--shell|--shell: standard input or output is no terminal
END
}

# shellcheck disable=SC2016 # COMMAND's own shell code
@test "a slow clock: the emulated host's seconds are longer, by all that it has" {
  local start=$SECONDS
  run "$RIG" --append "$MARK" --timeout 240 --slow 4 -- sh -c '
    start=$(date +%s%N)
    sleep 3
    echo $((($(date +%s%N) - start) / 1000000))
    cat /sys/devices/system/clocksource/clocksource0/current_clocksource'
  same "$status" 0
  [ $((SECONDS - start)) -ge 12 ]
  [ "${lines[0]}" -ge 3000 ] && [ "${lines[0]}" -lt 6000 ]
  [[ ${lines[1]} == tsc* ]]
}

@test "an unknown kernel is named" {
  run "$RIG" --kernel 5.99 -- true
  [ "$status" = 125 ]
  [[ $output == 'fetch-kernel: "5.99": no such kernel'* ]]
}

# bats test_tags=long
@test "other kernels and the instruction clock have KVM too" {
  for options in "--kernel 6.1" "--kernel sid" --icount; do
    # shellcheck disable=SC2086 # two words
    run "$RIG" --append "$MARK" --timeout 240 $options -- test -c /dev/kvm
    same "$options: $status $output" "$options: 0 "
  done
}

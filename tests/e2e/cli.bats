#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The command line: help, options, bad usage, exit codes. Starts no VM and needs no KVM.

setup() {
  NOHYPE=$(realpath "${NOHYPE:-build/nohype}")
  # A kernel needn't be there for what the configuration alone tells.
  cd "$BATS_TEST_TMPDIR" || return
}

# run_it STATUS ARG...: runs nohype; the two outputs in $out and $err.
run_it() {
  local want=$1 got=0
  shift
  "$NOHYPE" "$@" >out 2>err </dev/null || got=$?
  out=$(cat out)
  err=$(cat err)
  [ "$got" = "$want" ] || { echo "exit $got, wanted $want: $*"; cat out err; return 1; }
}

# says TEXT: what is on standard error is one error with exactly this text.
says() {
  [ "$err" = "nohype: error: $1" ] || { printf 'found:  %s\nwanted: nohype: error: %s\n' "$err" "$1"; return 1; }
}

config() {
  printf '%s\n' "$1" >vm.json
}

@test "--help lists every command and says nothing on standard error" {
  run_it 0 --help
  [ -z "$err" ]
  for word in run check help exit-codes --version; do
    [[ "$out" == *"$word"* ]]
  done
  first=$out
  run_it 0 help
  [ "$out" = "$first" ]
  run_it 0 -h
  [ "$out" = "$first" ]
}

@test "--version" {
  run_it 0 --version
  [[ "$out" =~ ^nohype\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "help of run and check names every option" {
  for command in run check; do
    run_it 0 help "$command"
    for option in -k --kernel -i --initrd -c --vcpus --cores -m --memory --page-size -a --append -n --name -v \
      --verbose -h --help; do
      [[ "$out" == *"$option"* ]] || { echo "$command: $option"; return 1; }
    done
    first=$out
    run_it 0 "$command" --help
    [ "$out" = "$first" ]
    run_it 0 "$command" -h
    [ "$out" = "$first" ]
  done
}

@test "--json is an option of check alone" {
  run_it 0 help check
  [[ "$out" == *--json* ]]
  run_it 0 help run
  [[ "$out" != *--json* ]]
  run_it 2 run --json vm.json
}

@test "help exit-codes is the table" {
  run_it 0 help exit-codes
  [ "$(cut -d ' ' -f 1 out | paste -sd ' ')" = "0 1 2 3 4 5 6 124" ]
}

@test "help about what is not there" {
  run_it 2 help chek
  says 'help: "chek": no such command: did you mean check?'
  run_it 2 help xyzzy
  says 'help: "xyzzy": no such command: nohype help lists what there is'
  run_it 2 help run check
  says 'help: wanted one command, found 2'
}

@test "no command" {
  run_it 2
  says 'no command: wanted nohype COMMAND; nohype help lists what there is'
  [ -z "$out" ]
}

@test "an unknown command, with a suggestion where one is near" {
  run_it 2 rnu
  says '"rnu": unknown command: did you mean run?'
  run_it 2 chek vm.json
  says '"chek": unknown command: did you mean check?'
  run_it 2 begin
  says '"begin": unknown command: nohype help lists what there is'
  run_it 2 ''
  says '"": unknown command: nohype help lists what there is'
  run_it 2 $'a\033[2Jb'
  says '"a\x1b[2Jb": unknown command: nohype help lists what there is'
}

@test "an unknown option before the command" {
  run_it 2 --versoin
  says '"--versoin": unknown option: did you mean --version?'
  run_it 2 -x
  says '"-x": unknown option: nohype help lists what there is'
}

@test "an unknown option, with a suggestion where one is near" {
  for command in run check; do
    run_it 2 "$command" --memry 1G
    says "$command: option \"--memry\": unknown: did you mean --memory?"
    run_it 2 "$command" --pagesize=2M
    says "$command: option \"--pagesize=2M\": unknown: did you mean --page-size?"
    run_it 2 "$command" --frobnicate
    says "$command: option \"--frobnicate\": unknown: see nohype help $command"
    run_it 2 "$command" -x
    says "$command: option \"-x\": unknown: see nohype help $command"
    run_it 2 "$command" -vx vm.json
    says "$command: option \"-x\": unknown: see nohype help $command"
  done
}

@test "options without their argument, or with one too many" {
  run_it 2 run -k
  says 'run: option -k: wanted an argument'
  run_it 2 run --memory
  says 'run: option --memory: wanted an argument'
  run_it 2 check --verbose=3
  says 'check: option "--verbose=3": takes no argument'
}

@test "two configurations" {
  run_it 2 run a.json b.json
  says 'run: "b.json": wanted no second configuration'
}

@test "neither configuration nor kernel" {
  for command in run check; do
    run_it 2 "$command"
    says 'command line: kernel: missing: wanted the path of a kernel image (or option -k)'
  done
}

@test "no such configuration, a directory, an empty file, a device" {
  for command in run check; do
    run_it 2 "$command" none.json
    says 'none.json: No such file or directory'
    run_it 2 "$command" .
    says '.: a directory: wanted a configuration file'
    : >empty.json
    run_it 2 "$command" empty.json
    says 'empty.json: empty: wanted a configuration, {...}'
    run_it 2 "$command" /dev/null
    says '/dev/null: not a regular file: wanted a configuration file'
    run_it 2 "$command" ''
    says "\"\": wanted a configuration file's name"
  done
}

@test "run refuses a bad configuration with the same messages as check" {
  config '{ "kernel": "k", "vcpus": 0,
  "memory": { "size": "512MB" } }'
  run_it 2 check vm.json
  checked=$err
  run_it 2 run vm.json
  [ "$err" = "$checked" ]
  [ "$(wc -l <err)" = 2 ]
  [[ "$err" == *'vm.json:1: vcpus: 0: wanted a whole number from 1 to 255'* ]]
  [[ "$err" == *'vm.json:2: memory.size: "512MB": wanted a size'* ]]
}

@test "10 MB of configuration" {
  head -c 10000000 /dev/zero | tr '\0' ' ' >big.json
  run_it 2 check big.json
  says 'big.json: more than 1 MiB: too big for a configuration'
}

@test "options are checked as the file is, and all at once" {
  run_it 2 check -k k -c four -m 512 --page-size 3M --cores 1,1 -n 'a b'
  [ "$(wc -l <err)" = 5 ]
  [[ "$err" == *'option -c: "four": wanted a whole number from 1 to 255'* ]]
  [[ "$err" == *'option -m: "512": wanted a size'* ]]
  [[ "$err" == *'option --page-size: "3M": wanted "4K", "2M" or "1G"'* ]]
  [[ "$err" == *'option --cores: "1,1": host CPU 1 is there twice'* ]]
  [[ "$err" == *'option -n: "a b": wanted 1 to 64 letters'* ]]
}

@test "errors of file and options come together" {
  config '{ "kernel": 5 }'
  run_it 2 check vm.json --vcpus 0
  [ "$(wc -l <err)" = 2 ]
  [[ "$err" == *'vm.json:1: kernel: 5: wanted'* ]]
  [[ "$err" == *'option --vcpus: 0: wanted'* ]]
}

@test "as many cores as vCPUs" {
  run_it 2 check -k k -c 3 --cores 0,1
  says 'command line: vcpus: 3: cores names 2 host CPUs: wanted one for each vCPU, or vcpus left out'
}

@test "check --json says the same as an object on standard output" {
  config '{ "kernel": "k", "vcpus": 0 }'
  run_it 2 check --json vm.json
  [ -z "$err" ]
  [ "$(tr -d ' \n' <out)" = '{"ok":false,"errors":["vm.json:1:vcpus:0:wantedawholenumberfrom1to255"]}' ]
}

@test "check --json with bytes that are no UTF-8" {
  run_it 2 check --json $'\xff.json'
  [ -z "$err" ]
  [[ "$out" == *'\\xff.json: No such file or directory'* ]]
}

@test "check of a kernel that is not there is not ok, and names it" {
  config '{ "kernel": "no-such-kernel" }'
  code=0
  "$NOHYPE" check vm.json >out 2>err || code=$?
  [ "$code" != 0 ]
  grep -q no-such-kernel err
  [ ! -s out ]
}

@test "standard output that can't be written is an error" {
  code=0
  "$NOHYPE" help >/dev/full 2>err || code=$?
  [ "$code" = 1 ]
  [ "$(cat err)" = 'nohype: error: standard output: No space left on device' ]
}

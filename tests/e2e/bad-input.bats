#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Bad input: `check` and `run` refuse it with the same words, which name the thing, and nothing is left behind.
# (All that a configuration can have wrong is in tests/unit/bad-config.)

load lib

# One bad file of each kind.
inputs() {
  guests big power-off
  mkdir "$1" && cd "$1" || return
  mkdir folder
  mkfifo fifo
  : >empty
  echo hello | tee text >text.json
  cp "$SMALL_GUESTS/power-off" kernel
  cp kernel secret
  head -c 1000000 "$GUESTS/kernel-6.12/bzImage" >cut.bzImage
  head -c 250 kernel >cut.elf
  # e_machine: EM_AARCH64
  { head -c 18 kernel; printf '\267\000'; tail -c +21 kernel; } >arm64.elf
  truncate -s 130M initrd.130M
  head -c 10000000 /dev/zero | tr '\0' ' ' >big.json
  printf '%0100000d' 0 | tr 0 '[' >nested.json
  echo '{ "kernel": "kernel", "kernel": "kernel" }' >twice.json
  cd "$ROOT" || return
}

setup_file() {
  export IN=$BATS_FILE_TMPDIR/in OUT=$BATS_FILE_TMPDIR/out
  inputs "$IN"
  # On an emulated host in any case: /dev/kvm goes away for a while.
  "$RIG" --no-devices --cpus 2 --mem 1G --hugepages 2M:32 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" \
    -- tests/e2e/bad-inputs host "$IN" >&2 3>&- &
  mkdir "$BATS_FILE_TMPDIR/here"
  OUT=$BATS_FILE_TMPDIR/here tests/e2e/bad-inputs files "$IN" >&2 3>&-
  wait $!
}

# refused NAME CODE MESSAGE: all that was said, wherever it was run.
refused() {
  local file found=0
  for file in "$OUT/$1".*.err "$BATS_FILE_TMPDIR/here/$1".*.err; do
    [ -e "$file" ] || continue
    found=$((found + 1))
    same "$(cat "${file%.err}.status") $(cat "$file")" "$2 nohype: error: $3" || { echo "$file"; return 1; }
    [ ! -s "${file%.err}.out" ]
  done
  [ $found = "${4:-4}" ] || { echo "$found results of $1"; return 1; }
}

# The same for what is tried on the host with KVM alone, by `check` and `run`, or by `run`.
refused_by_host() {
  refused "$1" 3 "$2" "${3:-2}"
}

@test "no such kernel" {
  refused kernel-none 2 'kernel "none": No such file or directory'
}

@test "a kernel that is a directory, an empty file, a FIFO, a text" {
  refused kernel-folder 2 'kernel "folder": is a directory: wanted a file'
  refused kernel-empty 2 'kernel "empty": is empty'
  refused kernel-fifo 2 'kernel "fifo": is not a regular file'
  refused kernel-text 2 'kernel "text": is no kernel, it begins with 68 65 6c 6c 6f 0a: wanted an x86-64 bzImage, or an ELF vmlinux with a PVH entry'
}

# Setup sectors at 0x1f1, 16-byte units of code at 0x1f4 (Documentation/arch/x86/boot.rst).
@test "a truncated bzImage" {
  sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$IN/cut.bzImage")
  units=$(od -An -tu4 -j $((0x1f4)) -N 4 "$IN/cut.bzImage")
  refused kernel-cut.bzImage 2 "kernel \"cut.bzImage\": is truncated: a bzImage of $(((sectors + 1) * 512 + units * 16)) bytes, of which it has 1000000"
}

@test "a truncated ELF file" {
  for file in "$BATS_FILE_TMPDIR/here" "$OUT"; do
    same "$(cat "$file/kernel-cut.elf.run.status")" 2
    has "$(cat "$file/kernel-cut.elf.run.err")" 'nohype: error: kernel "cut.elf": is truncated: '
    has "$(cat "$file/kernel-cut.elf.run.err")" ', it has 250 bytes'
  done
}

@test "an ELF file for another machine" {
  refused kernel-arm64.elf 2 'kernel "arm64.elf": is an ELF file for arm64: wanted x86-64'
}

@test "a kernel too big for the memory" {
  refused kernel-too-big 2 "kernel \"$SMALL_GUESTS/big\": needs 257 MiB of memory from 16 MiB on: too big for memory.size \"128M\": give it \"274M\" or more"
}

@test "no such initrd, a directory, an empty file" {
  refused initrd-none 2 'initrd "none": No such file or directory'
  refused initrd-folder 2 'initrd "folder": is a directory: wanted a file'
  refused initrd-empty 2 'initrd "empty": is empty'
}

@test "an initrd bigger than the memory, or that would lie over the kernel" {
  refused initrd-too-big 2 "initrd \"initrd.130M\": 130 MiB: doesn't fit in memory.size \"128M\" beside the kernel (1 MiB from 16 MiB on): give it \"148M\" or more"
  refused initrd-in-the-way 2 "initrd \"initrd.130M\": 130 MiB: doesn't fit in memory.size \"320M\" beside the kernel (257 MiB from 16 MiB on): give it \"404M\" or more"
}

@test "a command line too long, by itself or with what nohype adds" {
  refused cmdline-much-too-long 2 "option -a: \"0000000000000000000000000000000000000000000000000000000000...\": 100000 bytes: wanted at most 2047"
  for file in "$BATS_FILE_TMPDIR/here" "$OUT"; do
    same "$(cat "$file/cmdline-too-long.run.status")" 2
    [[ $(cat "$file/cmdline-too-long.run.err") =~ ^"nohype: error: cmdline: "([0-9]+)" characters, the guest's 2040 + nohype's "([0-9]+)": this kernel takes 2047"$ ]]
    [ "${BASH_REMATCH[1]}" = $((2040 + BASH_REMATCH[2])) ]
  done
}

@test "a configuration that is no JSON, of 10 MB, deeply nested, with a key twice" {
  refused json-text 2 "text.json:1:5: not JSON: invalid token near 'hello'"
  refused json-big 2 'big.json: more than 1 MiB: too big for a configuration'
  refused json-nested 2 'nested.json:1:2049: nested too deeply'
  refused json-twice 2 'twice.json:1: key "kernel" is there twice: wanted once'
}

@test "a core given to two vCPUs" {
  refused core-twice 2 'option --cores: "0,0": host CPU 0 is there twice: wanted each once, for one vCPU'
}

@test "a core that isn't there, and more vCPUs than cores" {
  refused_by_host core-none 'cores: 99: no such core is online on this host (it has 0-1)'
  refused_by_host cores-too-few 'vcpus: 3: each takes a core of its own, and this host has 2 for it'
}

@test "more memory than the host has" {
  for command in check run; do
    same "$(cat "$OUT/memory-too-much.$command.status")" 3
    [[ $(cat "$OUT/memory-too-much.$command.err") =~ ^'nohype: error: memory.size: "1000G": more than this host has free ('[0-9]+' MiB)'$ ]]
  done
}

@test "too few huge pages" {
  # shellcheck disable=SC2016 # backquotes of the message
  refused_by_host hugepages-too-few 'memory.size: "128M": wants 64 huge pages of 2M: this host has 32, 32 of them free: reserve more with `echo 64 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`'
}

@test "no /dev/kvm, or another device of that name" {
  refused_by_host kvm-none "/dev/kvm: No such file or directory: this kernel has no KVM loaded (modprobe kvm_amd or kvm_intel), or the processor's virtualization is off in the firmware"
  refused_by_host kvm-other '/dev/kvm: not KVM: API version -1, wanted 12'
}

@test "a /dev/kvm and a kernel that this user may not open" {
  refused_by_host kvm-not-ours '/dev/kvm: Permission denied: run as root, or join its group (usually kvm) and log in again' 1
  refused kernel-secret 2 'kernel "secret": Permission denied' 1
}

@test "the core manager's program is not there" {
  refused no-core-manager 1 'the core manager, "/run/bad-input/nohype-core" or "/usr/local/libexec/nohype/nohype-core": No such file or directory' 1
}

@test "with all that put right it runs" {
  same "$(cat "$OUT/good.run.status")" 0
}

@test "nothing is left behind" {
  same "$(cat "$OUT/left-by-files")" ""
  same "$(cat "$OUT/left-by-all")" ""
}

@test "what is left behind would be seen" {
  has "$(cat "$OUT/left-planted")" "new file: /dev/hugepages/planted"
  [[ $(cat "$OUT/left-planted") =~ "new process: "[0-9]+" sleep" ]]
}

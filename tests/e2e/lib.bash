# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the end-to-end tests share. A test looks at results: setup_file starts one host with KVM, runs there all that
# the file's tests are about, and leaves outputs and exit codes in a folder.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
NOHYPE=${NOHYPE:-$BUILD/nohype}
RIG=${RIG:-$ROOT/tests/rig/rig}
GUESTS=$BUILD/guests
# For emulated hosts whose guests are in small pages: or else the host may move one, which is an exit.
PAGES_STAY=sysctl.vm.compact_unevictable_allowed=0
export ROOT BUILD NOHYPE
cd "$ROOT" || exit

# on_kvm_host [RIG OPTION...] -- COMMAND...: runs COMMAND as root on a host with KVM: here, where KVM works and there is
# what the options ask for (--cpus, --mem), or else on an emulated host. OUT is its folder (--out).
on_kvm_host() {
  if kvm_here && here_has "$@"; then
    run_here "$@"
  else
    "$RIG" --no-devices --append "$PAGES_STAY" --env "OUT=$(out_of "$@")" --env "LONG=${LONG:-}" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" "$@"
  fi
}

# Opens, and makes a VM (KVM_CREATE_VM is ioctl 0xae01), by the processor's means: a KVM without them (PVM) does that
# too, but runs only guests that were made for it.
kvm_here() {
  [ "$(id -u)" = 0 ] && grep -qwE 'vmx|svm' /proc/cpuinfo &&
    python3 -c 'import fcntl, os; fcntl.ioctl(os.open("/dev/kvm", os.O_RDWR), 0xae01, 0)' 2>/dev/null
}

out_of() {
  while [ "$1" != -- ]; do
    [ "$1" != --out ] || { echo "$2"; return; }
    shift
  done
}

here_has() {
  while [ "$1" != -- ]; do
    case $1 in
    --cpus) [ "$(nproc)" -ge "$2" ] || return ;;
    --mem) [ "$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)" -ge $((${2%G} << 20)) ] || return ;;
    --out | --timeout) ;;
    *) return 1 ;;
    esac
    shift 2
  done
}

run_here() {
  local out limit=infinity
  out=$(out_of "$@")
  while [ "$1" != -- ]; do
    [ "$1" != --timeout ] || limit=$2
    shift 2
  done
  shift
  mkdir -p "$out"
  OUT=$out timeout "$limit" "$@" </dev/null
}

# guests NAME...: the tests' own small guests, made from guests/NAME.S into $SMALL_GUESTS.
SMALL_GUESTS=$BUILD/e2e-guests
guests() {
  local name
  mkdir -p "$SMALL_GUESTS"
  for name; do
    gcc -nostdlib -static -no-pie -I"$ROOT" -o "$SMALL_GUESTS/.$name.$$" "$ROOT/tests/e2e/guests/$name.S" \
      -Wl,--build-id=none,-z,noseparate-code,-Ttext-segment=0x1000000,-e,start || return
    mv "$SMALL_GUESTS/.$name.$$" "$SMALL_GUESTS/$name"
  done
}

# patiently COMMAND...: until that succeeds; a minute and more.
patiently() {
  for _ in $(seq 600); do
    ! "$@" || return 0
    sleep 0.1
  done
  return 1
}

# same FOUND WANTED
same() {
  [ "$1" = "$2" ] || { printf 'found:  %s\nwanted: %s\n' "$1" "$2"; return 1; }
}

# has TEXT PART: PART is somewhere in TEXT.
has() {
  [[ $1 == *"$2"* ]] || { printf 'found:  %s\nwanted: ...%s...\n' "$1" "$2"; return 1; }
}

# result NAME: the exit code that run NAME (see `keep`) left, and its last line on standard error.
status_of() { cat "$OUT/$1.status"; }
last_line() { tail -n 1 "$OUT/$1.err"; }

# ended NAME CODE TEXT: run NAME exited with CODE, and its last line says TEXT and the code.
ended() {
  same "$(status_of "$1")" "$2" || { cat "$OUT/$1.err"; return 1; }
  case $(last_line "$1") in
  "nohype: $3 (exit code $2: "*) ;;
  *) same "$(last_line "$1")" "nohype: $3 (exit code $2: ...)" ;;
  esac
}

# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For what runs on the host with KVM: runs whose results stay in $OUT, for tests to look at.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GUESTS=$BUILD/guests
SMALL_GUESTS=$BUILD/e2e-guests
INITRD=$GUESTS/initramfs.cpio
# For a Debian kernel's command line: without what no test is about, and what takes an emulated guest seconds.
# shellcheck disable=SC2034 # for who sources this
SOON="cryptomgr.notests=1 init_on_alloc=0 initcall_blacklist=jent_mod_init"

# keep NAME COMMAND...: its outputs in NAME.out and NAME.err, its exit code in NAME.status, its seconds in NAME.seconds.
keep() {
  local name=$1 code=0 start=$SECONDS
  shift
  "$@" >"$OUT/$name.out" 2>"$OUT/$name.err" || code=$?
  echo $((SECONDS - start)) >"$OUT/$name.seconds"
  echo "$code" >"$OUT/$name.status"
}

# vm NAME ARG...: the same for `nohype run ARG...`, ended by force if it doesn't by itself.
vm() {
  local name=$1
  shift
  keep "$name" timeout -k 5 "${LIMIT:-300}" "$NOHYPE" run "$@" </dev/null
}

# An emulated host does a tenth of a second's work for each program that is started: who waits for something starts none.

# pause SECONDS
pause() {
  [ -p /run/e2e.never ] || mkfifo /run/e2e.never
  read -r -t "$1" <>/run/e2e.never || true
}

# until_has FILE [TEXT...]: waits until there is one of TEXT in it, or anything at all; four minutes at most.
until_has() {
  local file=$1 found text end=$((SECONDS + 240))
  shift
  while [ $SECONDS -lt $end ]; do
    found=
    [ ! -e "$file" ] || IFS= read -r -d '' found <"$file" || true
    for text in "${@:-}"; do
      [ -z "$found" ] || [[ $found != *"$text"* ]] || return 0
    done
    pause 0.1
  done
  echo "$file: not within four minutes: $*" >&2
  cat "${file%.*}".* >&2
  return 1
}

# On an emulated host: folders for temporary files that are its own. Others write into those of the machine under it.
# The checkout stays where it is, also if that is in one of them.
own_folders() {
  local root=$CHECKOUT here=$PWD
  mkdir /run/out /run/checkout
  mount --move "$OUT" /run/out
  export OUT=/run/out
  mount --bind "$root" /run/checkout
  mount -t tmpfs tmpfs /tmp
  mount -t tmpfs tmpfs /var/tmp
  if [ ! -e "$root" ]; then
    mkdir -p "$root"
    mount --bind /run/checkout "$root"
    cd "$here" || return
  fi
  umount /run/checkout
}

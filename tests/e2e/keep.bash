# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For what runs on the host with KVM: runs whose results stay in $OUT, for tests to look at.

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
GUESTS=$BUILD/guests
SMALL_GUESTS=$BUILD/e2e-guests
INITRD=$GUESTS/initramfs.cpio

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

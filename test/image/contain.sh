#!/bin/sh
# Becomes a process as a container's is: contain.sh ROOT APP NODE DATA TOKENS PROGRAM FILE ARGUMENT...
# To be run as root in a mount namespace of its own. ROOT, an empty directory, becomes a file system that
# has APP as /app, NODE as /nodejs/bin/node, DATA as /data, TOKENS as /etc/repricer/tokens, and the libraries
# of this machine. Nothing can be written but /data, and with DATA_MOUNT=ro not even that. There, IMAGE_ENTRYPOINT is executed in the place of
# PROGRAM FILE, with the variables of IMAGE_ENV alone, without a capability or a way to get one.
set -eu
root=$1 app=$2 node=$3 data=$4 tokens=$5
shift 7

mount -t tmpfs -o mode=755 image "$root"
mkdir -p "$root/app" "$root/data" "$root/dev" "$root/etc/repricer/tokens" "$root/nodejs/bin" "$root/proc" "$root/usr"
touch "$root/nodejs/bin/node" "$root/setpriv"
bind() {
  mount --bind "$1" "$2"
  mount -o "remount,bind,nosuid,$3" "$2"
}
bind "$app" "$root/app" ro
bind "$node" "$root/nodejs/bin/node" ro
bind "$(command -v setpriv)" "$root/setpriv" ro
bind "$tokens" "$root/etc/repricer/tokens" ro
bind "$data" "$root/data" "${DATA_MOUNT:-rw}"
for libraries in lib lib64 usr/lib; do
  [ -d "/$libraries" ] || continue
  mkdir -p "$root/$libraries"
  bind "/$libraries" "$root/$libraries" ro
done
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc -o nosuid,nodev,noexec,ro proc "$root/proc"
mount -o remount,ro "$root"

# Both are lists of words.
# shellcheck disable=SC2086
exec env -i $IMAGE_ENV "$(command -v chroot)" "$root" /setpriv --reuid 65532 --regid 65532 --clear-groups \
  --no-new-privs --bounding-set=-all --inh-caps=-all $IMAGE_ENTRYPOINT "$@"

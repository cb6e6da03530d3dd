#!/bin/sh
# run-in-root.sh ROOT COMMAND ARGUMENT...
# Runs a command in a root file system with /proc and the usual devices. Must run in a separate mount namespace, with
# which its mounts end (see run-in-root.ts).
set -eu
root=$1
shift
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755,size=1m dev "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" "$@"

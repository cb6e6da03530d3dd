#!/bin/sh
# run-in-root.sh ROOT host|shifted INPUTS COMMAND ARGUMENT...
# Runs a command in a root file system with /proc and the usual devices. Must run in a separate mount namespace, with
# which its mounts end (see run-in-root.ts). `shifted` means that descriptor 3 is the user namespace of the command, in
# which the owners of the root's files are root and users. INPUTS is a directory to show as /run/build, or empty.
set -eu
root=$1 mode=$2 inputs=$3
shift 3
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755,size=1m dev "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
if [ "$mode" = host ]; then
  exec chroot "$root" "$@"
fi
# What a package's script makes in /run and /tmp is not for the image, and the names of hosts are those of the host.
mount -t tmpfs -o mode=0755,size=64m,uid=2000000000,gid=2000000000 run "$root/run"
if [ -n "$inputs" ]; then
  mkdir "$root/run/build"
  mount --bind "$inputs" "$root/run/build"
fi
for file in resolv.conf hosts; do mount --bind "/etc/$file" "$root/etc/$file"; done
cd "$root"
exec nsenter --user=/proc/self/fd/3 chroot . "$@"

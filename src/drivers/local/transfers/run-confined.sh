#!/bin/sh
# run-confined.sh DIRECTORY MOUNT_POINT COMMAND ARGUMENT...
# Runs a command as root that sees nothing of the host but its programs, and can write nowhere but in DIRECTORY, which
# it sees as /volume. It can create no devices (whiteouts of overlays are none). Must run in a separate mount namespace,
# with which its mounts end (see transfer-program.ts).
set -eu
directory=$1
root=$2
shift 2
mount -t tmpfs -o mode=0755,size=64k,nosuid,nodev none "$root"
bind() {
  mount --bind "/$1" "$root/$1"
  mount -o remount,bind,ro,nosuid,nodev "$root/$1"
}
for name in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then
    ln -s "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir "$root/$name"
    bind "$name"
  fi
done
mkdir "$root/etc" "$root/volume"
if [ -f /etc/ld.so.cache ]; then
  : > "$root/etc/ld.so.cache"
  bind etc/ld.so.cache
fi
mount --bind "$directory" "$root/volume"
mount -o remount,bind,ro,nosuid,nodev "$root"
capabilities=-all,+chown,+dac_override,+fowner,+fsetid,+setfcap,+sys_admin,+sys_chroot
exec setpriv --no-new-privs --bounding-set="$capabilities" chroot "$root" "$@"

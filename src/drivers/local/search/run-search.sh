#!/bin/sh
# run-search.sh MOUNT_POINT DIRECTORY COMMAND ARGUMENT...
# Runs a command in a directory of a computer, which is named by its path below the mounted tree of descriptor 3. The
# command sees that tree, read-only, and the programs of the host; it has no network, and no right but to read any file.
# Must run in separate namespaces, with which its mounts end (see searches.ts).
set -eu
root=$1
directory=$2
shift 2
mount -t tmpfs -o mode=0755,size=64k,nosuid,nodev none "$root"
for name in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then
    ln -s "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir "$root/$name"
    mount --bind "/$name" "$root/$name"
    mount -o remount,bind,ro,nosuid,nodev "$root/$name"
  fi
done
mkdir "$root/tree" "$root/dev"
# Perl opens it.
: > "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
# move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH)
perl -e 'my ($target, $tree) = (@ARGV, ""); syscall(429, 3, $tree, -100, $target, 4) == 0 or die "move_mount: $!\n"' \
  "$root/tree"
exec 3<&-
mount -o remount,bind,ro,nosuid,nodev "$root"
read_any=-all,+dac_read_search
exec chroot "$root" setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
  --bounding-set="$read_any" --inh-caps="$read_any" --ambient-caps="$read_any" \
  perl -e '
    # openat2(tree, directory, { O_DIRECTORY }, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH): whoever
    # replaces a part of the path by a link leads the command nowhere else. Exit code 44: the directory is gone.
    my ($path, @command) = @ARGV;
    sub fail { warn "$_[0]: $!\n"; exit 45 }
    chdir "/tree" or fail("chdir");
    my $how = pack("QQQ", 0200000, 0, 0x0d);
    my $fd = syscall(437, -100, $path, $how, length $how);
    exit 44 if $fd < 0;
    open(my $directory, "<&=", $fd) or fail("open");
    chdir $directory or fail("chdir");
    exec { $command[0] } @command or fail("exec")' "$directory" "$@"

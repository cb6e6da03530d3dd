# Mounts lxcfs again in a running computer: unmounts the files of a former lxcfs, and mounts those of the present one.
# This is a separate program because only a program with a single thread can enter a mount namespace. It opens what it
# mounts before it enters, and runs no program of the computer.
# Arguments: process id of the computer's first process, folder of lxcfs, numbers of setns and umount2, names in /proc.
use strict;
use warnings;

my ($pid, $lxcfs, $setns, $umount2, @names) = @ARGV;
my ($open_tree, $move_mount, $mount_setattr) = (428, 429, 442);
my ($at_fdcwd, $clone, $cloexec, $empty_path, $from_empty_path) = (-100, 1, 0x80000, 0x1000, 4);
my ($read_only, $nosuid, $nodev, $detach, $new_mounts) = (1, 2, 4, 2, 0x20000);
my $nothing = '';
my %trees;

for my $name (@names) {
    my $source = "$lxcfs/proc/$name";
    my $tree = syscall($open_tree, $at_fdcwd, $source, $clone | $cloexec);
    die "Cannot open $source: $!\n" if $tree < 0;
    my $attributes = pack('QQQQ', $read_only | $nosuid | $nodev, 0, 0, 0);
    syscall($mount_setattr, $tree, $nothing, $empty_path, $attributes, length $attributes) == 0
        or die "Cannot make $source read-only: $!\n";
    $trees{$name} = $tree;
}
open(my $namespace, '<', "/proc/$pid/ns/mnt") or die "Cannot find the computer: $!\n";
syscall($setns + 0, fileno($namespace), $new_mounts) == 0 or die "Cannot enter the computer: $!\n";
for my $name (@names) {
    my $target = "/proc/$name";
    # Fails in a computer that was started without lxcfs, where nothing is mounted.
    syscall($umount2 + 0, $target, $detach);
    syscall($move_mount, $trees{$name}, $nothing, $at_fdcwd, $target, $from_empty_path) == 0
        or die "Cannot mount $target: $!\n";
}

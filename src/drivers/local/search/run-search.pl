# Runs a command in a directory of a computer, which is named by its path below the mounted tree of descriptor 3. The
# command sees that tree, read-only, and the programs of the host; it has no network, and no right but to read any file.
# Must run in separate namespaces, with which its mounts end (see searches.ts). This is one program because each mount by
# a program of its own would take a millisecond.
# Arguments: number of mount, mount point, directory, command. Exit code 44: the directory is gone; 45: anything else.
use strict;
use warnings;

my ($mount, $root, $directory, @command) = @ARGV;
my ($move_mount, $openat2) = (429, 437);
my ($read_only, $nosuid, $nodev, $remount, $bind) = (1, 2, 4, 32, 4096);
my ($at_fdcwd, $from_empty_path) = (-100, 4);
my ($nothing, $tree) = ('', 3);

sub fail { warn "$_[0]: $!\n"; exit 45 }

sub mount_at {
    my ($source, $target, $type, $flags, $data) = @_;
    syscall($mount + 0, $source, $target, $type, $flags, $data) == 0 or fail("mount $target");
}

sub bind_read_only {
    my ($source, $target) = @_;
    mount_at($source, $target, $nothing, $bind, $nothing);
    mount_at($source, $target, $nothing, $remount | $bind | $read_only | $nosuid | $nodev, $nothing);
}

my ($tmpfs, $size) = ('tmpfs', 'mode=0755,size=64k');
mount_at($tmpfs, $root, $tmpfs, $nosuid | $nodev, $size);
for my $name (qw(usr bin sbin lib lib32 lib64 libx32)) {
    if (-l "/$name") { symlink(readlink("/$name"), "$root/$name") or fail("symlink $name") }
    elsif (-d "/$name") {
        mkdir "$root/$name" or fail("mkdir $name");
        bind_read_only("/$name", "$root/$name");
    }
}
mkdir "$root/tree" or fail('mkdir tree');
my $place = "$root/tree";
syscall($move_mount, $tree, $nothing, $at_fdcwd, $place, $from_empty_path) == 0 or fail('move_mount');
open(my $mounted, '<&=', $tree) or fail('open tree');
close $mounted;
mount_at($tmpfs, $root, $nothing, $remount | $bind | $read_only | $nosuid | $nodev, $nothing);
chroot $root or fail('chroot');
chdir '/tree' or fail('chdir');

# { O_DIRECTORY }, RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH: whoever replaces a part of the path by a link
# leads the command nowhere else.
my $how = pack('QQQ', 0200000, 0, 0x0d);
my $fd = syscall($openat2, $at_fdcwd, $directory, $how, length $how);
exit 44 if $fd < 0;
open(my $handle, '<&=', $fd) or fail('open');
chdir $handle or fail('chdir');

my $read_any = '-all,+dac_read_search';
exec 'setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs', "--bounding-set=$read_any",
    "--inh-caps=$read_any", "--ambient-caps=$read_any", '--', @command
    or fail('exec');

#!/usr/bin/perl
# df for a computer. The disk of a computer is a quota of a shared file system, and statfs returns the size of the whole
# file system; the computer's own limit and use are in /dev/.disk. Everything except the numbers of "/" comes from the
# real df, which also runs alone when that file is missing, and for --help, --version and wrong options.
use strict;
use warnings;
use Getopt::Long qw(GetOptionsFromArray :config bundling no_ignore_case permute);

my $real = '/usr/bin/df';
my @given = @ARGV;
my ($limit, $used) = read_disk();
my %is;
my $is_valid = do {
    local $SIG{__WARN__} = sub { };
    GetOptionsFromArray(
        \@ARGV, \%is,
        'all|a', 'block-size|B=s', 'human-readable|h', 'si|H', 'inodes|i', 'k', 'm', 'local|l', 'no-sync', 'output:s',
        'portability|P', 'sync', 'total', 'type|t=s@', 'print-type|T', 'exclude-type|x=s@', 'v', 'help', 'version',
    );
};
exec {$real} 'df', @given if !$is_valid || !defined $limit || $is{help} || $is{version};
exec {$real} 'df', @given if defined $is{output} && ($is{portability} || $is{'print-type'} || $is{inodes});
exec {$real} 'df', @given if defined $is{output} && $is{output} =~ /[^a-z,]/;

# The rows of the real df, with a separate run for each column that may contain spaces. All runs list the same rows.
my @filter = map { "--$_" } grep { $is{$_} } qw(all local no-sync sync);
push @filter, map { "--type=$_" } @{ $is{type} // [] };
push @filter, map { "--exclude-type=$_" } @{ $is{'exclude-type'} // [] };
push @filter, '--', @ARGV;
my ($status, @numbers) = run_df(0, '--block-size=1', '--output=size,used,avail,itotal,iused,iavail,fstype');
exit $status if !@numbers;
my %text;
for my $column (qw(source target), @ARGV ? 'file' : ()) {
    (undef, @{ $text{$column} }) = run_df(1, "--output=$column");
}

my @rows;
for my $index (0 .. $#numbers) {
    my %row;
    @row{qw(size used avail itotal iused iavail fstype)} = split ' ', $numbers[$index];
    $row{$_} = $text{$_}[$index] for qw(source target);
    $row{file} = @ARGV ? $text{file}[$index] : '-';
    # Skip devices, and single files that the host mounts: they are no storage for users.
    next if !$is{all} && !@ARGV && ($row{fstype} eq 'devtmpfs' || $row{target} =~ m{^(/dev/\..*|/etc/.*|/proc/.*)$});
    if ($row{fstype} eq 'overlay' && $row{target} eq '/') {
        my $free = $limit > $used ? $limit - $used : 0;
        @row{qw(size used avail)} = ($limit, $used, $free);
    }
    push @rows, \%row;
}
push @rows, total(@rows) if $is{total};

# The table, in df's format.
my $human = $is{si} ? 1000 : $is{'human-readable'} ? 1024 : 0;
my ($unit, $unit_name, $letter) = block_size();
exec {$real} 'df', @given if !$unit;
my @columns = defined $is{output}
    ? $is{output} eq ''
        ? qw(source fstype itotal iused iavail ipcent size used avail pcent file target)
        : split /,/, $is{output}
    : ('source', $is{'print-type'} ? 'fstype' : (),
        $is{inodes} ? qw(itotal iused iavail ipcent) : qw(size used avail pcent), 'target');
my $short = $human || defined $is{output};
my %title = (
    source => 'Filesystem', fstype => 'Type', itotal => 'Inodes', iused => 'IUsed', iavail => 'IFree',
    ipcent => 'IUse%', size => $human ? 'Size' : "$unit_name-blocks", used => 'Used',
    avail => $short ? 'Avail' : 'Available', pcent => $is{portability} ? 'Capacity' : 'Use%', file => 'File',
    target => 'Mounted on',
);
exec {$real} 'df', @given if grep { !$title{$_} } @columns;
my %min_width = (source => 14, fstype => 4, size => 5, used => 5, avail => 5, itotal => 5, iused => 5, iavail => 5,
    pcent => 4, ipcent => 4, file => 4, target => 0);
my @table = ([map { $title{$_} } @columns], map { my $row = $_; [map { cell($row, $_) } @columns] } @rows);
my @width = map { my $at = $_; max($min_width{ $columns[$at] }, map { length $_->[$at] } @table) } 0 .. $#columns;
for my $line (@table) {
    my @cells = map {
        my $left = $columns[$_] =~ /^(source|fstype|file|target)$/;
        $left ? $_ == $#columns ? $line->[$_] : sprintf('%-*s', $width[$_], $line->[$_])
            : sprintf('%*s', $width[$_], $line->[$_])
    } 0 .. $#columns;
    print join(' ', @cells), "\n";
}
exit $status;

sub read_disk {
    open my $file, '<', '/dev/.disk' or return;
    my $line = <$file> // '';
    return $line =~ /^(\d+) (\d+)/;
}

# Exit status and the lines below the title. What it says on stderr is wanted once.
sub run_df {
    my ($quiet, @options) = @_;
    my $child = open(my $output, '-|') // die "df: $!\n";
    if (!$child) {
        open STDERR, '>', '/dev/null' if $quiet;
        exec {$real} 'df', @options, @filter;
    }
    chomp(my @lines = <$output>);
    close $output;
    shift @lines;
    return ($? >> 8, @lines);
}

sub total {
    my %sum = (source => 'total', fstype => '-', target => '-', file => '-');
    for my $column (qw(size used avail itotal iused iavail)) {
        $sum{$column} += $_->{$column} =~ /^\d+$/ ? $_->{$column} : 0 for @_;
    }
    return \%sum;
}

# Returns the bytes of a block, its name in the title, and the unit after each number, or nothing for a size that only
# the real df handles.
sub block_size {
    my $size = $is{'block-size'} // ($is{k} ? '1K' : $is{m} ? '1M' : $ENV{DF_BLOCK_SIZE} // $ENV{BLOCK_SIZE});
    if (defined $size && $size =~ /^(human-readable|si)$/) {
        $human = $size eq 'si' ? 1000 : 1024;
        $size = undef;
    }
    return $ENV{POSIXLY_CORRECT} ? (512, '512B') : (1024, $is{portability} ? '1024' : '1K') if !defined $size;
    my ($count, $letter, $suffix) = $size =~ /^(\d*)(?:([KMGTPE])(iB|B)?)?$/ or return;
    return if $count eq '' && !defined $letter || $count ne '' && $count == 0;
    my $power = defined $letter ? index('KMGTPE', $letter) + 1 : 0;
    my $base = ($suffix // '') eq 'B' ? 1000 : 1024;
    my $name = defined $letter ? ($count || 1) . $letter . ($suffix // '') : "${count}B";
    $name = '1K' if $name eq '1024B';
    return (($count || 1) * $base**$power, $is{portability} ? ($count || 1) * $base**$power : $name,
        $count eq '' ? $letter . ($suffix // '') : '');
}

sub cell {
    my ($row, $column) = @_;
    my $value = $row->{$column};
    return $value if $column =~ /^(source|fstype|file|target)$/;
    return percent(@$row{qw(used avail)}) if $column eq 'pcent';
    return percent(@$row{qw(iused iavail)}) if $column eq 'ipcent';
    return $value if $value !~ /^\d+$/;
    return $human ? human($value) : $value if $column =~ /^i/;
    return $human ? human($value) : ceiling($value / $unit) . ($letter // '');
}

sub percent {
    my ($part, $rest) = @_;
    return '-' if grep { !/^\d+$/ } $part, $rest or $part + $rest == 0;
    return ceiling(100 * $part / ($part + $rest)) . '%';
}

# Rounds up, like df, with one decimal below ten.
sub human {
    my ($value) = @_;
    my $power = 0;
    for (; $value >= $human; $power++) { $value /= $human }
    my $letter = substr '0' . ($human == 1000 ? 'kMGTPE' : 'KMGTPE'), $power, 1;
    return $value if $power == 0;
    my $tenths = ceiling($value * 10);
    return ($tenths < 100 ? sprintf('%.1f', $tenths / 10) : ceiling($value)) . $letter;
}

sub ceiling {
    my ($value) = @_;
    return int($value) == $value ? int $value : int($value) + 1;
}

sub max {
    my $max = shift;
    for (@_) { $max = $_ if $_ > $max }
    return $max;
}

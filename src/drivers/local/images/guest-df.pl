#!/usr/bin/perl
# df of a computer. The disk of a computer is a quota of a file system that is shared with others, whose size is what
# statfs tells; its own limit and use are in /dev/.disk. Everything but the numbers of "/" comes from the real df, which
# also answers alone where there is no such file, and for what is not about the disk (--help, wrong options).
use strict;
use warnings;
use Getopt::Long qw(GetOptionsFromArray :config bundling no_ignore_case permute);

my $real = '/usr/bin/df';
my @given = @ARGV;
my ($limit, $used) = read_disk();
my %is;
my $understood = do {
    local $SIG{__WARN__} = sub { };
    GetOptionsFromArray(
        \@ARGV, \%is,
        'all|a', 'block-size|B=s', 'human-readable|h', 'si|H', 'inodes|i', 'k', 'm', 'local|l', 'no-sync', 'output:s',
        'portability|P', 'sync', 'total', 'type|t=s@', 'print-type|T', 'exclude-type|x=s@', 'v', 'help', 'version',
    );
};
exec {$real} 'df', @given if !$understood || !defined $limit || $is{help} || $is{version};
exec {$real} 'df', @given if defined $is{output} && ($is{portability} || $is{'print-type'} || $is{inodes});
exec {$real} 'df', @given if defined $is{output} && $is{output} =~ /[^a-z,]/;

# The rows, from the real one: a run for each column that may hold spaces, as all runs list the same rows.
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
    # Single files that the host lends, and its devices: no place to keep anything.
    next if !$is{all} && !@ARGV && ($row{fstype} eq 'devtmpfs' || $row{target} =~ m{^(/dev/\..*|/etc/.*|/proc/.*)$});
    if ($row{fstype} eq 'overlay' && $row{target} eq '/') {
        my $free = $limit > $used ? $limit - $used : 0;
        @row{qw(size used avail)} = ($limit, $used, $free);
    }
    push @rows, \%row;
}
push @rows, total(@rows) if $is{total};

# The table, as df writes it.
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
my %least = (source => 14, fstype => 4, size => 5, used => 5, avail => 5, itotal => 5, iused => 5, iavail => 5,
    pcent => 4, ipcent => 4, file => 4, target => 0);
my @table = ([map { $title{$_} } @columns], map { my $row = $_; [map { cell($row, $_) } @columns] } @rows);
my @width = map { my $at = $_; max($least{ $columns[$at] }, map { length $_->[$at] } @table) } 0 .. $#columns;
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

# Bytes of a block, what the title calls it, and the unit after each number; nothing for a size that the real df has to judge.
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

# Rounded up, as df does; one decimal below ten.
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

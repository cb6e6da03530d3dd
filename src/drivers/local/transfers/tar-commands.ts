/** What both directions need, so that nothing is lost: attributes of every kind, lists of rights, owners by number. */
const everything = ['--numeric-owner', '--xattrs', '--xattrs-include=*', '--acls']

/**
 * Returns the command that writes the upper layer of a volume to stdout. Attributes of btrfs itself, such as
 * compression, mean nothing elsewhere; sockets cannot be packed, and are useless without the process that made them.
 */
export function packCommand(volume: string): string[] {
  const times = ['--format=posix', '--pax-option=delete=atime,delete=ctime']
  const quiet = ['--warning=no-file-ignored', '--warning=no-timestamp']
  const options = [...times, ...everything, '--xattrs-exclude=btrfs.*', '--sparse', ...quiet]
  return ['tar', '--create', '--file=-', `--directory=${volume}`, ...options, 'upper']
}

/** Unpacks stdin into /volume. Names that lead out of it are refused by tar, or find nothing that can be written. */
export const unpackCommand = [
  ...['tar', '--extract', '--file=-', '--directory=/volume', ...everything],
  ...['--same-owner', '--same-permissions', '--keep-old-files', '--warning=no-timestamp'],
] as const

import { existsSync } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeRootFile } from './root-files.ts'

/**
 * Installs a `df` that shows a computer's own limit (guest-df.pl), with precedence over the image's. An image without
 * Perl, or whose `df` is BusyBox, keeps its own.
 */
export async function writeGuestDf(root: string): Promise<void> {
  const df = await lstat(join(root, 'usr/bin/df')).catch(() => undefined)
  if (!df?.isFile() || !existsSync(join(root, 'usr/bin/perl'))) return
  await writeRootFile(root, 'usr/local/bin/df', await guestDf(), 0o755)
}

/** Returns the program, which is included in the hash of an image's id. */
export function guestDf(): Promise<string> {
  return readFile(source, 'utf8')
}

const source = new URL('guest-df.pl', import.meta.url)

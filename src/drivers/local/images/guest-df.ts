import { existsSync } from 'node:fs'
import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeRootFile } from './root-files.ts'

/**
 * Puts the `df` that knows a computer's own limit (guest-df.pl) before the image's. An image without Perl, or whose
 * `df` is BusyBox, keeps its own.
 */
export async function writeGuestDf(root: string): Promise<void> {
  const df = await lstat(join(root, 'usr/bin/df')).catch(() => undefined)
  if (!df?.isFile() || !existsSync(join(root, 'usr/bin/perl'))) return
  await writeRootFile(root, 'usr/local/bin/df', await guestDf(), 0o755)
}

/** The program, which is a part of what an image's id stands for. */
export function guestDf(): Promise<string> {
  return readFile(source, 'utf8')
}

const source = new URL('guest-df.pl', import.meta.url)

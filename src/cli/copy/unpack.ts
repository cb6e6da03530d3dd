import { once } from 'node:events'
import { lstat, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { extract, type ReadEntry } from 'tar'

/**
 * Unpacks a tar stream of a sandbox, whose owner may be hostile, into a local folder. An entry that would land outside
 * of it is an error; set-user-id bits are dropped; links are made last, so that nothing is written through one.
 */
export async function unpack(folder: string, archive: AsyncIterable<Uint8Array>): Promise<void> {
  const links: { path: string; target: string }[] = []
  let failure: Error | undefined
  const unpacking = extract({
    cwd: folder,
    chmod: true,
    processUmask: 0,
    preserveOwner: false,
    filter: (path, entry) => {
      const { type, linkpath = '' } = entry as ReadEntry
      if (leadsOut(path) || (type === 'Link' && leadsOut(linkpath))) {
        failure ??= new Error(`Cannot unpack "${path}": it would be outside of "${folder}"`)
        return false
      }
      // The folder itself is the caller's.
      if (path === '.' || path === './') return false
      if (type === 'SymbolicLink') {
        links.push({ path, target: linkpath })
        return false
      }
      const typed = entry as ReadEntry
      typed.mode = (typed.mode ?? 0o644) & 0o777
      return true
    },
    onwarn: (code, message) => {
      // A device, a pipe or a socket: there is nothing in it that could be copied.
      if (code !== 'TAR_ENTRY_UNSUPPORTED' && code !== 'TAR_ENTRY_INFO')
        failure ??= new Error(`Cannot unpack the folder: ${String(message)}`)
    },
  })
  const closed = once(unpacking, 'close')
  closed.catch(() => {})
  for await (const chunk of archive) {
    if (failure) break
    if (!unpacking.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)))
      await Promise.race([once(unpacking, 'drain'), closed])
  }
  unpacking.end()
  await closed
  if (failure) throw failure
  for (const { path, target } of links) await makeLink(folder, path, target)
}

function leadsOut(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..')
}

async function makeLink(folder: string, path: string, target: string): Promise<void> {
  // A folder above it may be a link that was made a moment ago, or one that was here before.
  for (let above = dirname(path); above !== '.'; above = dirname(above)) {
    if (!(await lstat(join(folder, above))).isDirectory())
      throw new Error(`Cannot unpack "${path}": it would be outside of "${folder}"`)
  }
  const full = join(folder, path)
  await rm(full, { force: true })
  await symlink(target, full)
}

import { existsSync } from 'node:fs'
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { formatAptSources } from './apt-sources.ts'
import type { AptSource } from './apt-sources.ts'
import { emptyRootDirectory, writeRootFile } from './root-files.ts'

/** Gives the guest's apt the host's sources and their keys, and removes everything else that only the build needed. */
export async function writeGuestApt(root: string, sources: AptSource[], settings: string): Promise<void> {
  await emptyRootDirectory(root, 'etc/apt/sources.list.d')
  await writeRootFile(root, 'etc/apt/sources.list.d/distribution.sources', formatAptSources(sources))
  await writeRootFile(root, 'etc/apt/apt.conf.d/90image', settings)
  for (const file of ['etc/apt/sources.list', 'etc/apt/apt.conf.d/99mmdebstrap'])
    await rm(join(root, file), { force: true })
  for (const { signedBy } of sources) {
    if (!signedBy?.startsWith('/') || existsSync(join(root, signedBy))) continue
    await mkdir(dirname(join(root, signedBy)), { recursive: true })
    await copyFile(signedBy, join(root, signedBy))
  }
}

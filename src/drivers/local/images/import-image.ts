import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import type { BuildProgress } from '../../driver.ts'
import { writeGuestDf } from './guest-df.ts'
import type { StoredImage } from './image-store.ts'
import { makeNeutral } from './neutral-root.ts'
import { readOciConfig } from './oci-layout.ts'
import { imageNameOf } from './oci-reference.ts'
import { ProgramFailure, runProgram } from './program.ts'
import { shiftOwners } from './shift-owners.ts'

/**
 * Imports an OCI or Docker image into an empty volume. `existing` returns a stored image, which is then not unpacked
 * again. The id is derived from the content, so two references to the same image give one image. Throws
 * `invalid_request` for a reference without an image, and `unavailable` when the registry or a program of the host is
 * unavailable.
 */
export async function importImage(
  reference: string,
  volume: string,
  existing: (id: string) => Promise<StoredImage | undefined>,
  progress: (step: BuildProgress) => void,
): Promise<StoredImage> {
  await copyToLayout(reference, volume, progress)
  const { digest, env, user, workdir } = await readOciConfig(join(volume, 'oci'))
  const name = imageNameOf(reference)
  const id = `${name}-${digest.slice(0, 12)}`
  const known = await existing(id)
  if (known) return known
  progress({ step: 'Unpacking', fraction: 0.5 })
  const root = join(volume, 'rootfs')
  await attempt(reference, () => runProgram(['umoci', 'raw', 'unpack', '--image', 'oci:image', root], { cwd: volume }))
  await rm(join(volume, 'oci'), { recursive: true })
  await writeGuestDf(root)
  await makeNeutral(root)
  progress({ step: 'Setting the owners of the files', fraction: 0.85 })
  const { bytes } = await shiftOwners(root)
  progress({ step: 'Writing to the disk', fraction: 0.95 })
  return { id, name, sizeBytes: bytes, createdAtMs: Date.now(), env, user, workdir, source: 'import' }
}

/** Copies the image with skopeo, which follows the host's policy. Without a policy, skopeo would refuse all images. */
async function copyToLayout(reference: string, volume: string, progress: (step: BuildProgress) => void): Promise<void> {
  progress({ step: 'Fetching', fraction: 0 })
  let layers = 0
  const onLine = (line: string) => {
    if (line.startsWith('Copying blob')) progress({ step: `Fetching (layer ${(layers += 1)})` })
  }
  const policies = ['/etc/containers/policy.json', join(homedir(), '.config/containers/policy.json')]
  const policy = policies.some((path) => existsSync(path)) ? [] : ['--insecure-policy']
  await attempt(reference, () =>
    runProgram(['skopeo', ...policy, 'copy', reference, 'oci:oci:image'], { cwd: volume, onLine }),
  )
}

async function attempt(reference: string, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error
    const line = error.lines.at(-1) ?? error.message
    const reason = /msg="(.*)"/.exec(line)?.[1]?.replaceAll('\\"', '"') ?? line
    const code = networkTrouble.test(reason) ? 'unavailable' : 'invalid_request'
    throw new CarrelError(code, `Cannot import image "${reference}": ${reason}`, {
      details: { field: 'reference' },
      cause: error,
    })
  }
}

const networkTrouble =
  /dial tcp|i\/o timeout|connection (refused|reset)|no such host|TLS handshake|toomanyrequests|\b50[0-9]\b/

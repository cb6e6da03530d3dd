import { readFile } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'

/** The distribution of the host, and so of the images that are built on it. */
export interface Distribution {
  /** Such as `debian` or `ubuntu`. */
  id: string
  /** Such as `bookworm` or `noble`. */
  codename: string
  /** Node's name of it: `x64` or `arm64`. */
  architecture: string
}

/** Reads the distribution from os-release(5). Throws `unavailable` on a host without a codename. */
export async function readDistribution(file = '/etc/os-release'): Promise<Distribution> {
  const fields = new Map<string, string>()
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
    const match = /^([A-Z_]+)=["']?(.*?)["']?$/.exec(line)
    if (match?.[1] !== undefined && match[2]) fields.set(match[1], match[2])
  }
  const id = fields.get('ID') ?? 'linux'
  // A derivative of Ubuntu has its own codename, but no packages under that name.
  const codename =
    fields.get('UBUNTU_CODENAME') ?? fields.get('VERSION_CODENAME') ?? (id === 'debian' ? 'sid' : undefined)
  if (codename === undefined) {
    throw new CarrelError(
      'unavailable',
      `Cannot build images on "${id}": only Debian and Ubuntu have the packages; import an image instead`,
    )
  }
  return { id, codename, architecture: process.arch }
}

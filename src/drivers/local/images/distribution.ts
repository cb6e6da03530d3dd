import { readFile } from 'node:fs/promises'
import { CarrelError } from '../../../errors.ts'

/** What the host runs, which an image built on it runs too. */
export interface Distribution {
  /** `debian`, `ubuntu` */
  id: string
  /** `bookworm`, `noble` */
  codename: string
  /** As Node names it: `x64`, `arm64`. */
  architecture: string
}

/** Reads it from os-release(5). Rejects with `unavailable` on a host without a codename. */
export async function readDistribution(file = '/etc/os-release'): Promise<Distribution> {
  const fields = new Map<string, string>()
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
    const match = /^([A-Z_]+)=["']?(.*?)["']?$/.exec(line)
    if (match?.[1] !== undefined && match[2]) fields.set(match[1], match[2])
  }
  const id = fields.get('ID') ?? 'linux'
  // A derivative of Ubuntu has a codename of its own, but no packages under it.
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

import { open } from 'node:fs/promises'
import { join } from 'node:path'

/** The part of an image's configuration that its processes need. */
export interface OciConfig {
  /** The digest of the configuration, which covers the whole image: 64 hex digits. */
  digest: string
  env: Record<string, string>
  user: string
  workdir: string
}

/**
 * Reads the configuration of the only image in an OCI layout. The defaults are those of OCI: root, `/`, the usual PATH.
 */
export async function readOciConfig(layout: string): Promise<OciConfig> {
  const index = (await readJson(join(layout, 'index.json'))) as { manifests?: Descriptor[] }
  const manifest = (await readBlob(layout, index.manifests?.[0])) as { config?: Descriptor }
  const { config = {} } = (await readBlob(layout, manifest.config)) as {
    config?: { Env?: string[]; User?: string; WorkingDir?: string }
  }
  const env = Object.fromEntries(
    (config.Env ?? [])
      .filter((entry) => /^[^=]+=/.test(entry))
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
  return {
    digest: hexOf(manifest.config),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    user: config.User || 'root',
    workdir: config.WorkingDir || '/',
  }
}

interface Descriptor {
  digest?: string
}

function readBlob(layout: string, descriptor: Descriptor | undefined): Promise<unknown> {
  return readJson(join(layout, 'blobs/sha256', hexOf(descriptor)))
}

function hexOf(descriptor: Descriptor | undefined): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(descriptor?.digest ?? '')?.[1]
  if (hex === undefined) throw new Error(`the layout has an invalid digest: ${descriptor?.digest}`)
  return hex
}

async function readJson(path: string): Promise<unknown> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > maxJsonBytes) throw new Error(`${path} is larger than 4 MiB`)
    return JSON.parse(await file.readFile('utf8'))
  } finally {
    await file.close()
  }
}

/** The limit of registries for manifests. */
const maxJsonBytes = 4 * 1024 * 1024

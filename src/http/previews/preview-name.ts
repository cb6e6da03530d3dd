import type { Settings } from '../../config/settings.ts'

/** The port and computer that a preview name stands for. */
export interface PreviewTarget {
  port: number
  computerId: string
}

/** `{port}-{id}-p{port}_v1`: the port twice and without leading zeros, so that each preview has exactly one name. */
const label = /^([1-9]\d{0,4})-([0-9a-z]{20})-p([1-9]\d{0,4})_v1$/

/** Returns the target that a Host header names; undefined when it is not a preview name under the domain. */
export function parsePreviewHost(host: string | undefined, domain: string): PreviewTarget | undefined {
  const [, port, computerId, again] = label.exec(nameUnder(host, domain) ?? '') ?? []
  if (!port || !computerId || port !== again || Number(port) > 65_535) return undefined
  return { port: Number(port), computerId }
}

/** Whether a host is under the preview domain, where only previews and the pages of computers may answer. */
export function isUnderPreviewDomain(host: string | undefined, domain: string): boolean {
  return nameUnder(host, domain) !== undefined
}

/** Returns what a Host header has before the domain, in lower case; undefined when it is not under the domain. */
export function nameUnder(host: string | undefined, domain: string): string | undefined {
  const name = (host ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : undefined
}

/**
 * Returns the URLs of a preview, with the scheme and port of the public URL. Without a public URL: `http` with the
 * server's port for a local domain, `https` for any other, where a proxy in front of Carrel terminates TLS.
 */
export function previewUrls(
  settings: Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>,
  computerId: string,
  port: number,
): { url: string; wsUrl: string } {
  const url = originUnder(settings, `${port}-${computerId}-p${port}_v1`)
  return { url, wsUrl: url.replace('http', 'ws') }
}

/** Returns the origin of a name under the preview domain, with scheme and port as in `previewUrls`. */
export function originUnder(settings: Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>, label: string): string {
  const url = new URL(settings.publicUrl ?? defaultOrigin(settings))
  url.hostname = `${label}.${settings.previewDomain}`
  return url.origin
}

/** Returns the origin of the server itself, for links on previews; undefined when no setting says it. */
export function homeOf(settings: Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>): string | undefined {
  const { publicUrl, previewDomain } = settings
  return publicUrl ?? (isLocal(previewDomain) ? defaultOrigin(settings) : undefined)
}

function defaultOrigin({ previewDomain, port }: Pick<Settings, 'previewDomain' | 'port'>): string {
  return isLocal(previewDomain) ? `http://localhost:${port}` : 'https://localhost'
}

function isLocal(domain: string): boolean {
  return domain === 'localhost' || domain.endsWith('.localhost')
}

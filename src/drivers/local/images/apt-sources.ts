import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Distribution } from './distribution.ts'

/** A source of packages, as in sources.list(5). */
export interface AptSource {
  uris: string[]
  suites: string[]
  components: string[]
  /** The path of a keyring, or inline keys; undefined for the keys that the host trusts for all sources. */
  signedBy: string | undefined
  /** More fields by their deb822 names, such as `Trusted`. */
  options: Record<string, string>
}

/**
 * Returns the host's sources for its distribution, in the order of its files, without third-party sources and sources
 * that need a password.
 */
export async function readAptSources(distribution: Distribution, aptDirectory = '/etc/apt'): Promise<AptSource[]> {
  const parts = join(aptDirectory, 'sources.list.d')
  const names = (await readdir(parts).catch((): string[] => [])).toSorted().map((name) => join(parts, name))
  const sources: AptSource[] = []
  for (const file of [join(aptDirectory, 'sources.list'), ...names]) {
    if (!/\.(list|sources)$/.test(file)) continue
    const text = await readFile(file, 'utf8').catch(() => '')
    sources.push(...(file.endsWith('.list') ? parseList(text) : parseStanzas(text)))
  }
  const withPassword = await hostsWithPassword(aptDirectory)
  const ofDistribution = sources
    .map((source) => ({
      ...source,
      uris: source.uris.filter((uri) => !uri.startsWith('cdrom:') && !withPassword.has(hostOf(uri))),
    }))
    .flatMap((source) => narrow(source, distribution))
  const official = ofDistribution.filter(
    (source) => source.signedBy === undefined || distributionKeyring.test(source.signedBy),
  )
  return Promise.all((official.length > 0 ? official : ofDistribution).map(resolveMirrorFiles))
}

/** Returns sources as one deb822 file. */
export function formatAptSources(sources: AptSource[]): string {
  return sources
    .map(({ uris, suites, components, signedBy, options }) => {
      const fields = {
        Types: 'deb',
        URIs: uris.join(' '),
        Suites: suites.join(' '),
        Components: components.join(' '),
        ...options,
        ...(signedBy === undefined ? {} : { 'Signed-By': signedBy }),
      }
      return Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join('')
    })
    .join('\n')
}

/** Parses the one-line format: `deb [option=value …] uri suite component …`. */
function parseList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line)
    if (!match) return []
    const [, bracket = '', uri = '', suite = '', components = ''] = match
    const fields = new Map(words(bracket).map((option) => option.split('=', 2) as [string, string]))
    return [toSource([uri], [suite], words(components), (name) => fields.get(name.toLowerCase()))]
  })
}

/** Parses the deb822 format: stanzas of `Field: value`, in which indented lines continue a value. */
function parseStanzas(text: string): AptSource[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'))
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string>()
      for (const [, name = '', value = ''] of stanza.matchAll(/^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm))
        fields.set(name.toLowerCase(), value)
      const list = (name: string) => words(fields.get(name) ?? '')
      if (!list('types').includes('deb') || /^(no|false|0|off)$/i.test(fields.get('enabled') ?? '')) return []
      return [toSource(list('uris'), list('suites'), list('components'), (name) => fields.get(name.toLowerCase()))]
    })
}

function toSource(
  uris: string[],
  suites: string[],
  components: string[],
  field: (name: string) => string | undefined,
): AptSource {
  const options = Object.fromEntries(
    keptOptions.flatMap((name) => {
      const value = field(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return { uris, suites, components, signedBy: field('Signed-By'), options }
}

/** Returns the part of a source that belongs to the distribution, by suite and component; none if no part does. */
function narrow(source: AptSource, { codename }: Distribution): AptSource[] {
  const suites = source.suites.filter((suite) => {
    const [, base = suite] = /^(.+?)(?:-updates|-security|-backports|\/updates)?$/.exec(suite) ?? []
    return base === codename || rollingSuites.has(base)
  })
  const components = source.components.filter((component) => distributionComponents.has(component))
  return suites.length > 0 && components.length > 0 && source.uris.length > 0 ? [{ ...source, suites, components }] : []
}

/** Replaces the mirror file that cloud images use by its first mirror, as the guest has no such file. */
async function resolveMirrorFiles(source: AptSource): Promise<AptSource> {
  const uris = await Promise.all(
    source.uris.map(async (uri) => {
      const path = /^mirror\+file:\/*(\/.*)$/.exec(uri)?.[1]
      if (path === undefined) return uri
      const mirrors = await readFile(path, 'utf8').catch(() => '')
      return /^\s*([a-z+]+:\S+)/m.exec(mirrors)?.[1] ?? uri
    }),
  )
  return { ...source, uris }
}

/** Returns the hosts with a password in apt_auth.conf(5), whose `machine` may have a scheme and a path. */
async function hostsWithPassword(aptDirectory: string): Promise<Set<string>> {
  const parts = join(aptDirectory, 'auth.conf.d')
  const files = [
    join(aptDirectory, 'auth.conf'),
    ...(await readdir(parts).catch(() => [])).map((name) => join(parts, name)),
  ]
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')))
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/\bmachine\s+(\S+)/g)].map(([, machine = '']) => hostOf(machine))),
  )
}

function hostOf(uri: string): string {
  return uri.replace(/^[a-z+]+:\/\//, '').replace(/\/.*/, '')
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

const rollingSuites = new Set(['stable', 'oldstable', 'testing', 'unstable', 'sid'])
const distributionComponents = new Set([
  'main',
  'contrib',
  'non-free',
  'non-free-firmware',
  'universe',
  'restricted',
  'multiverse',
])
const distributionKeyring = /(^|\/)(debian|ubuntu)-archive-keyring\.(gpg|pgp|asc)$/
const keptOptions = ['Trusted', 'Check-Valid-Until', 'Check-Date']

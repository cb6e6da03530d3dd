import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configPaths, readConfigFile, shortPath } from './config-file.ts'
import type { ConfigFile } from './config-file.ts'
import type { Program } from './program.ts'
import { UsageError } from './usage-error.ts'
import type { Values } from './verb.ts'

export interface Settings {
  url: string
  token: Token | undefined
  sandbox?: ChosenSandbox
}

/** The sandbox that commands use. */
export interface ChosenSandbox {
  /** undefined for the account's default sandbox. */
  name: string | undefined
  /** What has chosen it, for messages; undefined if nothing has. */
  source: string | undefined
}

export interface Token {
  value: string
  /** Where the token comes from, for messages. */
  source: string
  /** The file in which `login` saved the token; undefined for any other source. */
  path?: string | undefined
  expiresAt?: string | undefined
  /** True for the owner's token of the server on this machine. */
  isOwners?: boolean
}

export const defaultUrl = 'http://127.0.0.1:4280'
const defaultDataPath = '/var/lib/carrel'

/**
 * Returns the settings. Options take precedence over variables, variables over files, and the owner's token on this
 * machine comes last.
 */
export async function readSettings({ env, ...program }: Program, values: Values): Promise<Settings> {
  const variables = program.name === 'ppod' ? ['PAPERPOD', 'CARREL'] : ['CARREL', 'PAPERPOD']
  const fromEnv = (what: string) => {
    const name = variables.map((prefix) => `${prefix}_${what}`).find((name) => env[name])
    return name === undefined ? undefined : { value: env[name] ?? '', source: name }
  }
  const chosen = values.session === undefined ? fromEnv('SESSION') : { value: values.session, source: '--session' }
  const sandbox = chosen && { name: chosen.value, source: chosen.source }
  const givenUrl = values.url ?? fromEnv('URL')?.value
  const givenToken: Token | undefined = values.token ? { value: values.token, source: '--token' } : fromEnv('TOKEN')
  const isComplete = givenUrl !== undefined && givenToken !== undefined
  if (isComplete && sandbox) return { url: checkUrl(givenUrl), token: givenToken, sandbox }

  const files = await Promise.all(
    configPaths({ env, ...program }).map(async (path) => {
      const reading = readConfigFile(path)
      // Of a broken file only the sandbox would be used.
      return { path, config: isComplete ? await reading.catch((): ConfigFile => ({})) : await reading }
    }),
  )
  const url = checkUrl(givenUrl ?? files.find(({ config }) => config.url)?.config.url ?? defaultUrl)
  return {
    url,
    token: givenToken ?? savedToken(files, url) ?? (await ownerToken(env, url)),
    sandbox: sandbox ?? savedSandbox(files, url),
  }
}

/** Returns the sandbox that was chosen on this server; the default sandbox if none was. */
function savedSandbox(files: { path: string; config: ConfigFile }[], url: string): ChosenSandbox {
  for (const { path, config } of files)
    if (config.session && config.sessionUrl && isSameOrigin(config.sessionUrl, url))
      return { name: config.session, source: shortPath(path) }
  return { name: undefined, source: undefined }
}

/** Returns the token that was saved for this server. A token is never sent to another server. */
function savedToken(files: { path: string; config: ConfigFile }[], url: string): Token | undefined {
  for (const { path, config } of files) {
    if (!config.token || (config.url && !isSameOrigin(config.url, url))) continue
    return { value: config.token, source: shortPath(path), path, expiresAt: config.expiresAt }
  }
  return undefined
}

/** Returns the owner's token if the user may read the data of a server on this machine, so that no login is needed. */
async function ownerToken(env: Program['env'], url: string): Promise<Token | undefined> {
  if (!isLoopback(url)) return undefined
  const path = join(env['CARREL_DATA'] || defaultDataPath, 'owner.token')
  try {
    const value = (await readFile(path, 'utf8')).trim()
    return value ? { value, source: shortPath(path), isOwners: true } : undefined
  } catch {
    return undefined
  }
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '')
  throw new UsageError(`Cannot use "${text}" as the server's address: it has to begin with http:// or https://`)
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && new URL(one).origin === new URL(other).origin
}

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

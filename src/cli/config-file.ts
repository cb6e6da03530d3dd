import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import type { Program } from './program.ts'

/** What `login` and `use` save. Other keys of the file are preserved. */
export interface ConfigFile {
  token?: string
  /** The server that the token is for. */
  url?: string
  /** When the token expires, if the server reported it. */
  expiresAt?: string
  /** The sandbox that `use` has chosen, and the server that it is on. */
  session?: string
  sessionUrl?: string
}

/** Returns the program's own file, then that of the other name of the program. */
export function configPaths(program: Program): [own: string, other: string] {
  const carrel = join(homedir(), '.carrel', 'config.json')
  const paperpod = join(homedir(), '.paperpod', 'config.json')
  return program.name === 'ppod' ? [paperpod, carrel] : [carrel, paperpod]
}

/** Returns a path with `~` for the home folder. */
export function shortPath(path: string): string {
  return path.startsWith(homedir() + sep) ? `~${path.slice(homedir().length)}` : path
}

/** Reads a configuration file. Returns an empty object if there is none. Values that are not strings are ignored. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const { token, url, expiresAt, session, sessionUrl } = await readRaw(path)
  return {
    token: asText(token),
    url: asText(url),
    expiresAt: asText(expiresAt),
    session: asText(session),
    sessionUrl: asText(sessionUrl),
  }
}

/** Changes some keys of a configuration file. */
export async function saveConfigFile(path: string, changes: ConfigFile): Promise<void> {
  await write(path, { ...(await readRaw(path)), ...changes })
}

/** Removes a token. Returns false if the file does not contain it. */
export async function forgetToken(path: string, token: string): Promise<boolean> {
  const { token: saved, expiresAt: _, ...content } = await readRaw(path)
  if (saved !== token) return false
  await write(path, content)
  return true
}

/** Removes the chosen sandbox. Returns its name; undefined if none is saved. */
export async function forgetSandbox(path: string): Promise<string | undefined> {
  const { session, sessionUrl: _, ...content } = await readRaw(path)
  if (session !== undefined) await write(path, content)
  return asText(session)
}

/** Writes a file atomically: readers see the old file or the new one. Only the user can read it. */
async function write(path: string, content: Record<string, unknown>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // A link, as to a folder of dotfiles, stays a link.
  const target = await realpath(path).catch(() => path)
  const temporary = `${target}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function readRaw(path: string): Promise<Record<string, unknown>> {
  let text
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return { ...content }
  } catch {
    // Invalid JSON and a JSON value that is no object get the same message.
  }
  throw new Error(`Cannot use "${shortPath(path)}": it does not hold a JSON object; repair or delete it`)
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, realpath, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Program } from './program.ts'

/** What `login` saves. Other keys are kept as they are. */
export interface ConfigFile {
  token?: string
  /** The server that the token is for. */
  url?: string
  /** When the token ends, where the server told. */
  expiresAt?: string
}

/** The program's own file first, the other one's after it. */
export function configPaths(program: Program): [own: string, other: string] {
  const carrel = join(homedir(), '.carrel', 'config.json')
  const paperpod = join(homedir(), '.paperpod', 'config.json')
  return program.name === 'ppod' ? [paperpod, carrel] : [carrel, paperpod]
}

/** As a person writes it. */
export function shortPath(path: string): string {
  return path.startsWith(`${homedir()}/`) ? `~${path.slice(homedir().length)}` : path
}

/** Empty when there is no file. Values of another type than text don't count. */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const { token, url, expiresAt } = await readRaw(path)
  return { token: asText(token), url: asText(url), expiresAt: asText(expiresAt) }
}

/** Changes some keys. */
export async function saveConfigFile(path: string, changes: ConfigFile): Promise<void> {
  await write(path, { ...(await readRaw(path)), ...changes })
}

/** Removes a token; false when the file has not that one. */
export async function forgetToken(path: string, token: string): Promise<boolean> {
  const { token: saved, expiresAt: _, ...content } = await readRaw(path)
  if (saved !== token) return false
  await write(path, content)
  return true
}

/** In one step: readers see the old file or the new one, and only the user can read it. */
async function write(path: string, content: Record<string, unknown>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Where the file is a link, as in a folder of dotfiles, it stays one.
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
    // The sentence below is for both.
  }
  throw new Error(`Cannot use "${shortPath(path)}": it does not hold a JSON object; repair or delete it`)
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

import { posix } from 'node:path'

/** One side of a copy: a local path, a path in a sandbox, or the program's own stdin and stdout. */
export type Place = { kind: 'local'; path: string } | { kind: 'stream' } | SandboxPlace

export interface SandboxPlace {
  kind: 'sandbox'
  /** Absolute. */
  path: string
  sessionId: string | undefined
  /** Ended with a slash: a folder is meant. */
  wantsFolder: boolean
  /** Ended with `/.`: what is in the folder is meant. */
  isContent: boolean
}

/**
 * `:path` is in the sandbox, `name:path` in the one of that name, `-` is a stream, anything else is local; `./a:b` is a
 * local file with a colon. A relative path in a sandbox is under `folder`.
 */
export function parsePlace(text: string, folder = '/workspace'): Place {
  if (text === '-') return { kind: 'stream' }
  const [, name, path] = /^([\w.@-]*):(.*)$/s.exec(text) ?? []
  if (name === undefined || path === undefined || /^\.{1,2}$/.test(name)) return { kind: 'local', path: text }
  return {
    kind: 'sandbox',
    path: posix.resolve('/', folder, path),
    sessionId: name === '' ? undefined : name,
    wantsFolder: path === '' || path.endsWith('/'),
    isContent: meansContent(path),
  }
}

/** As with cp: `folder/.` is what is in it. */
export function meansContent(path: string): boolean {
  return /(^|\/)\.$/.test(path)
}

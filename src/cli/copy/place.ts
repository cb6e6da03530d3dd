import { posix } from 'node:path'

/** One side of a copy: a local path, a path in a sandbox, or the program's own stdin and stdout. */
export type Place = { kind: 'local'; path: string } | { kind: 'stream' } | SandboxPlace

export interface SandboxPlace {
  kind: 'sandbox'
  /** Absolute. */
  path: string
  sessionId: string | undefined
  /** True if the path ended with a slash, which means a folder. */
  wantsFolder: boolean
  /** True if the path ended with `/.`, which means the content of the folder. */
  isContent: boolean
}

/**
 * Parses one side of a copy: `:path` is in the sandbox, `name:path` in the sandbox of that name, `-` is a stream,
 * anything else is local; `./a:b` is a local file with a colon, and on Windows `C:\a` is one on a drive. A relative path
 * in a sandbox is below `folder`.
 */
export function parsePlace(text: string, folder = '/workspace', platform: NodeJS.Platform = process.platform): Place {
  if (text === '-') return { kind: 'stream' }
  if (platform === 'win32' && /^[a-z]:[\\/]/i.test(text)) return { kind: 'local', path: text }
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

/** Returns whether a path means the content of a folder, such as `folder/.`, as with cp. */
export function meansContent(path: string): boolean {
  return /(^|\/)\.$/.test(path)
}

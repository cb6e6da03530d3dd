import { request, requestContent } from './request.ts'

/** The directory that the page's files are in; paths of the page are relative to it, '' is itself. */
const workspace = '/home/node/workspace'

export interface FileEntry {
  path: string
  name: string
  type: 'file' | 'directory'
  size_bytes?: number
  mode?: number
  target?: string
  /** Of a name that is not UTF-8: no path leads to such a file. */
  name_base64?: string
}

export interface FilePage {
  entries: FileEntry[]
  cursor?: string
}

const absolute = (path: string) => (path === '' ? workspace : `${workspace}/${path}`)

function operate<T>(operation: string, path: string, more: object = {}): Promise<T> {
  return request('POST', '/api/files/ops', { body: { operation, path: absolute(path), ...more } })
}

export const listFiles = (path: string, cursor?: string) =>
  operate<FilePage>('list', path, cursor === undefined ? {} : { cursor })

export const statFile = async (path: string) =>
  (await operate<{ stat: { type: FileEntry['type']; size_bytes?: number } }>('stat', path)).stat

export const makeFolder = (path: string) => operate<void>('mkdir', path)
export const moveFile = (path: string, to: string) => operate<void>('move', path, { to: absolute(to) })
export const removeFile = (path: string) => operate<void>('remove', path, { recursive: true })

export const contentUrl = (path: string) => `/api/files/content?path=${encodeURIComponent(absolute(path))}`

export const readContent = async (path: string, signal?: AbortSignal) =>
  (await requestContent(contentUrl(path), signal)).arrayBuffer()

/** Returns the text of a file, as it is to the byte. Throws where it is not UTF-8. */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const bytes = await readContent(path, signal)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Error('It is not text.')
  }
}

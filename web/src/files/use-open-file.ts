import { useCallback, useRef, useState } from 'react'
import { readText, statFile } from '../api/files.ts'
import { putContent } from '../api/put-content.ts'
import { ApiError, messageOf } from '../api/request.ts'
import { bytesText } from '../design/units.ts'
import { imageTypeOf, maxImageBytes, maxTextBytes } from './file-kind.ts'

/** The file that is shown: its text, its type of image, or why neither can be shown. */
export interface OpenFile {
  /** Another one each time that a file is opened. */
  id: number
  path: string
  shown:
    | { kind: 'loading' }
    | { kind: 'text'; text: string }
    | { kind: 'image'; type: string }
    | { kind: 'neither'; why: string }
}

export function useOpenFile() {
  const [file, setFile] = useState<OpenFile>()
  const [isDirty, setDirty] = useState(false)
  const saved = useRef('')
  const lastId = useRef(0)
  const opening = useRef<AbortController>(undefined)

  const open = useCallback(async (path: string) => {
    opening.current?.abort()
    const { signal } = (opening.current = new AbortController())
    setDirty(false)
    const id = ++lastId.current
    setFile({ id, path, shown: { kind: 'loading' } })
    const shown = await readShown(path, signal)
    if (signal.aborted) return
    if (shown.kind === 'text') saved.current = shown.text
    setFile({ id, path, shown })
  }, [])

  const close = useCallback(() => {
    opening.current?.abort()
    setDirty(false)
    setFile(undefined)
  }, [])

  /** The open file is now at another path; its text, and what is not saved of it, stays. */
  const moved = useCallback((path: string) => setFile((before) => before && { ...before, path }), [])

  /** Returns whether the file of the computer is no longer what was opened or saved here last. */
  const hasChanged = useCallback(async (path: string) => {
    try {
      const { size_bytes: size = 0 } = await statFile(path)
      return size > maxTextBytes || (await readText(path)) !== saved.current
    } catch (error) {
      // Where it is gone, saving makes it anew.
      return !(error instanceof ApiError)
    }
  }, [])

  const save = useCallback(async (path: string, text: string, isCurrent: () => boolean) => {
    await putContent(path, new Blob([text]))
    saved.current = text
    // What was typed meanwhile is not saved yet.
    if (isCurrent()) setDirty(false)
  }, [])

  return { file, isDirty, setDirty, open, close, moved, hasChanged, save }
}

async function readShown(path: string, signal: AbortSignal) {
  try {
    const { size_bytes: size = 0 } = await statFile(path)
    const type = imageTypeOf(path)
    if (size > (type === undefined ? maxTextBytes : maxImageBytes))
      return { kind: 'neither', why: `It has ${bytesText(size)}: too much to be shown here.` } as const
    if (type !== undefined) return { kind: 'image', type } as const
    return { kind: 'text', text: await readText(path, signal) } as const
  } catch (error) {
    return { kind: 'neither', why: messageOf(error) } as const
  }
}

import { useCallback, useState } from 'react'
import { listFiles, type FileEntry } from '../api/files.ts'
import { messageOf } from '../api/request.ts'
import { isWithin } from './paths.ts'
import type { Folder } from './tree-rows.ts'

const empty: Folder = { entries: [], isLoading: true, error: '' }

/** The folders that have been read, and which of them are shown. A folder is read when it is first expanded. */
export function useFileTree() {
  const [folders, setFolders] = useState<ReadonlyMap<string, Folder>>(new Map())
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set())

  const change = useCallback(
    (path: string, update: (folder: Folder) => Folder) =>
      setFolders((before) => new Map(before).set(path, update(before.get(path) ?? empty))),
    [],
  )

  /** Reads a folder anew, or its next page. */
  const load = useCallback(
    async (path: string, cursor?: string) => {
      change(path, (folder) => ({ ...folder, isLoading: true, error: '' }))
      try {
        const page = await listFiles(path, cursor)
        change(path, ({ entries }) => ({
          entries: cursor === undefined ? page.entries : [...entries, ...page.entries],
          cursor: page.cursor,
          isLoading: false,
          error: '',
        }))
      } catch (error) {
        change(path, (folder) => ({ ...folder, isLoading: false, error: messageOf(error) }))
      }
    },
    [change],
  )

  const expand = useCallback(
    (path: string) => {
      setExpanded((before) => new Set(before).add(path))
      void load(path)
    },
    [load],
  )

  const collapse = useCallback((path: string) => {
    setExpanded((before) => new Set([...before].filter((each) => !isWithin(each, path))))
  }, [])

  /** Reads the workspace and every expanded folder anew. */
  const refresh = useCallback(async () => {
    await Promise.all(['', ...expanded].map((path) => load(path)))
  }, [expanded, load])

  const entryAt = (path: string): FileEntry | undefined => {
    for (const { entries } of folders.values()) {
      const found = entries.find((entry) => entry.path === path)
      if (found) return found
    }
    return undefined
  }

  return { folders, expanded, load, expand, collapse, refresh, entryAt }
}

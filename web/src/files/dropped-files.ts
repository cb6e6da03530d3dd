import { joinPath } from './paths.ts'

/** More files than this are refused: an archive is quicker. */
export const maxDroppedFiles = 2000

export interface DroppedFile {
  path: string
  content: File
}

/**
 * Returns the files that were dropped, with those of dropped folders, at their paths below `folder`. Throws if there are
 * more than `maxDroppedFiles`.
 */
export async function droppedFiles(data: DataTransfer, folder: string): Promise<DroppedFile[]> {
  // The list is emptied as soon as the event has been handled, so everything is taken from it at once.
  const files = [...data.files]
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? undefined)
  if (!entries.some((entry) => entry?.isDirectory))
    return files.map((content) => ({ path: joinPath(folder, content.name), content }))
  const found: DroppedFile[] = []
  for (const entry of entries) if (entry) await collect(entry, folder, found)
  return found
}

async function collect(entry: FileSystemEntry, folder: string, found: DroppedFile[]): Promise<void> {
  const path = joinPath(folder, entry.name)
  if (entry.isFile) {
    if (found.length >= maxDroppedFiles)
      throw new Error(`More than ${maxDroppedFiles} files: upload an archive and unpack it in the terminal.`)
    found.push({ path, content: await fileOf(entry as FileSystemFileEntry) })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (let page = await readPage(reader); page.length > 0; page = await readPage(reader))
    for (const each of page) await collect(each, path, found)
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((resolve, reject) => entry.file(resolve, reject))
const readPage = (reader: FileSystemDirectoryReader) =>
  new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))

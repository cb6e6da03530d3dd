import { fileError } from '../../files/file-error.ts'
import type { RootedDirectory } from './rooted.ts'
import { stageFileIn, type Owner, type StagedFile } from './write.ts'

interface File {
  path: string
  data: Uint8Array
  mode?: number
}

/**
 * Writes all of the files or none. First each file is written next to its target, where a full disk or a wrong path
 * becomes apparent. Then each is swapped with its target, so that a later failure can be undone. Readers see whole
 * files, old or new. Returns the sizes in bytes.
 */
export async function writeManyIn(root: RootedDirectory, files: File[], owner: Owner): Promise<number[]> {
  const staged: StagedFile[] = []
  const swapped: StagedFile[] = []
  let path = ''
  try {
    for (const one of files) {
      ;({ path } = one)
      staged.push(await stageFileIn(root, path, one.data, { owner, mode: one.mode, maxBytes: one.data.length }))
    }
    for (const [index, one] of staged.entries()) {
      ;({ path } = files[index]!)
      await one.file.swap(one.name)
      swapped.push(one)
    }
    return staged.map(({ sizeBytes }) => sizeBytes)
  } catch (error) {
    for (const { file } of swapped.toReversed()) await file.swapBack().catch(() => {})
    throw fileError('write', path, error)
  } finally {
    for (const one of staged) await one.close()
  }
}

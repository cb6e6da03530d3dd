import { chmod, chown, mkdir } from 'node:fs/promises'
import { toHostId } from '../system/id-map.ts'

/**
 * Creates a directory that the host's other users cannot enter, as it holds files of computers and programs that their
 * root users made setuid. The group of computers' root users gets through: the runtime opens mount sources as such a
 * user.
 */
export async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await chown(directory, 0, toHostId(0))
  await chmod(directory, 0o710)
}

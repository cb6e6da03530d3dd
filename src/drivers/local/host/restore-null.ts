import { chmod, chown, stat } from 'node:fs/promises'
import { isGuestsId } from '../system/id-map.ts'

/**
 * Gives the host's `/dev/null` back to root, where a computer of an older Carrel became its owner or removed the access
 * of others. Returns whether anything had to be changed.
 */
export async function restoreNull(path = '/dev/null'): Promise<boolean> {
  const { uid, gid, mode } = await stat(path)
  const isGuests = isGuestsId(uid) || isGuestsId(gid)
  if (!isGuests && (mode & 0o666) === 0o666) return false
  await chown(path, 0, 0)
  await chmod(path, 0o666)
  return true
}

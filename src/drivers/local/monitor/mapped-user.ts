import { isMappedId } from '../system/id-map.ts'
import { StartError } from './start-failure.ts'

/**
 * Throws a `StartError` for a process object whose ids have no host ids of their own: the last look before the runtime,
 * which hands any number to the kernel, and the kernel takes 4294967295 for "stay the host's root".
 */
export function assertMappedUser(spec: Record<string, unknown>): void {
  const { uid, gid, additionalGids = [] } = (spec.user ?? {}) as Partial<OciUser>
  for (const id of [uid, gid, ...additionalGids]) {
    if (id === undefined || !isMappedId(id))
      throw new StartError('conflict', `${JSON.stringify(id)} is no id of the computer's own`)
  }
}

/** `process.user` of the OCI runtime specification. */
interface OciUser {
  uid: number
  gid: number
  additionalGids: number[]
}

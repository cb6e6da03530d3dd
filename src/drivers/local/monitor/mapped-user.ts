import { isMappedId } from '../system/id-map.ts'
import { StartError } from './start-failure.ts'

/**
 * Throws a `StartError` for a process object with ids that are not mapped to host ids. This is the last check before
 * the runtime, which passes any number to the kernel; for the kernel, 4294967295 means to stay the host's root.
 */
export function assertMappedUser(spec: Record<string, unknown>): void {
  const { uid, gid, additionalGids = [] } = (spec.user ?? {}) as Partial<OciUser>
  for (const id of [uid, gid, ...additionalGids]) {
    if (id === undefined || !isMappedId(id))
      throw new StartError('conflict', `${JSON.stringify(id)} is not an id of the computer`)
  }
}

/** `process.user` of the OCI runtime specification. */
interface OciUser {
  uid: number
  gid: number
  additionalGids: number[]
}

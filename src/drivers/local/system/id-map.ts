/**
 * Host ids of a computer's users: root inside is `firstHostId` on the host, where that id owns nothing. Far above the
 * ranges that distributions assign to users (/etc/subuid) and to systemd-nspawn, and below 2^31.
 */
export const idMap = { firstHostId: 2_000_000_000, count: 65_536 } as const

/** Returns the host id of a user or group id inside a computer. */
export function toHostId(insideId: number): number {
  return idMap.firstHostId + insideId
}

/** Returns the id inside a computer of an owner on the host; 65534 (nobody) for an owner outside the map. */
export function toInsideId(hostId: number): number {
  return isGuestsId(hostId) ? hostId - idMap.firstHostId : 65_534
}

/** Returns whether a host id belongs to users of computers. */
export function isGuestsId(hostId: number): boolean {
  return isMappedId(hostId - idMap.firstHostId)
}

/** Returns whether an id inside a computer is mapped to a host id. The runtime must never get any other. */
export function isMappedId(insideId: number): boolean {
  return Number.isInteger(insideId) && insideId >= 0 && insideId < idMap.count
}

/**
 * Returns the host user that owns the namespaces of a computer, derived from its address. The kernel counts the inotify
 * instances, message queues, pending signals and locked memory of all users of the computer for this user, so that they
 * do not reduce what another computer or the host's root may have. The user has no other purpose and owns no files.
 */
export function namespaceOwner(address: string): number {
  const [, b, c, d] = address.split('.').map(Number)
  return firstOwner + (b! << 16) + (c! << 8) + d!
}

/** Above all ids of computers. The 2^24 ids from here are below 2^31. */
const firstOwner = 0x7800_0000

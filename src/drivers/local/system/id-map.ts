/**
 * Host ids of a computer's users: root inside is `firstHostId` outside, which owns nothing of the host's. Far above
 * the ranges that distributions give to people (/etc/subuid) and to systemd-nspawn, and below 2^31.
 */
export const idMap = { firstHostId: 2_000_000_000, count: 65_536 } as const

/** The host's id for a user or group id inside a computer. */
export function toHostId(insideId: number): number {
  return idMap.firstHostId + insideId
}

/** The inside's id for an owner seen on the host; 65534 (nobody) for an owner from outside the map. */
export function toInsideId(hostId: number): number {
  return isGuestsId(hostId) ? hostId - idMap.firstHostId : 65_534
}

/** Whether an id on the host is one of the computers'. */
export function isGuestsId(hostId: number): boolean {
  return isMappedId(hostId - idMap.firstHostId)
}

/** Whether an id inside a computer has one on the host: the runtime must be given no other. */
export function isMappedId(insideId: number): boolean {
  return Number.isInteger(insideId) && insideId >= 0 && insideId < idMap.count
}

/**
 * The host's user that owns the namespaces of a computer, by its address: the kernel counts what the computer's users
 * have of inotify, message queues, pending signals and locked memory for this user in all, so that none of it comes out of what
 * another computer, or root of the host, may have. Nobody is this user else, and no computer has files of it.
 */
export function namespaceOwner(address: string): number {
  const [, b, c, d] = address.split('.').map(Number)
  return firstOwner + (b! << 16) + (c! << 8) + d!
}

/** Above all ids of computers; 2^24 from here are below 2^31. */
const firstOwner = 0x7800_0000

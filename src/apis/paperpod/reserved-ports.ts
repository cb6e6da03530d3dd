/** Ports that the document keeps for system use: they can't be exposed. */
const first = 3000
const last = 3010

export const reservedPorts = `${first}-${last}`

export function isReserved(port: number): boolean {
  return port >= first && port <= last
}

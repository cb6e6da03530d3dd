/** Ports that the document reserves for system use: they cannot be exposed. */
const first = 3000
const last = 3010

export const reservedPorts = `${first}-${last}`

export function isReserved(port: number): boolean {
  return port >= first && port <= last
}

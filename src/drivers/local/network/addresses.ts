/** The gateway of every computer: a link-local address that each of the host's veth ends has. */
export const gatewayAddress = '169.254.1.1'

/**
 * Ranges that a computer must not reach: private networks, cloud metadata, multicast and reserved ranges (RFC 6890).
 */
export const closedRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
] as const

/** Returns the address of a slot, 1–65,000. `network` is the first two numbers of a /16, such as `10.213`. */
export function slotAddress(network: string, slot: number): string {
  return `${network}.${slot >> 8}.${slot & 255}`
}

/** Returns locally administered hardware addresses for both ends of a slot's link, so that neither end needs ARP. */
export function hardwareAddresses(address: string): { host: string; computer: string } {
  const tail = address.split('.').map((number) => Number(number).toString(16).padStart(2, '0'))
  return { host: ['06', '00', ...tail].join(':'), computer: ['02', '00', ...tail].join(':') }
}

/** The gateway of every computer: an address on each of the host's veth ends, of the link-local range, that routes nothing else. */
export const gatewayAddress = '169.254.1.1'

/** Ranges that a computer must not reach: the host's neighbourhood, cloud metadata, multicast and what is reserved (RFC 6890). */
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

/** The address of a slot: slots 1–65,000 of a /16 network given as its first two numbers, e.g. `10.213`. */
export function slotAddress(network: string, slot: number): string {
  return `${network}.${slot >> 8}.${slot & 255}`
}

/** Of both ends of a slot's link, locally administered: told, so that neither end has to be asked for its own. */
export function hardwareAddresses(address: string): { host: string; computer: string } {
  const tail = address.split('.').map((number) => Number(number).toString(16).padStart(2, '0'))
  return { host: ['06', '00', ...tail].join(':'), computer: ['02', '00', ...tail].join(':') }
}

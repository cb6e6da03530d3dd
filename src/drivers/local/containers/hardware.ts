import { readdirSync } from 'node:fs'

/** Returns the folders of `/sys` with the host's devices, except processors and virtual devices of the kernel. */
export function hardware(): string[] {
  known ??= readdirSync(devices).flatMap((name) => (shown.has(name) ? [] : [`${devices}/${name}`]))
  return known
}

let known: string[] | undefined
const devices = '/sys/devices'
const shown = new Set(['system', 'virtual', 'breakpoint', 'faux', 'msr', 'software', 'tracepoint', 'uprobe'])

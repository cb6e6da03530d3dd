import { readdirSync } from 'node:fs'

/** Folders of `/sys` in which the host's own devices are, all but its processors and what the kernel makes up itself. */
export function hardware(): string[] {
  known ??= readdirSync(devices).flatMap((name) => (shown.has(name) ? [] : [`${devices}/${name}`]))
  return known
}

let known: string[] | undefined
const devices = '/sys/devices'
const shown = new Set(['system', 'virtual', 'breakpoint', 'faux', 'msr', 'software', 'tracepoint', 'uprobe'])

import { readFileSync } from 'node:fs'

/**
 * The capabilities that the monitor and the runtime need, by their numbers in linux/capability.h: to enter the
 * namespaces of a computer and become its users, to create and mount its files, to put it into control groups, and to
 * end its processes. None of them allows loading kernel code, reading kernel memory, or changing hardware, clocks, the
 * host's network or its audit.
 */
const needed = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  DAC_READ_SEARCH: 2,
  FOWNER: 3,
  FSETID: 4,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SETPCAP: 8,
  NET_BIND_SERVICE: 10,
  NET_RAW: 13,
  SYS_CHROOT: 18,
  SYS_PTRACE: 19,
  SYS_ADMIN: 21,
  SYS_NICE: 23,
  SYS_RESOURCE: 24,
  MKNOD: 27,
  AUDIT_WRITE: 29,
  SETFCAP: 31,
} as const

/** Returns the option of `setpriv` that limits a program to the needed capabilities, whichever user it becomes. */
export function boundingSet(): string {
  const kept = new Set<number>(Object.values(needed))
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'latin1'))
  const dropped = Array.from({ length: last + 1 }, (_, number) => number).filter((number) => !kept.has(number))
  return `--bounding-set=${dropped.map((number) => `-cap_${number}`).join(',')}`
}

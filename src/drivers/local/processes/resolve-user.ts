import { closeSync, constants, fstatSync, readFileSync } from 'node:fs'
import { CarrelError, isOutOfDescriptors } from '../../../errors.ts'
import { idMap, isMappedId } from '../system/id-map.ts'
import { RootedDirectory } from '../files/rooted.ts'

export interface ResolvedUser {
  name: string
  uid: number
  gid: number
  groups: number[]
  home: string
  shell: string
}

/** Users that exist even if /etc/passwd is broken, so that it can be repaired from inside. */
const builtIn: Record<string, string[]> = {
  root: ['root', 'x', '0', '0', '', '/root', '/bin/sh'],
  node: ['node', 'x', '1000', '1000', '', '/home/node', '/bin/bash'],
}

/** Limit on account files, which a guest can make as large as its disk. */
const maxAccountFileBytes = 1024 * 1024

/** Limit on the supplementary groups of a user. The kernel's own limit is 65,536. */
const maxGroups = 1024

/**
 * Returns the user `user[:group]` of a computer, by name or number, from the computer's /etc/passwd and /etc/group. A
 * number without an entry is used as it is. Throws `not_found` for an unknown name, and `conflict` for an id in these
 * files that is not an id of the computer: the guest writes the files, and other ids must not reach the runtime.
 */
export function resolveUser(rootDirectory: string, spec: string): ResolvedUser {
  const [user = '', group] = spec.split(':')
  const root = new RootedDirectory(rootDirectory)
  try {
    const passwd = records(root, rootDirectory, '/etc/passwd')
    const groups = records(root, rootDirectory, '/etc/group')
    const entry =
      passwd.find((fields) => fields[0] === user) ?? passwd.find((fields) => fields[2] === user) ?? builtIn[user]
    if (!entry && !isNumericId(user)) throw unknown('user', user)
    const name = entry?.[0] ?? user
    const member = groups.filter((fields) => fields[3]?.split(',').includes(name))
    if (member.length > maxGroups) throw tooManyGroups(name, member.length)
    return {
      name,
      uid: ownId(entry?.[2] ?? user, `user id of ${quote(name)} in /etc/passwd`),
      gid:
        group === undefined
          ? ownId(entry?.[3] ?? user, `group id of ${quote(name)} in /etc/passwd`)
          : groupId(groups, group),
      groups: member.map(([groupName = '', , id = '']) => ownId(id, `id of group ${quote(groupName)} in /etc/group`)),
      home: entry?.[5] || '/',
      shell: entry?.[6] || '/bin/sh',
    }
  } finally {
    root.close()
  }
}

function groupId(groups: string[][], group: string): number {
  const entry = groups.find((fields) => fields[0] === group) ?? groups.find((fields) => fields[2] === group)
  if (!entry && !isNumericId(group)) throw unknown('group', group)
  return ownId(entry?.[2] ?? group, `id of group ${quote(entry?.[0] ?? group)} in /etc/group`)
}

/** Returns whether a text is an id in the computer's map. */
function isNumericId(text: string): boolean {
  return /^\d{1,5}$/.test(text) && isMappedId(Number(text))
}

/** Throws for other ids, such as 4294967295, with which `setresuid` keeps the present user: the host's root. */
function ownId(text: string, what: string): number {
  if (isNumericId(text)) return Number(text)
  throw new CarrelError(
    'conflict',
    `Cannot run a process: the ${what} is ${quote(text)}, not a number from 0 to ${idMap.count - 1}; correct the file and try again`,
    { details: { field: 'user' } },
  )
}

function tooManyGroups(name: string, count: number): CarrelError {
  return new CarrelError(
    'conflict',
    `Cannot run as user ${quote(name)}: /etc/group names it in ${count} groups, and the limit is ${maxGroups}`,
    { details: { field: 'user' } },
  )
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}

function unknown(kind: string, name: string): CarrelError {
  return new CarrelError('not_found', `Cannot run as ${kind} ${quote(name)}: the computer has no such ${kind}`, {
    details: { field: 'user' },
  })
}

/** Cache of the parsed files, valid while a file is unchanged, as every exec needs them. */
const parsed = new Map<string, { stamp: string; records: string[][] }>()

function records(root: RootedDirectory, rootDirectory: string, path: string): string[][] {
  let fd: number
  try {
    fd = root.open(path, constants.O_RDONLY)
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error
    return []
  }
  try {
    const stats = fstatSync(fd)
    if (!stats.isFile() || stats.size > maxAccountFileBytes) return []
    const key = rootDirectory + path
    const stamp = `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`
    const known = parsed.get(key)
    if (known?.stamp === stamp) return known.records
    const read = readFileSync(fd, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(':'))
    if (parsed.size >= maxParsed) parsed.clear()
    parsed.set(key, { stamp, records: read })
    return read
  } finally {
    closeSync(fd)
  }
}

const maxParsed = 2000

import { CarrelError } from '../../errors.ts'
import { toBytes } from './file-system/byte-strings.ts'
import type { FileSystem } from './file-system/file-system.ts'
import type { TaskUser } from './tasks/task.ts'

/** Resolves `user[:group]` by the files of a computer. Throws `not_found` for a name that is not in them. */
export function resolveUser(files: FileSystem, spec: string): TaskUser & { shell: string } {
  const [user = '', group] = toBytes(spec).split(':')
  const users = records(files, '/etc/passwd')
  const groups = records(files, '/etc/group')
  const entry = find(users, user)
  if (!entry && !isId(user)) throw unknown('user', spec)
  const name = entry?.[0] ?? user
  const groupEntry = group === undefined ? undefined : find(groups, group)
  if (group !== undefined && !groupEntry && !isId(group)) throw unknown('group', spec)
  return {
    name,
    uid: Number(entry?.[2] ?? user),
    gid: Number(group === undefined ? (entry?.[3] ?? user) : (groupEntry?.[2] ?? group)),
    groups: groups.filter((fields) => fields[3]?.split(',').includes(name)).map((fields) => Number(fields[2])),
    home: entry?.[5] || '/',
    shell: entry?.[6] || '/bin/sh',
  }
}

function records(files: FileSystem, path: string): string[][] {
  const node = files.lookUp(path)
  if (node?.kind !== 'file') return []
  return node.bytes
    .toString('latin1')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(':'))
}

function find(entries: string[][], name: string): string[] | undefined {
  return entries.find((fields) => fields[0] === name) ?? entries.find((fields) => fields[2] === name)
}

function isId(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
}

function unknown(kind: string, spec: string): CarrelError {
  const name = JSON.stringify(spec.slice(0, 100))
  return new CarrelError('not_found', `Cannot run as ${kind} ${name}: the computer has no such ${kind}`, {
    details: { field: 'user' },
  })
}

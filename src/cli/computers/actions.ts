import { isatty } from 'node:tty'
import type { BegunOnComputer, Carrel, Computer } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { printable } from '../printable.ts'
import { shortSize } from '../sizes.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import { Declined, UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'
import { chosen } from './choose.ts'
import { sizeOf } from './size-options.ts'
import { computerTable } from './table.ts'
import { settled } from './wait.ts'

export type Action = (call: Call, client: Carrel) => Promise<number | void>

export async function list({ program, values }: Call, client: Carrel): Promise<void> {
  const computers = await client.computers.list()
  if (values.json) return program.stdout.line(JSON.stringify({ computers }))
  if (computers.length > 0)
    return program.stdout.write(computerTable(computers, values['long'] === true, program.stdout.width))
  await program.stderr.line(`There is no computer yet: "${program.name} computers create" makes one.`)
}

export async function create(call: Call, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const begun = await client.computers.create({
    handle: operands[1],
    displayName: values['name'] as string | undefined,
    imageId: values['image'] as string | undefined,
    ...sizeOf(values),
  })
  const computer = await settled(call, client, begun)
  if (values.json) return program.stdout.line(JSON.stringify({ computer }))
  // Scripts get the handle alone: BOX=$(carrel computers create).
  if (!program.stdout.isTerminal) return program.stdout.line(computer.handle)
  await program.stdout.line(
    `${computer.handle} is ${computer.state}.\n"${program.name} computers exec ${computer.handle} -- bash" opens a shell in it.`,
  )
}

export async function get(call: Call, client: Carrel): Promise<void> {
  const { program, values } = call
  const names = await chosen(call, client)
  const computers = await Promise.all(names.map((name) => client.computers.get(name)))
  if (values.json) return program.stdout.line(JSON.stringify({ computers }))
  for (const [index, computer] of computers.entries())
    await program.stdout.write(`${index > 0 ? '\n' : ''}${table([{}, {}], factsOf(computer))}`)
}

function factsOf(computer: Computer): string[][] {
  const { handle, display_name, id, state, failure_reason, image_id, size_preset, created_at } = computer
  return [
    ['Handle', handle],
    ...(display_name === handle ? [] : [['Name', display_name]]),
    ['State', state],
    ...(failure_reason === null ? [] : [['Reason', failure_reason]]),
    ['Size', `${sizeText(computer)} (${size_preset})`],
    ['Image', image_id],
    ...(computer.source_snapshot_id === null ? [] : [['Snapshot', computer.source_snapshot_id]]),
    ['Created', shortTime(created_at)],
    ['Id', id],
  ]
}

function sizeText({ requested_memory_mib: mib, requested_storage_bytes: bytes }: Computer): string {
  return `${shortSize(mib * 1024 ** 2)} memory, ${shortSize(bytes)} storage`
}

export const start: Action = (call, client) => each(call, client, (name) => client.computers.ensureReady(name))
export const stop: Action = (call, client) => each(call, client, (name) => client.computers.stop(name))

export async function restart(call: Call, client: Carrel): Promise<void> {
  await each(call, client, async (name) => {
    const found = await client.computers.get(name)
    if (found.state === 'running') await client.computers.settle(await client.computers.stop(name))
    return client.computers.ensureReady(name)
  })
}

export async function rename({ program, values, operands: [, name, handle] }: Call, client: Carrel): Promise<void> {
  const displayName = values['name'] as string | undefined
  if (name === undefined || (handle === undefined && displayName === undefined))
    throw new UsageError(`The command is "${program.name} computers rename <computer> <handle>", or --name <name>`)
  const changes = { ...(handle === undefined ? {} : { handle }), ...(displayName === undefined ? {} : { displayName }) }
  const computer = await client.computers.rename(name, changes)
  await program.stdout.line(
    values.json ? JSON.stringify({ computer }) : `It is ${computer.handle} (${printable(computer.display_name)}) now`,
  )
}

export async function remove(call: Call, client: Carrel): Promise<void> {
  const names = await chosen(call, client)
  // All are found before one is deleted.
  const found = await Promise.all(names.map((name) => client.computers.get(name)))
  const handles = found.map(({ handle }) => handle)
  if (!call.values['yes'] && isatty(0)) {
    const answer = await ask(`Delete ${handles.join(', ')} with all files? (yes/no) `)
    if (!/^y(es)?$/i.test(answer)) throw new Declined('Nothing was deleted')
  }
  await each({ ...call, operands: ['rm', ...handles] }, client, (name) => client.computers.delete(name), 'deleted')
}

/** Runs a command in a computer, as `exec` does in a sandbox: a computer's handle is the name of its session. */
export async function exec(call: Call, client: Carrel): Promise<number> {
  const { program, operands } = call
  const [what, name, ...command] = operands
  if (name === undefined || command.length === 0)
    throw new UsageError(`The command is "${program.name} computers ${what} <computer> -- <command>"`)
  const { handle } = await client.computers.get(name)
  const verb = (await import('../verbs/exec.ts')).exec
  return verb.run({ ...call, operands: command, values: { ...call.values, session: handle } })
}

export async function usage(call: Call, client: Carrel): Promise<void> {
  const { program, values } = call
  const names = await chosen(call, client)
  const found = await Promise.all(
    names.map(async (name) => ({ handle: name, ...(await client.computers.usage(name)) })),
  )
  if (values.json) return program.stdout.line(JSON.stringify({ usage: found }))
  const right = { align: 'right' as const }
  const columns = [
    { title: 'HANDLE' },
    { title: 'RUNTIME', ...right },
    { title: 'CPU', ...right },
    { title: 'MEMORY', ...right },
    { title: 'STORAGE', ...right },
  ]
  const rows = found.map((one) => [
    one.handle,
    `${(one.runtime_seconds / 3600).toFixed(2)} h`,
    `${one.cpu_hours.toFixed(2)} h`,
    `${one.ram_gib_hours.toFixed(2)} GiB-h`,
    shortSize(one.hot_storage_bytes + one.cold_storage_bytes),
  ])
  await program.stdout.write(table(columns, rows, program.stdout.width))
}

/** Begins something on each chosen computer, waits, and says what each one is then. */
async function each(
  call: Call,
  client: Carrel,
  begin: (name: string) => Promise<BegunOnComputer>,
  done?: string,
): Promise<void> {
  const { program, values } = call
  const computers: Computer[] = []
  for (const name of await chosen(call, client)) {
    const computer = await settled(call, client, await begin(name))
    computers.push(computer)
    if (!values.json) await program.stdout.line(`${computer.handle} is ${done ?? computer.state}`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ computers }))
}

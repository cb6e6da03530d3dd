import { CarrelApiError } from '../../../sdk/index.ts'
import type { Carrel, Computer, ComputerConnection, PublishedPort } from '../../../sdk/index.ts'
import { shortDuration } from '../duration.ts'
import { shortSize } from '../sizes.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { ActionCall } from './action.ts'
import { chosen } from './choose.ts'
import { sizeText } from './size-options.ts'
import { byCreation, computerTable } from './table.ts'

export async function list({ program, values }: ActionCall, client: Carrel): Promise<void> {
  const computers = byCreation(await client.computers.list())
  if (values.json) return program.stdout.line(JSON.stringify({ computers }))
  if (computers.length > 0)
    return program.stdout.write(computerTable(computers, values['long'] === true, program.stdout.width))
  await program.stderr.line(`There is no computer yet: "${program.name} computers create" makes one.`)
}

export async function get(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const names = await chosen(call, client)
  const computers = await Promise.all(names.map((name) => describe(client, name)))
  if (values.json) return program.stdout.line(JSON.stringify({ computers }))
  for (const [index, computer] of computers.entries())
    await program.stdout.write(`${index > 0 ? '\n' : ''}${table([{}, {}], factsOf(computer))}`)
}

interface Described extends Computer {
  /** Null when the server has no port left for SSH. */
  connection: ComputerConnection | null
  ports: PublishedPort[]
}

async function describe({ computers }: Carrel, name: string): Promise<Described> {
  const connecting = computers.connection(name).catch((error: unknown) => {
    if (error instanceof CarrelApiError && error.code === 'NO_CAPACITY') return null
    throw error
  })
  const [computer, connection, ports] = await Promise.all([computers.get(name), connecting, computers.ports.list(name)])
  return { ...computer, connection, ports }
}

function factsOf(computer: Described): string[][] {
  const { handle, display_name, id, state, image_id, size_preset, created_at, primary_url } = computer
  const { requested_memory_mib: memoryMib, requested_storage_bytes: storageBytes } = computer
  return [
    ['Handle', handle],
    ...(display_name === handle ? [] : [['Name', display_name]]),
    ['State', state],
    ...reasonOf(computer),
    ['Size', `${sizeText(memoryMib, storageBytes)} (${size_preset})`],
    ['Image', image_id],
    ...(computer.source_snapshot_id === null ? [] : [['Snapshot', computer.source_snapshot_id]]),
    ['Page', primary_url],
    ...accessOf(computer.connection),
    ...computer.ports.map(({ port, name, visibility, public_url: url }) => [
      `Port ${port}`,
      `${url} (${[...(name === '' ? [] : [name]), visibility].join(', ')})`,
    ]),
    ['Created', shortTime(created_at)],
    ['Id', id],
  ]
}

function accessOf(connection: ComputerConnection | null): string[][] {
  if (connection === null) return []
  const { handle, vnc_url: desktop, ssh_available, ssh_host: host, ssh_port: port, ssh_user: user } = connection
  // Where computers have no port of their own, `carrel ssh` goes by the TLS port of the server.
  const ssh = host === null ? `carrel ssh ${handle}` : `ssh -p ${port} ${user}@${host}`
  return [...(desktop === '' ? [] : [['Desktop', desktop]]), ...(ssh_available ? [['SSH', ssh]] : [])]
}

function reasonOf({ failure_reason: failure, state_reason: reason }: Computer): string[][] {
  const why = failure ?? (reason === null ? undefined : (reasons[reason] ?? reason.replaceAll('_', ' ')))
  return why === undefined ? [] : [['Reason', why]]
}

/** Why a computer has stopped, where the server's word alone does not say it. */
const reasons: Record<string, string | undefined> = {
  out_of_credits: 'the workspace has no credit left',
  spending_limit: 'a spending limit of the workspace is used up',
  lost: 'it ended without the server',
  interrupted: 'what the server did was cut off',
}

export async function usage(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const names = await chosen(call, client)
  const found = await Promise.all(
    names.map(async (name) => {
      const [{ handle }, used] = await Promise.all([client.computers.get(name), client.computers.usage(name)])
      return { handle, ...used }
    }),
  )
  if (values.json) return program.stdout.line(JSON.stringify({ usage: found }))
  const rows = found.map((one) => [
    one.handle,
    shortDuration(one.runtime_seconds),
    shortDuration(one.cpu_hours * 3600),
    `${one.ram_gib_hours.toFixed(2)} GiB-h`,
    shortSize(one.hot_storage_bytes + one.cold_storage_bytes),
  ])
  await program.stdout.write(table(usageColumns, rows, program.stdout.width))
}

const right = { align: 'right' as const }
const usageColumns = [
  { title: 'HANDLE' },
  { title: 'RUNTIME', ...right },
  { title: 'CPU', ...right },
  { title: 'MEMORY', ...right },
  { title: 'STORAGE', ...right },
]

import type { Carrel, PublishedPort, Visibility } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { UsageError } from '../usage-error.ts'
import type { Values } from '../verb.ts'
import { missing, type ActionCall } from './action.ts'
import { chosenOne, listWidth, pick } from './choose.ts'

export async function listPorts(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const ports = await client.computers.ports.list(await chosenOne(call, client))
  if (values.json) return program.stdout.line(JSON.stringify({ ports }))
  if (ports.length > 0) return program.stdout.write(portTable(ports, program.stdout.width))
  await program.stderr.line(`No port is published: "${program.name} computers ports publish" publishes one.`)
}

/** Publishes a port and prints its address alone, for scripts. */
export async function publishPort(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  // A port alone is for a computer that is chosen.
  const [name, text] = operands.length === 1 && /^\d+$/.test(operands[0]!) ? [undefined, operands[0]] : operands
  if (text === undefined) throw missing(call, name === undefined ? 'computer' : 'port')
  const number = portOf(text)
  const options = { name: values['name'] as string | undefined, visibility: visibilityOf(values) }
  const port = await client.computers.ports.publish(
    await chosenOne({ ...call, operands: [] }, client, name),
    number,
    options,
  )
  await program.stdout.line(values.json ? JSON.stringify({ port }) : printable(port.public_url))
}

export async function withdrawPorts(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const computer = await client.computers.get(await chosenOne(call, client))
  const given = operands.slice(1).map(portOf)
  const wanted = given.length > 0 ? given : [(await pickPort(call, client, computer.id)).port]
  const ports: PublishedPort[] = []
  for (const port of new Set(wanted)) {
    ports.push(await client.computers.ports.withdraw(computer.id, port))
    if (!values.json) await program.stdout.line(`Port ${port} of ${computer.handle} is withdrawn`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ ports }))
}

function pickPort(call: ActionCall, client: Carrel, computerId: string): Promise<PublishedPort> {
  return pick(call, {
    what: 'port',
    load: () => client.computers.ports.list(computerId),
    table: (ports) => portTable(ports, listWidth(call)),
    nameKind: 'the port',
    names: ({ port }) => [String(port)],
    none: 'No port is published',
  })
}

function portTable(ports: readonly PublishedPort[], width?: number): string {
  const columns = [
    { title: 'PORT', align: 'right' as const },
    { title: 'NAME', shrinksTo: 8, dropOrder: 1 },
    { title: 'VISIBILITY', dropOrder: 2 },
    { title: 'ADDRESS' },
  ]
  const rows = ports.map(({ port, name, visibility, state, failure_reason: reason, public_url: url }) => [
    String(port),
    name || '-',
    visibility,
    state === 'ready' ? url : `${state}${reason === null ? '' : `: ${reason}`}`,
  ])
  return table(columns, rows, width)
}

function portOf(text: string): number {
  return parseCount(text, 'a port', { max: maxPort }) ?? 0
}

function visibilityOf({ public: isPublic, private: isPrivate }: Values): Visibility | undefined {
  if (isPublic && isPrivate) throw new UsageError('Cannot use --public and --private together')
  if (isPrivate) return 'private'
  return isPublic ? 'public' : undefined
}

const maxPort = 65_535

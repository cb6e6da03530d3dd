import type { BegunOnComputer, Carrel, Computer } from '../../../sdk/index.ts'
import { printable } from '../printable.ts'
import { UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'
import type { ActionCall } from './action.ts'
import { chosen, chosenOne } from './choose.ts'
import { confirm } from './confirm.ts'
import { sizeOf } from './size-options.ts'
import { ended, settled } from './wait.ts'

export async function create(call: ActionCall, client: Carrel): Promise<void> {
  const { values, operands } = call
  const begun = await client.computers.create({
    handle: operands[0],
    displayName: values['name'] as string | undefined,
    imageId: values['image'] as string | undefined,
    ...sizeOf(values),
  })
  const computer = await settled(call, client, begun)
  await reportNew(call, [computer], { computer })
}

/** Reports computers that were made. Scripts get the handles alone: BOX=$(carrel computers create). */
export async function reportNew({ program, values }: Call, computers: Computer[], json: object): Promise<void> {
  if (values.json) return program.stdout.line(JSON.stringify(json))
  const handles = computers.map(({ handle }) => handle)
  if (!program.stdout.isTerminal) return program.stdout.line(handles.join('\n'))
  for (const { handle, state } of computers) await program.stdout.line(`${handle} is ${state}`)
  await program.stdout.line(`"${program.name} computers exec ${handles[0]} -- bash" opens a shell in it.`)
}

export const start = (call: ActionCall, client: Carrel) =>
  each(call, client, (name) => client.computers.ensureReady(name))
export const stop = (call: ActionCall, client: Carrel) => each(call, client, (name) => client.computers.stop(name))

export async function restart(call: ActionCall, client: Carrel): Promise<void> {
  const waiting = { ...call, values: { ...call.values, 'no-wait': false } }
  await each(call, client, async (name) => {
    const found = await client.computers.get(name)
    if (found.state === 'running') await ended(waiting, client, (await client.computers.stop(name)).operation)
    return client.computers.ensureReady(name)
  })
}

export async function rename(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands, usage } = call
  const [, handle] = operands
  const displayName = values['name'] as string | undefined
  if (handle === undefined && displayName === undefined)
    throw new UsageError(`The command is "${program.name} ${usage}", or --name <name>`)
  const changes = { ...(handle === undefined ? {} : { handle }), ...(displayName === undefined ? {} : { displayName }) }
  const computer = await client.computers.rename(await chosenOne(call, client), changes)
  const { handle: now, display_name: name } = computer
  await program.stdout.line(
    values.json ? JSON.stringify({ computer }) : `It is ${now}${name === now ? '' : ` (${printable(name)})`} now`,
  )
}

export async function remove(call: ActionCall, client: Carrel): Promise<void> {
  const names = await chosen(call, client)
  // All are found before one is deleted.
  const found = await Promise.all(names.map((name) => client.computers.get(name)))
  const handles = found.map(({ handle }) => handle)
  await confirm(call, `Delete ${handles.join(', ')} with all files?`)
  const operands = [...new Set(found.map(({ id }) => id))]
  await each({ ...call, operands }, client, (id) => client.computers.delete(id), 'deleted')
}

/** Begins something on each chosen computer, waits, and says what each one is then. */
async function each(
  call: ActionCall,
  client: Carrel,
  begin: (name: string) => Promise<BegunOnComputer>,
  done?: string,
): Promise<void> {
  const { program, values } = call
  const computers: Computer[] = []
  for (const name of await chosen(call, client)) {
    const computer = await settled(call, client, await begin(name))
    computers.push(computer)
    const state = values['no-wait'] ? computer.state : (done ?? computer.state)
    if (!values.json) await program.stdout.line(`${computer.handle} is ${state}`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ computers }))
}

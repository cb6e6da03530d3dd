import type { Carrel, Snapshot } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { UsageError } from '../usage-error.ts'
import type { ActionCall } from './action.ts'
import { chosenOne } from './choose.ts'
import { requireYes } from './confirm.ts'
import { reportNew } from './lifecycle.ts'
import { sizeOf } from './size-options.ts'
import { pickSnapshot, snapshotText } from './snapshots.ts'
import { ended, settled } from './wait.ts'

/** Makes a computer of a snapshot; in place, the snapshot's files replace those of a computer. */
export async function restore(call: ActionCall, client: Carrel): Promise<void> {
  const { values, operands } = call
  const [id, handle] = operands
  const size = sizeOf(values)
  const snapshot = id === undefined ? await pickSnapshot(call, client) : await client.computers.snapshots.get(id)
  if (values['in-place']) return restoreInPlace(call, client, snapshot)
  const displayName = values['name'] as string | undefined
  const begun = await client.computers.snapshots.restore(snapshot.id, { handle, displayName, ...size })
  const computer = await settled(call, client, begun)
  await reportNew(call, [computer], { computer })
}

async function restoreInPlace(call: ActionCall, client: Carrel, snapshot: Snapshot): Promise<void> {
  const { program, values, operands } = call
  const other = ['name', 'size', 'memory', 'storage'].find((option) => values[option] !== undefined)
  if (other !== undefined) throw new UsageError(`Cannot use --${other} together with --in-place`)
  const { id, handle } = await client.computers.get(operands[1] ?? snapshot.computer_id)
  await requireYes(
    call,
    `Replace all files of ${handle} by those of ${snapshotText(snapshot)}? What is in no snapshot is lost.`,
  )
  const computer = await settled(call, client, await client.computers.restoreInPlace(id, snapshot.id))
  await program.stdout.line(
    values.json ? JSON.stringify({ computer }) : `${handle} has the files of ${snapshot.id}, and is ${computer.state}`,
  )
}

/** Makes copies of a computer as it is now. */
export async function fork(call: ActionCall, client: Carrel): Promise<void> {
  const { values, operands } = call
  const count = parseCount(values['count'] as string | undefined, 'the number of copies')
  const displayName = values['name'] as string | undefined
  const size = sizeOf(values)
  const name = await chosenOne(call, client)
  const begun = await client.computers.fork(name, { count, handle: operands[1], displayName, ...size })
  await ended(call, client, begun.operation)
  const copies = begun.computers.toSorted((a, b) => a.handle.localeCompare(b.handle, 'en', { numeric: true }))
  const computers = values['no-wait'] ? copies : await Promise.all(copies.map(({ id }) => client.computers.get(id)))
  await reportNew(call, computers, { computers })
}

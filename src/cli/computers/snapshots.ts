import type { Carrel, Snapshot } from '../../../sdk/index.ts'
import { shortSize } from '../sizes.ts'
import type { ActionCall } from './action.ts'
import { chosenOne, listWidth, pick } from './choose.ts'
import { confirm } from './confirm.ts'
import { snapshotTable } from './snapshot-table.ts'
import { ended } from './wait.ts'

/** Lists the snapshots of a computer; without one all of the workspace, also those of deleted computers. */
export async function listSnapshots({ program, values, operands }: ActionCall, client: Carrel): Promise<void> {
  const snapshots = await client.computers.snapshots.list(operands[0])
  if (values.json) return program.stdout.line(JSON.stringify({ snapshots }))
  if (snapshots.length > 0)
    return program.stdout.write(snapshotTable(snapshots, values['long'] === true, program.stdout.width))
  await program.stderr.line(`There is no snapshot yet: "${program.name} computers snapshots create" takes one.`)
}

export async function createSnapshot(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const begun = await client.computers.snapshots.create(await chosenOne(call, client))
  await ended(call, client, begun.operation)
  const { id } = begun.snapshot
  const snapshot = values['no-wait'] ? begun.snapshot : await client.computers.snapshots.get(id)
  if (values.json) return program.stdout.line(JSON.stringify({ snapshot }))
  // Scripts get the id alone.
  if (!program.stdout.isTerminal) return program.stdout.line(id)
  const { state, size_bytes: bytes } = snapshot
  await program.stdout.line(
    `${id} is ${state}${bytes === null ? '' : `, ${shortSize(bytes)}`}\n"${program.name} computers restore ${id}" makes a computer of it.`,
  )
}

export async function removeSnapshots(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const { snapshots } = client.computers
  // All are found before one is deleted.
  const found =
    operands.length > 0
      ? await Promise.all([...new Set(operands)].map((id) => snapshots.get(id)))
      : [await pickSnapshot(call, client)]
  await confirm(call, `Delete ${found.map(snapshotText).join(', ')}?`)
  const deleted: Snapshot[] = []
  for (const { id } of found) {
    const begun = await snapshots.delete(id)
    await ended(call, client, begun.operation)
    deleted.push(begun.snapshot)
    if (!values.json) await program.stdout.line(`${id} is ${values['no-wait'] ? begun.snapshot.state : 'deleted'}`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ snapshots: deleted }))
}

/** Returns the snapshot that a user chooses at a terminal. */
export function pickSnapshot(call: ActionCall, client: Carrel): Promise<Snapshot> {
  return pick(call, {
    what: 'snapshot',
    load: () => client.computers.snapshots.list(),
    table: (snapshots) => snapshotTable(snapshots, false, listWidth(call)),
    nameKind: 'an id',
    names: ({ id }) => [id],
    none: `There is no snapshot yet: "${call.program.name} computers snapshots create" takes one`,
  })
}

/** Returns a snapshot as a question names it. */
export function snapshotText({ id, computer_handle: handle }: Snapshot): string {
  return `snapshot ${id}${handle === null ? '' : ` of ${handle}`}`
}

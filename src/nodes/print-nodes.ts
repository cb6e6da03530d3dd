import { listNodes, type ListedNode } from '../engine/nodes/list-nodes.ts'
import { connectExisting } from '../start/connect-existing.ts'

/** Prints the nodes of the database. */
export async function printNodes({ asJson }: { asJson: boolean }): Promise<void> {
  await using open = new AsyncDisposableStack()
  const db = open.adopt(await connectExisting('list the nodes', { readOnly: true }), (each) => each.destroy())
  const nodes = await listNodes(db)
  process.stdout.write(asJson ? `${JSON.stringify({ nodes: nodes.map(factsOf) })}\n` : nodes.map(textOf).join(''))
}

function factsOf({ id, address, isServed, lease_until, computers, cpus, memory_bytes, disk_bytes }: ListedNode) {
  const capacity = { cpus, memoryBytes: memory_bytes, diskBytes: disk_bytes }
  return { nodeId: id, address, isServed, leaseUntil: new Date(lease_until).toISOString(), computers, capacity }
}

function textOf({ id, address, isServed, lease_until, computers, ...capacity }: ListedNode): string {
  const held = `${computers} ${computers === 1 ? 'computer' : 'computers'}`
  // A node of an earlier version, or of a copied database, which no server has claimed yet.
  if (lease_until === 0) return `${id}\n  never served; ${held}\n`
  const state = isServed ? 'served' : `not served since ${new Date(lease_until).toISOString()}`
  const { cpus, memory_bytes, disk_bytes } = capacity
  return [
    `${id}  ${address || 'no address'}`,
    `${state}; ${held}`,
    `${cpus} processors, ${gibibytes(memory_bytes)} of memory, ${gibibytes(disk_bytes)} of disk\n`,
  ].join('\n  ')
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

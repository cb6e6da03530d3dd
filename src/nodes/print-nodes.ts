import { listNodes, type ListedNode } from '../engine/nodes/list-nodes.ts'
import { openLedger } from '../ledger/open-ledger.ts'

/** Prints the nodes of the database. */
export async function printNodes({ asJson }: { asJson: boolean }): Promise<void> {
  await using ledger = openLedger('list the nodes', { readOnly: true })
  const nodes = await listNodes(ledger.db)
  process.stdout.write(asJson ? `${JSON.stringify({ nodes: nodes.map(factsOf) })}\n` : nodes.map(textOf).join(''))
}

function factsOf({ id, address, isServed, lease_until, computers, cpus, memory_bytes, disk_bytes }: ListedNode) {
  const capacity = { cpus, memoryBytes: memory_bytes, diskBytes: disk_bytes }
  return { nodeId: id, address, isServed, leaseUntil: new Date(lease_until).toISOString(), computers, capacity }
}

function textOf({ id, address, isServed, lease_until, computers, cpus, memory_bytes, disk_bytes }: ListedNode): string {
  const state = isServed ? 'served' : `not served since ${new Date(lease_until).toISOString()}`
  return [
    `${id}  ${address || 'no address yet'}`,
    `${state}; ${computers} ${computers === 1 ? 'computer' : 'computers'}`,
    `${cpus} processors, ${gibibytes(memory_bytes)} of memory, ${gibibytes(disk_bytes)} of disk\n`,
  ].join('\n  ')
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

import { removeNode } from '../engine/nodes/remove-node.ts'
import { openLedger } from '../ledger/open-ledger.ts'

/** Removes a node that is gone for good, and prints what was lost with it. */
export async function remove(nodeId: string, { asJson }: { asJson: boolean }): Promise<void> {
  await using ledger = openLedger('remove a node', { readOnly: false })
  const computers = await removeNode(ledger.db, nodeId)
  const text = `Removed. ${computers} ${computers === 1 ? 'computer is' : 'computers are'} recorded as lost.\n`
  process.stdout.write(asJson ? `${JSON.stringify({ nodeId, lostComputers: computers })}\n` : text)
}

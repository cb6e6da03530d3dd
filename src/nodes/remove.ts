import { removeNode } from '../engine/nodes/remove-node.ts'
import { connectExisting } from '../start/connect-existing.ts'

/** Removes a node that is gone for good, and prints what was lost with it. */
export async function remove(nodeId: string, { asJson }: { asJson: boolean }): Promise<void> {
  await using open = new AsyncDisposableStack()
  const db = open.adopt(await connectExisting('remove a node', { readOnly: false }), (each) => each.destroy())
  const computers = await removeNode(db, nodeId)
  const text = `Removed. ${computers} ${computers === 1 ? 'computer is' : 'computers are'} recorded as lost.\n`
  process.stdout.write(asJson ? `${JSON.stringify({ nodeId, lostComputers: computers })}\n` : text)
}

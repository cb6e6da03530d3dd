import type { Carrel, Workspace } from '../../../sdk/index.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { WorkspaceAccess } from '../workspaces/access.ts'
import type { ActionCall } from './action.ts'
import { chosenOne, pick } from './choose.ts'
import { requireYes } from './confirm.ts'

/** Gives a computer to another workspace of the user. */
export async function transfer(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values, operands } = call
  const { id, handle } = await client.computers.get(await chosenOne(call, client))
  const access = await WorkspaceAccess.open(program, values)
  const workspace = operands[1] === undefined ? await pickWorkspace(call, access) : access.find(operands[1])
  const name = printable(workspace.name)
  await requireYes(
    call,
    `Give ${handle} with its snapshots to ${name}? Its programs end, and so does all access to it.`,
  )
  const computer = await client.computers.transfer(id, workspace.workspace_id)
  await program.stdout.line(
    values.json ? JSON.stringify({ computer }) : `${computer.handle} belongs to ${name} now, and is ${computer.state}`,
  )
}

function pickWorkspace(call: ActionCall, access: WorkspaceAccess): Promise<Workspace> {
  const others = access.list.workspaces.filter(({ workspace_id: id }) => id !== access.usedId)
  return pick(call, {
    what: 'workspace',
    load: async () => others,
    table: (workspaces) =>
      table(
        [{ title: 'NAME' }, { title: 'ROLE' }, { title: 'ID' }],
        workspaces.map(({ name, role, workspace_id: id }) => [name, role, id]),
      ),
    nameKind: 'an id',
    names: ({ workspace_id: id }) => [id],
    none: `There is no other workspace: "${call.program.name} workspaces create" makes one`,
  })
}

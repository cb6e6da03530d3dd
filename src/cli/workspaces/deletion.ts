import { isatty } from 'node:tty'
import type { Workspace } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { printable } from '../printable.ts'
import { shortTime } from '../times.ts'
import { Declined, UsageError } from '../usage-error.ts'
import type { Call } from '../verb.ts'
import type { WorkspaceAccess } from './access.ts'

export async function deleteWorkspace(
  { program, values, operands: [, wanted] }: Call,
  access: WorkspaceAccess,
): Promise<void> {
  const workspace = access.find(wanted)
  if (workspace.personal)
    throw new UsageError(
      `Cannot delete "${workspace.name}": it is your own and is deleted with your account, by ${program.name} account delete`,
    )
  if (!values['yes']) await assertMeant(workspace)
  const answer = await access.client.workspaces.delete(workspace.workspace_id)
  await program.stdout.line(
    values.json
      ? JSON.stringify(answer)
      : `${printable(workspace.name)} is deleted at ${shortTime(answer.delete_at ?? '')}; until then everything in it works.\n"${program.name} workspaces cancel-deletion ${workspace.workspace_id}" keeps it.`,
  )
}

export async function cancelWorkspaceDeletion(
  { program, values, operands: [, wanted] }: Call,
  access: WorkspaceAccess,
): Promise<void> {
  const { workspace_id: id, name } = access.find(wanted)
  const answer = await access.client.workspaces.cancelDeletion(id)
  await program.stdout.line(values.json ? JSON.stringify(answer) : `${printable(name)} is kept.`)
}

/** Asks the user at a terminal for confirmation; elsewhere `--yes` is required. */
async function assertMeant({ name, members }: Workspace): Promise<void> {
  const what = `everything in it, for ${members === 1 ? 'you' : `its ${members} members`}`
  if (!isatty(0))
    throw new UsageError(
      `Cannot delete "${name}" without confirmation: it is deleted in 30 days with ${what}; confirm with workspaces delete --yes`,
    )
  const answer = await ask(`Delete ${printable(name)}? It is deleted in 30 days with ${what}. (yes/no) `)
  if (!/^y(es)?$/i.test(answer)) throw new Declined('Nothing was deleted')
}

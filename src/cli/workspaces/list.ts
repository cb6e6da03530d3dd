import { CarrelApiError } from '../../../sdk/index.ts'
import type { Workspace } from '../../../sdk/index.ts'
import { dollars } from '../dollars.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Call } from '../verb.ts'
import type { WorkspaceAccess } from './access.ts'

export async function listWorkspaces({ program, values }: Call, access: WorkspaceAccess): Promise<void> {
  const { usedId } = access
  const found = await Promise.all(
    access.list.workspaces.map(async (workspace) => ({
      ...workspace,
      in_use: workspace.workspace_id === usedId,
      balance: await balanceOf(access, workspace),
    })),
  )
  if (values.json) return program.stdout.line(JSON.stringify({ workspaces: found }))
  await program.stdout.write(table(columns, found.map(rowOf), program.stdout.width))
  if (found.some((workspace) => workspace.in_use)) return
  await program.stderr.line(`${program.name}: ${access.lost} "${program.name} workspaces use <name>" selects another`)
}

interface Found extends Workspace {
  in_use: boolean
  balance: number | string | null
}

const columns = [
  {},
  { title: 'NAME', shrinksTo: 10 },
  { title: 'ROLE' },
  { title: 'MEMBERS', align: 'right' as const, dropOrder: 1 },
  { title: 'BALANCE', align: 'right' as const, dropOrder: 3 },
  { title: 'ID' },
  { dropOrder: 2 },
]

function rowOf({ in_use, name, role, members, balance, workspace_id: id, delete_at: end }: Found): string[] {
  return [
    in_use ? '*' : '',
    name || '-',
    role,
    String(members),
    balance === null ? '-' : dollars(balance),
    id,
    end === undefined ? '' : `deleted at ${shortTime(end)}`,
  ]
}

/** Returns the balance; null if the user may not see it. */
async function balanceOf(access: WorkspaceAccess, workspace: Workspace): Promise<number | string | null> {
  try {
    return (await access.clientIn(workspace).balance()).creditsRemaining
  } catch (error) {
    if (error instanceof CarrelApiError && (error.status === 403 || error.status === 404)) return null
    throw error
  }
}

import { printable } from '../printable.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'
import { WorkspaceAccess } from '../workspaces/access.ts'
import { cancelWorkspaceDeletion, deleteWorkspace } from '../workspaces/deletion.ts'
import { listWorkspaces } from '../workspaces/list.ts'
import { invite, listMembers, remove, setRole, workspaceOf } from '../workspaces/members.ts'

interface Action {
  /** The arguments, as a usage message shows them. */
  takes: string[]
  run: (call: Call, access: WorkspaceAccess) => Promise<void>
}

const actions: Record<string, Action> = {
  list: { takes: [], run: listWorkspaces },
  create: { takes: ['<name>'], run: create },
  use: { takes: ['<name>'], run: use },
  members: { takes: [], run: listMembers },
  invite: { takes: ['<email>'], run: invite },
  remove: { takes: ['<email>'], run: remove },
  role: { takes: ['<email>', '<role>'], run: setRole },
  leave: { takes: [], run: leave },
  delete: { takes: ['<name>'], run: deleteWorkspace },
  'cancel-deletion': { takes: ['<name>'], run: cancelWorkspaceDeletion },
}

export const workspaces: Verb = {
  usage: 'workspaces [options] [what]',
  description: `
Lists your workspaces, with a * at the selected one, or does one of these:

  create <name>            creates one that you own, without credit
  use <name>               selects it for later commands with the saved token
  members                  lists members and invitations
  invite <email>           sends an invitation, as --role (default: member)
  remove <email>           removes a member, or revokes an invitation
  role <email> <role>      makes a user member, admin or owner
  leave                    leaves it, and revokes the API keys that you made there
  delete <name>            deletes it in 30 days with everything in it
  cancel-deletion <name>   keeps it

A workspace is given by its name or id. Its id after a token selects it too: <token>~<id>.`,
  examples: [
    ['workspaces create Research', 'for several users'],
    ['workspaces invite ada@example.com --role admin', 'invites a user'],
    ['workspaces use Research', 'works there from now on'],
  ],
  options: {
    role: { type: 'string', value: '<role>', help: 'Role of the invited user: member, admin or owner' },
    workspace: { type: 'string', value: '<name>', help: 'The workspace to act in (default: the selected one)' },
    yes: { type: 'boolean', help: 'Delete without asking' },
  },
  shared: ['timeout', 'json'],
  actions: Object.keys(actions),
  operands: [0, 3],
  async run(call) {
    const { program, values, operands } = call
    const [what = 'list', ...given] = operands
    const { takes, run } = actions[what]!
    if (given.length !== takes.length)
      throw new UsageError(`The command is "${[program.name, 'workspaces', what, ...takes].join(' ')}"`)
    await run(call, await WorkspaceAccess.open(program, values))
    return 0
  },
}

async function create({ program, values, operands: [, name = ''] }: Call, access: WorkspaceAccess): Promise<void> {
  const made = await access.client.workspaces.create(name)
  if (values.json) return program.stdout.line(JSON.stringify(made))
  // Scripts get the id alone: ID=$(carrel workspaces create research).
  if (!program.stdout.isTerminal) return program.stdout.line(made.workspace_id)
  await program.stdout.line(
    `Created ${printable(made.name)}, which has no credit yet.\n"${program.name} workspaces use ${made.workspace_id}" selects it.`,
  )
}

async function use({ program, values, operands: [, wanted] }: Call, access: WorkspaceAccess): Promise<void> {
  const workspace = access.find(wanted)
  await access.use(workspace)
  await program.stdout.line(
    values.json
      ? JSON.stringify({ in_use: workspace.workspace_id })
      : `${printable(workspace.name)} is selected: commands with the saved token use it, as ${workspace.role}`,
  )
}

async function leave({ program, values }: Call, access: WorkspaceAccess): Promise<void> {
  const workspace = workspaceOf(values, access)
  await access.client.workspaces.remove(workspace.workspace_id, 'me')
  const isLeftInUse = workspace.workspace_id === access.usedId && access.isSaved
  if (isLeftInUse) await access.use(access.own)
  if (values.json) return program.stdout.line(JSON.stringify({ left_workspace_id: workspace.workspace_id }))
  const next = isLeftInUse ? `; ${printable(access.own.name)} is selected now` : ''
  await program.stdout.line(`Left ${printable(workspace.name)}${next}`)
}

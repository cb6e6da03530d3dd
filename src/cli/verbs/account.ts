import type { Carrel, Deletion } from '../../../sdk/index.ts'
import { openClient } from '../open-client.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

const actions: Record<string, (client: Carrel) => Promise<Deletion>> = {
  delete: (client) => client.deleteAccount(),
  'cancel-deletion': (client) => client.cancelDeletion(),
}

export const account: Verb = {
  usage: 'account [options] delete | cancel-deletion',
  description: `
"delete" schedules the deletion of your account: computers, files, memory, keys and everything else are deleted 30 days
later. Until then everything works as before, and "cancel-deletion" keeps the account.`,
  examples: [
    ['account delete --yes', 'in 30 days'],
    ['account cancel-deletion', 'keeps the account'],
  ],
  options: { yes: { type: 'boolean', help: 'Confirm the deletion; required' } },
  shared: ['timeout', 'json'],
  actions: Object.keys(actions),
  operands: [1, 1],
  async run({ program, values, operands: [name = ''] }) {
    if (name === 'delete' && !values['yes'])
      throw new UsageError(
        'Cannot delete the account without confirmation: its data are deleted in 30 days; confirm with account delete --yes',
      )
    const answer = await actions[name]!(await openClient(program, values))
    await program.stdout.line(values.json ? JSON.stringify(answer) : answer.message)
    return 0
  },
}

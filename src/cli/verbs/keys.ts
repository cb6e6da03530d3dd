import type { ApiKey, Carrel, NewApiKey } from '../../../sdk/index.ts'
import { parseDuration } from '../duration.ts'
import { keyIdOf } from '../key-id-of.ts'
import { openClient } from '../open-client.ts'
import { printable } from '../printable.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import { UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

export const keys: Verb = {
  usage: 'keys [options] [list | create <name> | revoke <key>]',
  description: `
Lists the API keys of the workspace, creates one, or revokes one by its id or name. The secret of a new key is shown
once.`,
  examples: [
    ['keys', 'the API keys'],
    ['keys create ci --scope compute --expires 30d', 'a key for programs'],
    ['keys revoke ci', 'ends it'],
  ],
  options: {
    scope: {
      type: 'string',
      multiple: true,
      value: '<what>',
      help: 'Scope of a new key: compute, account; repeatable',
    },
    expires: {
      type: 'string',
      value: '<time>',
      help: 'When a new key expires, such as 12h, 30d or 1y (default: never)',
    },
  },
  shared: ['timeout', 'json'],
  actions: ['list', 'create', 'revoke'],
  operands: [0, 2],
  async run(call) {
    const { program, values, operands } = call
    const [what = 'list', operand] = operands
    if (what === 'revoke' && operand === undefined) throw new UsageError('The key is missing: keys revoke <key>')
    return actions[what]!(call, await openClient(program, values))
  },
}

type Action = (call: Call, client: Carrel) => Promise<number>

const actions: Record<string, Action> = { list, create, revoke }

async function list({ program, values }: Call, client: Carrel): Promise<number> {
  const found = await client.keys.list()
  if (values.json) await program.stdout.line(JSON.stringify({ keys: found }))
  else if (found.length === 0)
    await program.stdout.line(`There are no keys: "${program.name} keys create <name>" creates one.`)
  else await program.stdout.write(table(columns, found.map(rowOf), program.stdout.width))
  return 0
}

const columns = [
  { title: 'NAME', shrinksTo: 10 },
  { title: 'KEY' },
  { title: 'FOR', dropOrder: 2 },
  { title: 'LAST USED', dropOrder: 3 },
  { title: 'EXPIRES', dropOrder: 4 },
  { title: 'CREATED', dropOrder: 1 },
]

function rowOf({ name, key_id, scopes, last_used_at, expires_at, created_at }: ApiKey): string[] {
  const time = (at: string | null, otherwise: string) => (at === null ? otherwise : shortTime(at))
  return [
    name || '-',
    key_id,
    scopes?.join(', ') ?? 'everything',
    time(last_used_at, 'never'),
    time(expires_at, 'never'),
    shortTime(created_at),
  ]
}

async function create({ program, values, operands: [, name] }: Call, client: Carrel): Promise<number> {
  const scopes = values['scope'] as string[] | undefined
  const made = await client.keys.create({
    name,
    scopes,
    expiresInS: parseDuration(values['expires'] as string | undefined, 'the lifetime of a key'),
  })
  if (values.json) await program.stdout.line(JSON.stringify(made))
  else if (program.stdout.isTerminal) await program.stdout.write(describe(made, program.name))
  // Scripts get the key alone: KEY=$(carrel keys create ci).
  else await program.stdout.line(made.api_key)
  return 0
}

function describe({ api_key: secret, name, scopes, expires_at: end }: NewApiKey, program: string): string {
  const use = `export CARREL_TOKEN=${secret}`
  const about = [
    ['Key', secret],
    ['Name', name || '-'],
    ['For', scopes?.join(', ') ?? 'everything'],
    ['Expires', end === null ? 'never' : shortTime(end)],
  ]
  return `${table([{}, {}], about)}\nThe key is shown only once. To use it: ${use}\n"${program} keys revoke" revokes it.\n`
}

async function revoke({ program, values, operands: [, wanted = ''] }: Call, client: Carrel): Promise<number> {
  const keyId = await keyIdOf(client, wanted)
  await client.keys.revoke(keyId)
  await program.stdout.line(
    values.json ? JSON.stringify({ revoked_key_id: keyId }) : `Revoked ${printable(wanted)}: it is refused from now on`,
  )
  return 0
}

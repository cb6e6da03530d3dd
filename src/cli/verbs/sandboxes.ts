import { isatty } from 'node:tty'
import type { Carrel, Sandbox } from '../../../sdk/index.ts'
import { ask } from '../ask.ts'
import { clientOf } from '../open-client.ts'
import { printable } from '../printable.ts'
import { defaultTitle } from '../sandbox-title.ts'
import { sandboxTable } from '../sandbox-table.ts'
import { readSettings } from '../settings.ts'
import { Declined, UsageError } from '../usage-error.ts'
import type { Call, Verb } from '../verb.ts'

const actions: Record<string, (call: Call, client: Carrel, chosen: string) => Promise<void>> = {
  ls: list,
  stop,
  rm: remove,
}

export const sandboxes: Verb = {
  usage: 'sandboxes [options] [what] [name]...',
  description: `
Lists your sandboxes, with a * at the one that commands use, or does one of these:

  ls             lists them
  stop <name>    ends the programs in a sandbox, and deletes its files
  rm <name>      deletes a sandbox with its files and preview addresses

A stopped sandbox keeps its name, its preview addresses and the output of its processes; the next command starts it with
fresh files. Memory files ("mem:ls") outlive every sandbox. Ports in brackets have no preview address. "default" means
the default sandbox, unless another one has that name: the default sandbox is then '${defaultTitle}' alone.`,
  examples: [
    ['sandboxes', 'which ones there are, and what runs in them'],
    ['sandboxes rm --yes build', 'delete "build" without a question'],
  ],
  options: { yes: { type: 'boolean', short: 'y', help: 'Do not ask; without a terminal nothing is asked anyway' } },
  shared: ['json', 'timeout'],
  actions: Object.keys(actions),
  operands: [0, Infinity],
  async run(call) {
    const [what = 'ls', ...names] = call.operands
    const takesNames = what !== 'ls'
    if (takesNames !== names.length > 0)
      throw new UsageError(`The command is "${call.program.name} sandboxes ${what}${takesNames ? ' <name>' : ''}"`)
    const settings = await readSettings(call.program, call.values)
    const client = clientOf(call.program, call.values, settings)
    await actions[what]!(call, client, settings.sandbox?.name ?? '')
    return 0
  },
}

async function list({ program, values }: Call, client: Carrel, chosen: string): Promise<void> {
  const found = await client.sandboxes.list()
  if (values.json) return program.stdout.line(JSON.stringify({ sandboxes: found }))
  if (found.length > 0) return program.stdout.write(sandboxTable(found, chosen, program.stdout.width))
  await program.stderr.line('There is no sandbox yet: the first command in one creates it.')
}

async function stop(call: Call, client: Carrel): Promise<void> {
  const { program, values } = call
  const found = await find(call, client)
  await assertMeant(call, `Stop ${titles(found)}? The programs end and the files are deleted.`)
  for (const { sandbox_id: id, name } of found) {
    await client.sandboxes.stop(id)
    if (!values.json) await program.stdout.line(`Stopped ${title(name)}; its files are deleted`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ stopped: found.map(({ name }) => name) }))
}

async function remove(call: Call, client: Carrel): Promise<void> {
  const { program, values } = call
  const found = await find(call, client)
  await assertMeant(call, `Delete ${titles(found)} with all files?`)
  for (const { sandbox_id: id, name } of found) {
    await client.sandboxes.delete(id)
    if (!values.json) await program.stdout.line(`Deleted ${title(name)}`)
  }
  if (values.json) await program.stdout.line(JSON.stringify({ deleted: found.map(({ name }) => name) }))
}

/** Returns the sandboxes of all given names, before anything is done with one. */
async function find({ program, operands: [, ...names] }: Call, client: Carrel): Promise<Sandbox[]> {
  const found: Sandbox[] = []
  for (const name of new Set(names)) {
    const own =
      (await client.sandboxes.find(name)) ??
      (name === 'default' || name === defaultTitle ? await client.sandboxes.find('') : undefined)
    if (!own) throw new Error(`Cannot find sandbox "${name}": "${program.name} sandboxes" lists yours`)
    found.push(own)
  }
  return found
}

/** Asks a user at a terminal. */
async function assertMeant({ values }: Call, question: string): Promise<void> {
  if (values['yes'] || !isatty(0)) return
  if (!/^y(es)?$/i.test(await ask(`${question} (yes/no) `))) throw new Declined('Nothing was done')
}

function titles(found: Sandbox[]): string {
  return found.map(({ name }) => title(name)).join(', ')
}

function title(name: string): string {
  return name === '' ? 'the default sandbox' : `"${printable(name)}"`
}

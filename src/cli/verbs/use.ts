import { configPaths, forgetSandbox, saveConfigFile, shortPath } from '../config-file.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'
import { defaultTitle, sandboxTitle } from '../sandbox-title.ts'
import { readSettings } from '../settings.ts'
import type { Settings } from '../settings.ts'
import { UsageError } from '../usage-error.ts'
import type { Verb } from '../verb.ts'

/** What stands for the sandbox without a name. */
const defaultNames = new Set(['-', 'default', defaultTitle])
const maxNameLength = 128

export const use: Verb = {
  usage: 'use [options] [sandbox]',
  description: `
Chooses the sandbox of later commands on this server, and remembers it. Without a name it shows which one is in use. The
sandbox need not exist: the first command creates it.

--session and CARREL_SESSION take precedence. "default", "-" or --unset returns to the default sandbox.`,
  examples: [
    ['use build', 'later commands work in the sandbox "build"'],
    ['use default', 'they work in the default sandbox again'],
  ],
  options: { unset: { type: 'boolean', help: 'Return to the default sandbox' } },
  shared: ['json'],
  operands: [0, 1],
  async run({ program, values, operands: [name] }) {
    if (values['unset'] && name !== undefined) throw new UsageError('Cannot use "--unset" together with a name')
    const isDefault = values['unset'] === true || defaultNames.has(name ?? '')
    if (isDefault) await forget(program)
    else if (name !== undefined) await choose(program, name, await readSettings(program, { ...values, token: 'none' }))
    const { sandbox } = await readSettings(program, { ...values, token: 'none' })
    const answer = { session: sandbox?.name ?? null, source: sandbox?.source ?? null }
    await program.stdout.line(values.json ? JSON.stringify(answer) : `Sandbox: ${printable(sandboxTitle(sandbox))}`)
    const wanted = isDefault ? null : name
    if (wanted !== undefined && answer.session !== wanted)
      await program.stderr.line(
        `${program.name}: ${answer.source} takes precedence over ${wanted === null ? 'the default sandbox' : `"${wanted}"`}`,
      )
    return 0
  },
}

async function choose(program: Program, name: string, { url }: Settings): Promise<void> {
  if (name === '' || name.length > maxNameLength || printable(name) !== name)
    throw new UsageError(
      `Cannot use "${printable(name)}" as a sandbox: a name has 1 to ${maxNameLength} printable characters`,
    )
  await saveConfigFile(configPaths(program)[0], { session: name, sessionUrl: url })
}

/** Forgets the choice in both files, as either of them counts. */
async function forget(program: Program): Promise<void> {
  for (const path of configPaths(program)) {
    const name = await forgetSandbox(path)
    if (name !== undefined)
      await program.stderr.line(`${program.name}: "${printable(name)}" is removed from ${shortPath(path)}`)
  }
}

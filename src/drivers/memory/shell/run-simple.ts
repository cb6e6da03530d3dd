import { findProgram, spawnProgram } from '../programs/find-program.ts'
import { exitStatus } from '../tasks/task.ts'
import { builtins } from './builtins.ts'
import { expandText, expandWords } from './expand.ts'
import { redirect } from './redirect.ts'
import type { Shell } from './shell.ts'
import type { Command } from './syntax.ts'

/** Runs a simple command: assignments, a builtin, a function or a program, with its redirections. */
export async function runSimple(shell: Shell, command: Command & { type: 'simple' }): Promise<void> {
  const [name, ...rest] = await expandWords(shell, command.words)
  const assignments: [string, string][] = []
  for (const assignment of command.assignments)
    assignments.push([assignment.name, await expandText(shell, assignment.value)])
  if (name === undefined) {
    for (const [variable, value] of assignments) shell.set(variable, value)
    // The status of a command substitution in a value is the status of the whole command.
    if (!command.assignments.some(({ value }) => value.some(({ type }) => type === 'command'))) shell.status = 0
  }
  const redirected = await redirect(shell, command.redirections)
  if (!redirected) return
  // Redirections of `exec` are permanent.
  const isPermanent = name === 'exec'
  try {
    if (name === undefined) return
    const body = shell.functions.get(name)
    const builtin = builtins[name]
    if (body) await withVariables(shell, assignments, () => shell.call(body, rest))
    else if (builtin)
      await withVariables(shell, assignments, async () => {
        shell.status = await builtin(shell, rest, name)
      })
    else shell.status = await runProgram(shell, [name, ...rest], assignments)
  } finally {
    if (isPermanent) redirected.keep()
    else redirected.restore()
  }
}

async function withVariables(shell: Shell, assignments: [string, string][], work: () => Promise<void>): Promise<void> {
  const before = assignments.map(([name]) => [name, shell.get(name)] as const)
  for (const [name, value] of assignments) shell.set(name, value)
  await work()
  for (const [name, value] of before) {
    if (value === undefined) shell.unset(name)
    else shell.set(name, value)
  }
}

async function runProgram(shell: Shell, argv: string[], assignments: [string, string][]): Promise<number> {
  const { task } = shell
  const found = findProgram(task, argv, shell.get('PATH') ?? '')
  if (!found.program) {
    await task.print(`${shell.name}: line 1: ${argv[0]}: ${found.why}\n`, 2)
    return found.status
  }
  const env = new Map([...task.env, ...assignments])
  const child = spawnProgram(task, found, env)
  return exitStatus(await task.waitFor(child.ended))
}

import { exitStatus, type Task } from '../tasks/task.ts'
import { Pipe } from '../tasks/pipe.ts'
import { calculate, expandPattern, expandText, expandWords } from './expand.ts'
import { ExitControl, LoopControl, ReturnControl } from './control.ts'
import { matchesPattern } from './patterns.ts'
import { redirect } from './redirect.ts'
import { runSimple } from './run-simple.ts'
import type { Shell } from './shell.ts'
import type { Command, Item, List, Pipeline } from './syntax.ts'

export async function runList(shell: Shell, list: List): Promise<void> {
  for (const item of list) {
    if (item.background) runInBackground(shell, item)
    else await runItem(shell, item)
  }
}

function runInBackground(shell: Shell, item: Item): void {
  shell.lastBackground = shell.fork([{ ...item, background: false }])
  shell.status = 0
}

async function runItem(shell: Shell, { pipelines }: Item): Promise<void> {
  for (const [index, { operator, pipeline }] of pipelines.entries()) {
    if (operator && (operator === '&&') !== (shell.status === 0)) continue
    await runPipeline(shell, pipeline)
    const mayFail = pipeline.negated || index < pipelines.length - 1
    if (shell.exitsOnError && shell.status !== 0 && !mayFail) throw new ExitControl(shell.status)
  }
}

async function runPipeline(shell: Shell, { commands, negated }: Pipeline): Promise<void> {
  if (commands.length === 1) await runCommand(shell, commands[0]!)
  else shell.status = await runPiped(shell, commands)
  if (negated) shell.status = Number(shell.status === 0)
}

/** Runs each command in its own subshell. Returns the status of the last one. */
async function runPiped(shell: Shell, commands: Command[]): Promise<number> {
  const tasks: Task[] = []
  let input = shell.task.descriptors.get(0)
  for (const [index, command] of commands.entries()) {
    const pipe = index < commands.length - 1 ? new Pipe() : undefined
    const descriptors = new Map(shell.task.descriptors)
    if (input) descriptors.set(0, input)
    if (pipe) descriptors.set(1, pipe.writer)
    // Retained until the next command has it: a reader that does not exist yet must not count as one that is gone.
    pipe?.reader.retain()
    const list = [
      { background: false, pipelines: [{ operator: undefined, pipeline: { negated: false, commands: [command] } }] },
    ]
    tasks.push(shell.fork(list, descriptors))
    if (index > 0) input?.release()
    input = pipe?.reader
  }
  let status = 0
  for (const task of tasks) status = exitStatus(await shell.task.waitFor(task.ended))
  await shell.runTraps()
  return status
}

async function runCommand(shell: Shell, command: Command): Promise<void> {
  await shell.task.step()
  if (command.type === 'simple') {
    await runSimple(shell, command)
    return shell.runTraps()
  }
  const redirected = await redirect(shell, command.redirections)
  if (!redirected) return
  try {
    await runCompound(shell, command)
  } finally {
    redirected.restore()
  }
}

async function runCompound(shell: Shell, command: Exclude<Command, { type: 'simple' }>): Promise<void> {
  switch (command.type) {
    case 'group':
      return runList(shell, command.body)
    case 'subshell':
      shell.status = exitStatus(await shell.task.waitFor(shell.fork(command.body).ended))
      return shell.runTraps()
    case 'arithmetic':
      shell.status = Number((await calculate(shell, command.expression)) === '0')
      return
    case 'function':
      shell.functions.set(command.name, command.body)
      shell.status = 0
      return
    case 'if':
      return runIf(shell, command)
    case 'case':
      return runCase(shell, command)
    case 'for':
      return runFor(shell, command)
    case 'while':
      return runWhile(shell, command)
  }
}

async function runIf(shell: Shell, command: Command & { type: 'if' }): Promise<void> {
  for (const { condition, body } of command.branches) {
    if (await isTrue(shell, condition)) return runList(shell, body)
  }
  shell.status = 0
  if (command.otherwise) await runList(shell, command.otherwise)
}

async function runCase(shell: Shell, command: Command & { type: 'case' }): Promise<void> {
  const text = await expandText(shell, command.word)
  shell.status = 0
  for (const { patterns, body } of command.branches)
    for (const pattern of patterns)
      if (matchesPattern(text, await expandPattern(shell, pattern))) return runList(shell, body)
}

async function runFor(shell: Shell, command: Command & { type: 'for' }): Promise<void> {
  const values = command.words ? await expandWords(shell, command.words) : shell.positional
  shell.status = 0
  for (const value of values) {
    shell.set(command.name, value)
    if (!(await runLoopBody(shell, command.body))) return
  }
}

async function runWhile(shell: Shell, command: Command & { type: 'while' }): Promise<void> {
  let status = 0
  while ((await isTrue(shell, command.condition)) !== command.until) {
    if (!(await runLoopBody(shell, command.body))) return
    ;({ status } = shell)
  }
  shell.status = status
}

/** Runs a condition, whose failure does not end the shell. */
async function isTrue(shell: Shell, condition: List): Promise<boolean> {
  const { exitsOnError } = shell
  shell.exitsOnError = false
  await runList(shell, condition)
  shell.exitsOnError = exitsOnError
  return shell.status === 0
}

/** Runs the body of a loop once. Returns false when the loop ends. */
async function runLoopBody(shell: Shell, body: List): Promise<boolean> {
  try {
    await runList(shell, body)
  } catch (error) {
    if (!(error instanceof LoopControl)) throw error
    if (--error.levels > 0) throw error
    return error.kind === 'continue'
  }
  return true
}

/** Runs a function's body with its own positional parameters. */
export async function runFunction(shell: Shell, body: Command, positional: string[]): Promise<void> {
  const before = shell.positional
  shell.positional = positional
  try {
    await runCommand(shell, body)
  } catch (error) {
    if (!(error instanceof ReturnControl)) throw error
    shell.status = error.status
  } finally {
    shell.positional = before
  }
}

import { FileSystemError } from '../file-system/file-system-error.ts'
import { echo } from '../programs/echo.ts'
import { printf } from '../programs/printf.ts'
import { test } from '../programs/test.ts'
import { kill } from '../programs/kill.ts'
import { findProgram, startInPlace } from '../programs/find-program.ts'
import { parseSignal } from '../tasks/signals.ts'
import { exitStatus } from '../tasks/task.ts'
import { evaluate } from './arithmetic.ts'
import { ExitControl, LoopControl, ReturnControl } from './control.ts'
import { readLine } from './read-line.ts'
import type { Shell } from './shell.ts'
import type { Command } from './syntax.ts'

type Builtin = (shell: Shell, words: string[], name: string) => Promise<number> | number

/** Commands that the shell runs itself. Each returns its status. */
export const builtins: Record<string, Builtin> = {
  ':': () => 0,
  true: () => 0,
  false: () => 1,
  echo: (shell, words) => echo(shell.task, words),
  printf: (shell, words) => printf(shell.task, words),
  test: (shell, words) => test(shell.task, words),
  '[': (shell, words) => test(shell.task, words.slice(0, -1)),
  kill: (shell, words) => kill(shell.task, words),
  let: (shell, words) => Number(words.map((word) => evaluate(word, shell)).at(-1) === 0),
  exit: (shell, [status]) => {
    throw new ExitControl(status === undefined ? shell.status : Number(status) & 255)
  },
  return: (shell, [status]) => {
    throw new ReturnControl(status === undefined ? shell.status : Number(status) & 255)
  },
  break: (_, [levels = '1']) => {
    throw new LoopControl('break', Number(levels))
  },
  continue: (_, [levels = '1']) => {
    throw new LoopControl('continue', Number(levels))
  },
  pwd: async (shell) => {
    await shell.task.print(`${shell.task.cwd}\n`)
    return 0
  },
  cd: changeDirectory,
  eval: async (shell, words) => {
    await shell.runSource(words.join(' '))
    return shell.status
  },
  set: (shell, words) => {
    for (const word of words) if (/^[-+][a-z]*e/.test(word)) shell.exitsOnError = word.startsWith('-')
    const at = words.indexOf('--')
    if (at !== -1) shell.positional = words.slice(at + 1)
    return 0
  },
  shift: (shell, [count = '1']) => {
    shell.positional = shell.positional.slice(Number(count))
    return 0
  },
  export: (shell, words) => {
    for (const word of words) {
      const [, name = '', value] = /^(\w+)(?:=(.*))?$/s.exec(word) ?? []
      shell.export(name, value)
    }
    return 0
  },
  local: (shell, words) => {
    for (const word of words) shell.set(word.split('=')[0]!, word.split('=').slice(1).join('='))
    return 0
  },
  unset: (shell, words) => {
    for (const name of words) shell.unset(name)
    return 0
  },
  read: readLine,
  trap: (shell, words) => {
    const [code = '', ...signals] = words.length === 1 ? ['-', ...words] : words
    for (const name of signals) {
      const signal = name === 'EXIT' || name === '0' ? 'EXIT' : parseSignal(name)
      if (signal) shell.trap(signal, code === '-' ? undefined : code)
    }
    return 0
  },
  wait: waitForTasks,
  exec: async (shell, words) => {
    if (words.length === 0) return 0
    const argv = words[0] === '-a' ? words.slice(2) : words
    const found = findProgram(shell.task, argv, shell.get('PATH') ?? '')
    if (!found.program) {
      await shell.task.print(`${shell.name}: line 1: exec: ${argv[0]}: ${found.why}\n`, 2)
      throw new ExitControl(found.status)
    }
    if (words[0] === '-a') found.argv = [words[1]!, ...found.argv.slice(1)]
    throw new ExitControl(await startInPlace(shell.task, found))
  },
  command: async (shell, words, name) => {
    if (words[0] !== '-v') return runWords(shell, words)
    const program = words[1] ?? ''
    const found = program in builtins || shell.functions.has(program) ? program : undefined
    const path = found ?? findProgram(shell.task, [program], shell.get('PATH') ?? '').path
    if (path !== undefined) await shell.task.print(`${path}\n`)
    return path === undefined ? 1 : Number(name === '')
  },
  type: (shell, words) => builtins.command!(shell, ['-v', ...words], 'type'),
  ulimit: () => 0,
  umask: () => 0,
}

async function runWords(shell: Shell, words: string[]): Promise<number> {
  const quoted = words.map((text) => [{ type: 'text' as const, text, quoted: true }])
  const command: Command = { type: 'simple', assignments: [], words: quoted, redirections: [] }
  const pipeline = { negated: false, commands: [command] }
  await shell.run([{ background: false, pipelines: [{ operator: undefined, pipeline }] }])
  return shell.status
}

async function changeDirectory(shell: Shell, [to]: string[]): Promise<number> {
  const { task } = shell
  const path = to === '-' ? shell.get('OLDPWD') : (to ?? shell.get('HOME'))
  try {
    const directory = task.machine.files.directory(task.path(path ?? '/'))
    shell.set('OLDPWD', task.cwd)
    task.cwd = directory.path
    return 0
  } catch (error) {
    if (!(error instanceof FileSystemError)) throw error
    await task.print(`${shell.name}: line 1: cd: ${to}: ${error.message}\n`, 2)
    return 1
  }
}

/** Waits for child tasks. A signal with a trap ends the wait. */
async function waitForTasks(shell: Shell, words: string[]): Promise<number> {
  const { task } = shell
  const children = [...task.machine.tasks.values()].filter(({ parentPid }) => parentPid === task.pid)
  const wanted = words.length > 0 ? words.map(Number) : children.map(({ pid }) => pid)
  let status = 0
  for (const pid of wanted) {
    const child =
      children.find((each) => each.pid === pid) ?? (shell.lastBackground?.pid === pid && shell.lastBackground)
    if (!child) status = 127
    else {
      const end = await task.waitFor(Promise.race([child.ended, shell.interrupted]))
      if (!end) return 128 + 15
      status = exitStatus(end)
    }
  }
  return words.length > 0 ? status : 0
}

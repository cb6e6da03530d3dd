import type { Program, Task } from '../tasks/task.ts'
import { Shell } from '../shell/shell.ts'
import { parseSignal } from '../tasks/signals.ts'
import { echo } from './echo.ts'
import { findProgram, spawnProgram, startInPlace } from './find-program.ts'
import { kill } from './kill.ts'
import { readOptions } from './options.ts'
import { printf } from './printf.ts'
import { test } from './test.ts'
import { exitStatus } from '../tasks/task.ts'

/** Shells, and programs about processes, users and the environment. */
export const processPrograms: Record<string, Program> = {
  sh: shell,
  bash: shell,
  true: () => 0,
  false: () => 1,
  echo: (task) => echo(task, task.argv.slice(1)),
  printf: (task) => printf(task, task.argv.slice(1)),
  test: (task) => test(task, task.argv.slice(1)),
  kill: (task) => kill(task, task.argv.slice(1)),
  sleep: async (task) => {
    const seconds = task.argv.slice(1).reduce((sum, word) => sum + secondsOf(word), 0)
    if (!(seconds >= 0)) return task.complain(`invalid time interval '${task.argv[1] ?? ''}'`)
    await task.sleep(seconds * 1000)
    return 0
  },
  pwd: async (task) => {
    await task.print(`${task.cwd}\n`)
    return 0
  },
  env,
  printenv: async (task) => {
    const value = task.env.get(task.argv[1] ?? '')
    if (value !== undefined) await task.print(`${value}\n`)
    return Number(value === undefined)
  },
  id: async (task) => {
    const { has } = readOptions(task.argv.slice(1))
    const { uid, gid, name, groups } = task.user
    if (has('G')) await task.print(`${[...new Set([gid, ...groups])].join(' ')}\n`)
    else if (has('u') || has('g')) await task.print(`${has('n') ? name : has('u') ? uid : gid}\n`)
    else await task.print(`uid=${uid}(${name}) gid=${gid}\n`)
    return 0
  },
  whoami: async (task) => {
    await task.print(`${task.user.name}\n`)
    return 0
  },
  hostname: async (task) => {
    await task.print(`${task.machine.hostname}\n`)
    return 0
  },
  date: async (task) => {
    const format = task.argv.find((word) => word.startsWith('+'))
    const now = Date.now()
    const text = format
      ?.replace('%s', String(Math.floor(now / 1000)))
      .replace('%N', String((now % 1000) * 1e6).padStart(9, '0'))
    await task.print(`${text?.slice(1) ?? new Date(now).toISOString()}\n`)
    return 0
  },
  pgrep: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1), 'u')
    const found = matching(task, rest[0] ?? '', { full: has('f'), exact: has('x') })
    if (has('c')) await task.print(`${found.length}\n`)
    else for (const each of found) await task.print(has('a') ? `${each.pid} ${each.argv.join(' ')}\n` : `${each.pid}\n`)
    return Number(found.length === 0)
  },
  pkill: (task) => {
    const signal = task.argv
      .slice(1)
      .map((word) => /^-[A-Z0-9]+$/.exec(word) && parseSignal(word.slice(1)))
      .find(Boolean)
    const { has, rest } = readOptions(
      task.argv.slice(1).filter((word) => !/^-[A-Z0-9]+$/.test(word)),
      'u',
    )
    const found = matching(task, rest[0] ?? '', { full: has('f'), exact: has('x') })
    for (const each of found) each.signal(signal || 'SIGTERM')
    return Number(found.length === 0)
  },
  ps: async (task) => {
    await task.print('PID COMMAND\n1 init\n')
    for (const each of task.machine.tasks.values()) await task.print(`${each.pid} ${each.argv.join(' ')}\n`)
    return 0
  },
  setsid: (task) => replaceBy(task, task.argv.slice(1)),
  nohup: (task) => {
    task.ignored.add('SIGHUP')
    return replaceBy(task, task.argv.slice(1))
  },
  timeout: async (task) => {
    const [seconds = '0', ...argv] = task.argv.slice(1)
    const found = findProgram(task, argv, task.env.get('PATH') ?? '')
    if (!found.program) return task.complain(`failed to run command '${argv[0]}'`)
    const child = spawnProgram(task, found, task.env)
    const timer = setTimeout(() => child.signal('SIGTERM'), secondsOf(seconds) * 1000)
    const end = await task.waitFor(child.ended).finally(() => clearTimeout(timer))
    return 'signal' in end && end.signal === 'SIGTERM' ? 124 : exitStatus(end)
  },
  basename: async (task) => {
    await task.print(`${task.argv[1]!.replace(/\/+$/, '').split('/').at(-1)}\n`)
    return 0
  },
  dirname: async (task) => {
    await task.print(`${task.argv[1]!.split('/').slice(0, -1).join('/') || '.'}\n`)
    return 0
  },
  uname: async (task) => {
    await task.print('Linux\n')
    return 0
  },
}

/** `sh [-c CODE] [name] [word...]`, a script by its path, or a script from stdin. */
async function shell(task: Task): Promise<number> {
  const words = task.argv.slice(1).filter((word) => !/^--?(norc|noprofile|login|l|i)$/.test(word))
  const options: string[] = []
  while (/^-[a-z]+$/.test(words[0] ?? '')) options.push(words.shift()!)
  const letters = options.join('')
  const code = letters.includes('c') ? words.shift() : undefined
  const [name = task.argv[0] ?? 'sh', ...positional] = words
  const own = new Shell(task, { name, positional })
  own.exitsOnError = letters.includes('e')
  if (code !== undefined) return own.runScript(code)
  if (words.length === 0) return own.runScript((await task.readAll()).toString('latin1'))
  const node = task.machine.files.lookUp(task.path(name))
  if (node?.kind === 'file') return own.runScript(node.bytes.toString('latin1'))
  await task.complain(`${name}: No such file or directory`)
  return 127
}

/** `env [-i] [-0] [NAME=VALUE...] [program...]` */
async function env(task: Task): Promise<number> {
  const words = task.argv.slice(1)
  let end = '\n'
  for (;;) {
    const word = words[0] ?? ''
    if (word === '-i') task.env.clear()
    else if (word === '-0') end = '\0'
    else if (/^\w+=/.test(word)) task.env.set(word.split('=')[0]!, word.slice(word.indexOf('=') + 1))
    else break
    words.shift()
  }
  if (words.length > 0) return replaceBy(task, words)
  for (const [name, value] of task.env) await task.print(`${name}=${value}${end}`)
  return 0
}

async function replaceBy(task: Task, argv: string[]): Promise<number> {
  const found = findProgram(task, argv, task.env.get('PATH') ?? '')
  if (found.program) return startInPlace(task, found)
  await task.complain(`'${argv[0]}': No such file or directory`)
  return found.status
}

function matching(task: Task, pattern: string, { full, exact }: { full: boolean; exact: boolean }): Task[] {
  const expression = new RegExp(exact ? `^(?:${pattern})$` : pattern)
  return [...task.machine.tasks.values()].filter((each) => {
    const name = full ? each.argv.join(' ') : (each.argv[0] ?? '').split('/').at(-1)!
    return each !== task && expression.test(name)
  })
}

function secondsOf(text: string): number {
  if (text === 'infinity') return Infinity
  const [, number, unit = 's'] = /^([\d.]+)([smhd]?)$/.exec(text) ?? []
  return Number(number) * { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[unit]!
}

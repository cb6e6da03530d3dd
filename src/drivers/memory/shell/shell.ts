import { Pipe } from '../tasks/pipe.ts'
import type { Signal } from '../tasks/signals.ts'
import { exitStatus, type Task } from '../tasks/task.ts'
import { ExitControl } from './control.ts'
import { parseScript } from './parse.ts'
import { runFunction, runList } from './run.ts'
import { SyntaxFault, type Command, type List } from './syntax.ts'

/** The state of a shell: variables, functions, traps, and the task that it runs as. */
export class Shell {
  readonly task: Task
  readonly functions: Map<string, Command>
  /** `$$`: in a subshell, too, the id of the main shell. */
  readonly pid: number
  /** The code of traps, by signal; `EXIT` among them. */
  readonly traps = new Map<Signal | 'EXIT', string>()
  readonly name: string
  positional: string[]
  status = 0
  lastBackground: Task | undefined
  /** `set -e` */
  exitsOnError = false
  readonly #variables: Map<string, string>
  readonly #caught: Signal[] = []
  #interrupted = Promise.withResolvers<void>()

  constructor(task: Task, options: { name: string; positional: string[]; parent?: Shell }) {
    const { parent } = options
    this.task = task
    this.name = options.name
    this.positional = options.positional
    this.pid = parent?.pid ?? task.pid
    this.functions = new Map(parent?.functions)
    this.#variables = new Map(parent ? parent.#variables : task.env)
    this.status = parent?.status ?? 0
    this.exitsOnError = parent?.exitsOnError ?? false
    task.handler = (signal) => this.#catch(signal)
  }

  /** Runs a script to its end. Returns its exit code. */
  async runScript(source: string): Promise<number> {
    try {
      await this.runSource(source)
    } catch (error) {
      if (!(error instanceof ExitControl)) throw error
      this.status = error.status
    }
    return this.exit()
  }

  run(list: List): Promise<void> {
    return runList(this, list)
  }

  /** Runs a function's body with its own positional parameters. */
  call(body: Command, positional: string[]): Promise<void> {
    return runFunction(this, body, positional)
  }

  /** Runs source as `eval` and `.` do: the shell continues after it. */
  async runSource(source: string): Promise<void> {
    try {
      await runList(this, parseScript(source))
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error
      await this.task.print(`${this.name}: ${error.message}\n`, 2)
      throw new ExitControl(2)
    }
  }

  /** Starts a subshell that runs commands, as a task of its own. */
  fork(body: List, descriptors = this.task.descriptors): Task {
    const { task } = this
    const options = { name: this.name, positional: [...this.positional], parent: this }
    return task.machine.spawn(
      {
        parentPid: task.pid,
        processId: task.processId,
        argv: task.argv,
        env: new Map(task.env),
        cwd: task.cwd,
        user: task.user,
        descriptors,
        ignored: task.ignored,
      },
      async (own) => {
        const copy = new Shell(own, options)
        try {
          await runList(copy, body)
        } catch (error) {
          if (!(error instanceof ExitControl)) throw error
          copy.status = error.status
        }
        return copy.exit()
      },
    )
  }

  async capture(body: List): Promise<string> {
    const pipe = new Pipe()
    const descriptors = new Map(this.task.descriptors).set(1, pipe.writer)
    const child = this.fork(body, descriptors)
    pipe.reader.retain()
    const chunks: Buffer[] = []
    for (;;) {
      const chunk = await this.task.waitFor(pipe.reader.read(64 * 1024))
      if (chunk.length === 0) break
      chunks.push(chunk)
    }
    pipe.reader.release()
    this.status = exitStatus(await this.task.waitFor(child.ended))
    return Buffer.concat(chunks).toString('latin1')
  }

  get(name: string): string | undefined {
    if (/^[1-9]\d*$/.test(name)) return this.positional[Number(name) - 1]
    return name in special ? special[name as keyof typeof special](this) : this.#variables.get(name)
  }

  set(name: string, value: string): void {
    this.#variables.set(name, value)
    if (this.task.env.has(name)) this.task.env.set(name, value)
  }

  export(name: string, value: string | undefined): void {
    if (value !== undefined) this.#variables.set(name, value)
    this.task.env.set(name, this.#variables.get(name) ?? '')
  }

  unset(name: string): void {
    this.#variables.delete(name)
    this.task.env.delete(name)
  }

  all(): [string, string][] {
    return [...this.#variables]
  }

  /** Sets a trap; `undefined` removes it. An empty one ignores the signal, also in tasks that are started from here. */
  trap(signal: Signal | 'EXIT', code: string | undefined): void {
    if (code === undefined) this.traps.delete(signal)
    else this.traps.set(signal, code)
    if (signal === 'EXIT') return
    if (code === '') this.task.ignored.add(signal)
    else this.task.ignored.delete(signal)
  }

  /** Runs the traps of signals that arrived since the last call; to be called between any two commands. */
  async runTraps(): Promise<void> {
    for (let signal = this.#caught.shift(); signal; signal = this.#caught.shift()) {
      const { status } = this
      await this.runSource(this.traps.get(signal) ?? '')
      this.status = status
    }
  }

  /** Resolves when a signal that has a trap arrives. */
  get interrupted(): Promise<void> {
    return this.#interrupted.promise
  }

  async fatal(why: string): Promise<never> {
    await this.task.print(`${this.name}: ${why}\n`, 2)
    throw new ExitControl(1)
  }

  /** Runs the EXIT trap, then returns the exit code. */
  async exit(): Promise<number> {
    const code = this.traps.get('EXIT')
    this.traps.delete('EXIT')
    if (!code) return this.status
    const { status } = this
    try {
      await this.runSource(code)
    } catch (error) {
      if (!(error instanceof ExitControl)) throw error
      return error.status
    }
    return status
  }

  #catch(signal: Signal): boolean {
    if (!this.traps.has(signal)) return false
    this.#caught.push(signal)
    this.#interrupted.resolve()
    this.#interrupted = Promise.withResolvers()
    return true
  }
}

const special = {
  '?': (shell: Shell) => String(shell.status),
  $: (shell: Shell) => String(shell.pid),
  '!': (shell: Shell) => (shell.lastBackground ? String(shell.lastBackground.pid) : ''),
  '#': (shell: Shell) => String(shell.positional.length),
  '@': (shell: Shell) => shell.positional.join(' '),
  '*': (shell: Shell) => shell.positional.join(' '),
  '0': (shell: Shell) => shell.name,
  '-': () => 'hB',
  PWD: (shell: Shell) => shell.task.cwd,
  BASHPID: (shell: Shell) => String(shell.task.pid),
}

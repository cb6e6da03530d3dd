import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import { run } from '../system/run.ts'

/** The OCI runtime of this host: crun where there is one, else runc, or the one that the operator names. */
export class Runtime {
  readonly program: string
  readonly #root: string

  constructor(program: string, root: string) {
    this.program = program
    this.#root = root
  }

  static find(setting: string | undefined, root: string): Runtime {
    const program = (setting ? [setting] : ['crun', 'runc']).map(findProgram).find((path) => path !== undefined)
    if (!program)
      throw new CarrelError(
        'unavailable',
        setting
          ? `Cannot start: CARREL_RUNTIME is "${setting}", and there is no such program; set it to an OCI runtime that is installed`
          : 'Cannot start: neither crun nor runc is installed; install one, or set CARREL_RUNTIME to another OCI runtime',
      )
    return new Runtime(program, root)
  }

  /** The argv that creates and starts a computer from a bundle. */
  runCommand(id: string, bundle: string, pidFile: string): string[] {
    return [this.program, '--root', this.#root, 'run', '--detach', '--bundle', bundle, '--pid-file', pidFile, id]
  }

  /** The beginning of the argv that runs a process in a computer. */
  get execCommand(): string[] {
    return [this.program, '--root', this.#root, 'exec']
  }

  /** Whether `exec` takes `--cgroup`, for a group below the computer's. */
  get takesExecGroups(): boolean {
    return ['crun', 'runc'].includes(basename(this.program))
  }

  /** Where it keeps the state of a computer that runs. */
  stateDirectory(id: string): string {
    return join(this.#root, id)
  }

  /**
   * Forgets the filters of system calls that a runtime keeps beside its state: it finds them again by a checksum that
   * leaves parts of the profile out.
   */
  async forgetFilters(): Promise<void> {
    await rm(join(this.#root, '.cache'), { recursive: true, force: true })
  }

  /** Kills what runs of it and removes its state. Deleting what is not there does nothing. */
  async delete(id: string): Promise<void> {
    if (!existsSync(join(this.#root, id))) return
    await run(this.program, ['--root', this.#root, 'delete', '--force', id])
  }

  /** Removes the state of a computer of which nothing runs, without a program for it. */
  async forget(id: string): Promise<void> {
    await rm(this.stateDirectory(id), { recursive: true, force: true })
  }

  async list(): Promise<string[]> {
    return (await readdir(this.#root).catch(() => [] as string[])).filter((name) => !name.startsWith('.'))
  }
}

export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return existsSync(name) ? name : undefined
  const directories = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/usr/bin',
    '/bin',
  ]
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

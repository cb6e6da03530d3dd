import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { CarrelError } from '../../../errors.ts'
import { run } from '../system/run.ts'

/** The OCI runtime of this host: the one that the operator names, otherwise crun, otherwise runc. */
export class Runtime {
  readonly program: string
  readonly #root: string

  constructor(program: string, root: string) {
    this.program = program
    this.#root = root
  }

  /** Throws `unavailable` when the runtime is not installed. */
  static find(setting: string | undefined, root: string): Runtime {
    const program = (setting ? [setting] : ['crun', 'runc']).map(findProgram).find((path) => path !== undefined)
    if (!program)
      throw new CarrelError(
        'unavailable',
        setting
          ? `Cannot start: CARREL_RUNTIME is "${setting}", which is not an installed program; set it to an installed OCI runtime`
          : 'Cannot start: neither crun nor runc is installed; install one, or set CARREL_RUNTIME to another OCI runtime',
      )
    return new Runtime(program, root)
  }

  /** Returns the argv that creates and starts a container from a bundle. */
  runCommand(id: string, bundle: string, pidFile: string): string[] {
    return [this.program, '--root', this.#root, 'run', '--detach', '--bundle', bundle, '--pid-file', pidFile, id]
  }

  /** The first part of the argv that runs a process in a container. */
  get execCommand(): string[] {
    return [this.program, '--root', this.#root, 'exec']
  }

  /** Whether `exec` supports `--cgroup`, for a group below the computer's. */
  get takesExecGroups(): boolean {
    return ['crun', 'runc'].includes(basename(this.program))
  }

  /** Returns the directory in which the runtime keeps the state of a running container. */
  stateDirectory(id: string): string {
    return join(this.#root, id)
  }

  /**
   * Deletes the compiled seccomp filters that a runtime caches next to its state, since the checksum of this cache does
   * not cover the whole profile.
   */
  async forgetFilters(): Promise<void> {
    await rm(join(this.#root, '.cache'), { recursive: true, force: true })
  }

  /** Kills a container's processes and removes its state. Does nothing when the container does not exist. */
  async delete(id: string): Promise<void> {
    if (!existsSync(join(this.#root, id))) return
    await run(this.program, ['--root', this.#root, 'delete', '--force', id])
  }

  /** Removes the state of a container without processes, without running the runtime. */
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

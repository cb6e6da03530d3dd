import type { TestContext } from 'node:test'
import type {
  ComputerLimits,
  ComputerSpec,
  Driver,
  ExecSpec,
  ImageInfo,
  OutputChunk,
  ProcessExit,
  ProcessHandle,
} from '../../src/drivers/driver.ts'
import { newId } from '../../src/engine/ids.ts'
import type { OtherHost } from './other-host.ts'

const MiB = 1024 * 1024

export const smallLimits: ComputerLimits = { cpus: 1, memoryBytes: 256 * MiB, diskBytes: 256 * MiB, pids: 256 }

export interface Ended {
  exit: ProcessExit
  stdout: string
  stderr: string
}

interface Parts {
  driver: Driver
  /** The image that the computers of the tests start from: it has Bash, Python and Node. */
  image: ImageInfo
  /** The folder of its recipe. */
  recipe: string
  /** Opens another host that has the same image. */
  openOther?: () => Promise<OtherHost>
}

/** A driver under test, with the helpers that its tests need. */
export class Subject {
  readonly driver: Driver
  readonly image: ImageInfo
  readonly recipe: string
  readonly #made = new Set<string>()
  readonly #openOther: Parts['openOther']
  #other: Promise<OtherHost> | undefined

  constructor({ driver, image, recipe, openOther }: Parts) {
    this.driver = driver
    this.image = image
    this.recipe = recipe
    this.#openOther = openOther
  }

  /** Returns the other host, which is opened once and closed with this one. */
  other(): Promise<OtherHost> {
    if (!this.#openOther) throw new Error('this subject has no other host')
    return (this.#other ??= this.#openOther())
  }

  /** Returns the description of a computer that does not exist yet; it is destroyed at the end. */
  specification(changes: Partial<ComputerSpec> = {}): ComputerSpec {
    const id = newId()
    this.#made.add(id)
    return { id, source: { image: this.image.id }, hostname: `h-${id.slice(0, 8)}`, limits: smallLimits, ...changes }
  }

  /** Starts a computer that runs until the end of test `t`; without `t`, until the end of the driver's tests. */
  async computer(t?: TestContext, changes: Partial<ComputerSpec> = {}): Promise<string> {
    const spec = this.specification(changes)
    t?.after(() => this.driver.destroy(spec.id))
    await this.driver.create(spec)
    await this.driver.start(spec.id)
    return spec.id
  }

  exec(computerId: string, argv: string[], changes: Partial<ExecSpec> = {}): Promise<ProcessHandle> {
    return this.driver.exec(computerId, {
      processId: newId(),
      argv,
      env: this.image.env,
      cwd: '/',
      user: this.image.user,
      stdin: false,
      meta: {},
      ...changes,
    })
  }

  /** Runs a program to its end. */
  async run(computerId: string, argv: string[], changes: Partial<ExecSpec> = {}): Promise<Ended> {
    return ended(await this.exec(computerId, argv, changes))
  }

  shell(computerId: string, code: string, changes: Partial<ExecSpec> = {}): Promise<Ended> {
    return this.run(computerId, ['bash', '-c', code], changes)
  }

  python(computerId: string, code: string, changes: Partial<ExecSpec> = {}): Promise<Ended> {
    return this.run(computerId, ['python3', '-c', code], changes)
  }

  /** Destroys what the tests created. */
  async clear(): Promise<void> {
    await Promise.all([...this.#made].map((id) => this.driver.destroy(id)))
    for (const { processId } of this.driver.processes()) this.driver.release(processId)
    await (await this.#other)?.close()
  }
}

/** Waits for the end of a process and reads all of its retained output. */
export async function ended(process: ProcessHandle): Promise<Ended> {
  const exit = await process.wait()
  const { stdout, stderr } = await readAll(process.follow(0))
  return { exit, stdout: stdout.toString(), stderr: stderr.toString() }
}

export async function readAll(
  chunks: AsyncIterable<OutputChunk>,
): Promise<{ stdout: Buffer; stderr: Buffer; truncated: boolean; cursor: number }> {
  const parts: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
  let truncated = false
  let cursor = 0
  for await (const chunk of chunks) {
    truncated ||= chunk.truncated
    ;({ cursor } = chunk)
    for (const { stream, data } of chunk.records) parts[stream].push(data)
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), truncated, cursor }
}

/** Follows a process until its stdout contains what is wanted. */
export async function stdoutWith(process: ProcessHandle, wanted: string | RegExp, timeoutMs = 60_000): Promise<string> {
  let stdout = ''
  for await (const chunk of process.follow(0, AbortSignal.timeout(timeoutMs))) {
    for (const { stream, data } of chunk.records) if (stream === 'stdout') stdout += data.toString()
    if (typeof wanted === 'string' ? stdout.includes(wanted) : wanted.test(stdout)) return stdout
  }
  throw new Error(`the process did not print ${String(wanted)}, but ${JSON.stringify(stdout.slice(-500))}`)
}

/** Defines the tests of one part of the contract, on a driver that is open when they run. */
export type Part = (subject: () => Subject) => void

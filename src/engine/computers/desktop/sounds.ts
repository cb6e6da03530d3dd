import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { connectProcess, type ServingProcess } from '../processes/connect-process.ts'
import { environment } from '../processes/environment.ts'

/** The form of the sound: what `record` asks for. */
export const soundFormat = { rate: 48_000, channels: 2, encoding: 's16le' } as const
const bytesPerSecond = soundFormat.rate * soundFormat.channels * 2
/** One sample of each channel. */
const frameBytes = soundFormat.channels * 2

/** Who listens to a computer. */
interface Listener {
  /** Takes whole frames, which it must not change. */
  hear: (sound: Buffer) => void
  /** The recording has ended. */
  end: () => void
}

/** What the programs of computers play, recorded only while somebody listens: once, however many do. */
export class Sounds {
  readonly #recordings = new Map<string, Recording>()

  /**
   * Passes on what a running computer plays, until the returned function is called. Throws `package_missing` when its image
   * has no sound, and as `startProcess` does.
   */
  async listen(engine: ComputersContext, computer: AccessibleComputer<'run'>, listener: Listener): Promise<() => void> {
    const { id } = computer
    const known = this.#recordings.get(id)
    const recording = known ?? new Recording(record(engine, computer), () => this.#forget(id, recording))
    if (!known) this.#recordings.set(id, recording)
    const leave = recording.add(listener)
    try {
      await recording.started
      return leave
    } catch (error) {
      leave()
      throw error
    }
  }

  #forget(id: string, recording: Recording): void {
    if (this.#recordings.get(id) === recording) this.#recordings.delete(id)
  }
}

/** A program that records, and those who hear it. */
class Recording {
  readonly started: Promise<void>
  readonly #onOver: () => void
  readonly #listeners = new Set<Listener>()
  #process: ServingProcess | undefined
  #isOver = false
  #rest: Buffer = Buffer.alloc(0)
  /** How much may be taken now: a program that plays faster than time passes is held back. */
  #allowedBytes = bytesPerSecond / 2
  #lastMs = performance.now()

  constructor(starting: Promise<ServingProcess>, onOver: () => void) {
    this.#onOver = onOver
    this.started = starting.then(
      (process) => this.#begin(process),
      (error: unknown) => {
        this.#isOver = true
        onOver()
        throw error
      },
    )
    this.started.catch(() => {})
  }

  add(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#finish()
    }
  }

  #begin(process: ServingProcess): void {
    if (this.#isOver) return process.end()
    this.#process = process
    const { stdout, stdin } = process
    stdin.on('error', () => {})
    stdout.on('error', () => {})
    stdout.on('data', (bytes: Buffer) => this.#pass(bytes))
    stdout.once('close', () => this.#finish())
  }

  #pass(bytes: Buffer): void {
    const all = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes
    const whole = all.length - (all.length % frameBytes)
    this.#rest = all.subarray(whole)
    this.#hold(bytes.length)
    if (whole > 0) for (const { hear } of this.#listeners) hear(all.subarray(0, whole))
  }

  #hold(bytes: number): void {
    const now = performance.now()
    const earned = ((now - this.#lastMs) / 1000) * bytesPerSecond
    this.#allowedBytes = Math.min(this.#allowedBytes + earned, bytesPerSecond / 2) - bytes
    this.#lastMs = now
    if (this.#allowedBytes >= 0) return
    const { stdout } = this.#process!
    stdout.pause()
    setTimeout(() => stdout.resume(), (-this.#allowedBytes / bytesPerSecond) * 1000).unref()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#onOver()
    this.#process?.end()
    for (const { end } of [...this.#listeners]) end()
  }
}

async function record(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<ServingProcess> {
  const { rate, channels, encoding } = soundFormat
  const { image } = computer
  try {
    return await connectProcess(engine, computer, {
      kind: 'sound',
      // The default sink's monitor; the sound server starts with its first client.
      argv: [
        'parec',
        '--raw',
        '-d',
        '@DEFAULT_MONITOR@',
        `--format=${encoding}`,
        `--rate=${rate}`,
        `--channels=${channels}`,
        '--latency-msec=40',
      ],
      // Otherwise the sound server starts a bus of its own, which stays.
      env: environment(image.env, { DBUS_SESSION_BUS_ADDRESS: 'disabled:' }),
      cwd: '/',
      user: image.user,
    })
  } catch (error) {
    if (!(error instanceof CarrelError) || error.code !== 'not_found') throw error
    throw new CarrelError('package_missing', 'Cannot play the sound: the image of the computer has none', {
      cause: error,
    })
  }
}

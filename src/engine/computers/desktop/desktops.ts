import type { Duplex } from 'node:stream'
import { limits } from '../../../config/limits.ts'
import type { Driver, ProcessHandle } from '../../../drivers/driver.ts'
import { CarrelError } from '../../../errors.ts'
import type { AccessibleComputer } from '../access/open-computer.ts'
import type { ComputersContext } from '../computers.ts'
import { startProcess } from '../processes/start-process.ts'
import { desktopCommand, desktopName, desktopPort } from './desktop-process.ts'

/** The desktop of a computer, which runs. */
export interface Desktop {
  /** Connects to its VNC server (RFB 3.8, without a password). Rejects as the driver's `dial` does. */
  connect: (options?: Parameters<Driver['dial']>[2]) => Promise<Duplex>
  /** Resolves when it has ended: nobody looked any more, or its computer has stopped. */
  ended: Promise<void>
}

/** The desktops of computers, started on first use. They end by themselves when nobody looks and no window is open. */
export class Desktops {
  readonly #opening = new Map<string, Promise<ProcessHandle>>()

  /**
   * Returns the desktop of a running computer, which this server or an earlier one started, or a new one. Calls at the
   * same time get one desktop. Throws `package_missing` when the image has none, `unavailable` when it does not start,
   * and as `startProcess` does.
   */
  async open(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<Desktop> {
    const { id } = computer
    const opening = this.#opening.get(id) ?? findOrStart(engine, computer).finally(() => this.#opening.delete(id))
    this.#opening.set(id, opening)
    const process = await opening
    const port = desktopPort(process)!
    return { connect: (options) => engine.driver.dial(id, port, options), ended: process.wait().then(() => {}) }
  }
}

async function findOrStart(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<ProcessHandle> {
  const running = engine.driver
    .processesOn(computer.id)
    .find((process) => !process.exit && desktopPort(process) !== undefined)
  const process = running ?? (await start(engine, computer))
  await untilReady(process)
  return process
}

async function start(engine: ComputersContext, computer: AccessibleComputer<'run'>): Promise<ProcessHandle> {
  const port = await freePort(engine.driver, computer.id)
  try {
    return await startProcess(engine, computer, {
      // Hidden from lists of processes, and no use of its computer: those are the programs that show windows.
      kind: 'kernel',
      name: desktopName,
      program: { argv: ['carrel-desktop', String(port), String(limits.desktopIdleMs / 1000)] },
      command: desktopCommand(port),
    })
  } catch (error) {
    if (!(error instanceof CarrelError) || error.code !== 'not_found') throw error
    throw new CarrelError(
      'package_missing',
      'Cannot open the desktop: the image of the computer has none; create the computer from the image "desktop"',
      { cause: error },
    )
  }
}

/** Waits until clients can connect. */
async function untilReady(process: ProcessHandle): Promise<void> {
  const stop = new AbortController()
  const timer = setTimeout(() => stop.abort(), limits.desktopStartMs)
  let text = ''
  try {
    for await (const { records } of process.follow(0, stop.signal)) {
      for (const { data } of records) text = (text + data.toString('latin1')).slice(-maxText)
      if (/^ready$/m.test(text)) return
    }
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
  await process.kill('SIGKILL', 'tree').catch(() => {})
  const lastLine = text.trim().split('\n').at(-1)!
  // The guest's words reach terminals, where control characters would act.
  const why = lastLine.replaceAll(/[^ -~]/g, '').slice(0, maxReason) || 'it does not answer'
  throw new CarrelError('unavailable', `Cannot open the desktop: ${why}`)
}

/** Returns the first port from VNC's own on that nothing in the computer listens on. */
async function freePort(driver: Pick<Driver, 'listeners'>, id: string): Promise<number> {
  const taken = new Set((await driver.listeners(id)).map(({ port }) => port))
  for (let port = firstPort; ; port++) if (!taken.has(port)) return port
}

const firstPort = 5900
const maxText = 4096
const maxReason = 200

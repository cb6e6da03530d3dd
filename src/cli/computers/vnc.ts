import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Carrel } from '../../../sdk/index.ts'
import { parseCount } from '../arguments.ts'
import { printable } from '../printable.ts'
import type { ActionCall } from './action.ts'
import { DesktopAccess } from './desktop-access.ts'
import { DesktopRelay } from './desktop-relay.ts'
import { ready } from './open.ts'

const maxPort = 65_535

/** Opens a port of this machine for VNC clients, which reach the desktop of a computer by it until Ctrl-C. */
export async function vnc(call: ActionCall, client: Carrel): Promise<void> {
  const { program, values } = call
  const localPort = parseCount(values['port'] as string | undefined, 'a port', { max: maxPort }) ?? 0
  const { id, handle } = await ready(call, client)
  const interrupted = untilSignal()
  const access = new DesktopAccess(client, id)
  const report = (message: string) => void program.stderr.line(`${program.name}: ${printable(message)}`).catch(() => {})
  let relay: DesktopRelay | undefined
  try {
    // What the server refuses is refused before a viewer waits.
    await access.grant()
    relay = await DesktopRelay.listen(access, localPort, report)
    const { port } = relay
    const url = `vnc://127.0.0.1:${port}`
    await program.stdout.line(values.json ? JSON.stringify({ url, port, computer_id: id }) : url)
    if (program.stderr.isTerminal && !values.json)
      await program.stderr.line(`The desktop of ${handle}, for users of this machine, until Ctrl-C`)
    await (values['viewer'] ? Promise.race([interrupted, view(port, url, interrupted)]) : interrupted)
  } finally {
    relay?.close()
    await access.revoke()
  }
}

/** Resolves at the first signal that ends programs. The next one ends this program at once. */
function untilSignal(): Promise<unknown> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  return Promise.race(signals.map((signal) => once(process, signal)))
}

/** Starts a VNC viewer. Resolves when it has ended. */
async function view(port: number, url: string, interrupted: Promise<unknown>): Promise<void> {
  const viewer = spawn('vncviewer', [`127.0.0.1::${port}`], { stdio: ['ignore', 'ignore', 'inherit'] })
  void interrupted.then(() => viewer.kill())
  try {
    await once(viewer, 'exit')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error(
      `Cannot run vncviewer: it is not installed; connect another VNC client to ${url} without --viewer`,
      {
        cause: error,
      },
    )
  }
}

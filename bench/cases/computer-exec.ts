import { BareRuntime } from '../bare/bare-runtime.ts'
import { againstBare } from '../support/against-bare.ts'
import type { BenchCase } from '../support/case.ts'
import { createComputer, post } from '../support/computers.ts'
import { inARow, interleave, timed } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'
import { command } from '../support/settings.ts'

const row = 10

/** Commands on a running computer, by `…/exec` and by `process.Process/Start` of the exec gateway. */
export const computerExec: BenchCase = {
  name: 'computer-exec',
  about: 'POST /v1/computers/{id}/exec, and Start of the exec gateway',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0', CARREL_MEMORY_OVERCOMMIT: '100' })
    await using runtime = await BareRuntime.open()
    const computer = await createComputer(server)
    const exec = async () => {
      const { stdout } = await post(server, `${computer}/exec`, { command: command.argv })
      if (stdout !== command.stdout) throw new Error(`exec returned ${JSON.stringify(stdout)}`)
    }
    const { session } = await post(server, `${computer}/access-sessions`, { kind: 'exec' })
    const { connect_token: token } = session as { connect_token: string }
    const measured = await interleave(
      {
        exec: () => inARow(row, () => timed(exec)),
        gateway: () => inARow(row, () => timed(() => start(server, token))),
        bare: () => inARow(row, () => runtime.exec()),
      },
      { rounds: quick ? 4 : 40, warmUp: 2 },
    )
    return [
      againstBare({ work: 'exec', carrel: measured.exec, bare: measured.bare, name: 'crun exec', maxRatio: 1.5 }),
      {
        work: 'gateway, Start until the end',
        unit: 'ms',
        carrel: measured.gateway,
        against: { name: 'exec', values: measured.exec },
        result: ratio(measured.gateway, measured.exec),
        goal: { is: 'at most', value: 1.3, of: '× exec' },
      },
    ]
  },
}

/** Starts the command over the gateway, and reads the stream to its end. */
async function start(server: BenchServer, token: string): Promise<void> {
  const [cmd, ...args] = command.argv
  const message = Buffer.from(JSON.stringify({ process: { cmd, args } }))
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  const { status, text } = await server.send('POST', '/process.Process/Start', Buffer.concat([head, message]), {
    authorization: `Bearer ${token}`,
    'content-type': 'application/connect+json',
    'connect-protocol-version': '1',
  })
  if (status !== 200 || !text.includes('"exited":true')) throw new Error(`Start answered ${status}: ${text}`)
}

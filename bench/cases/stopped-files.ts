import type { BenchCase } from '../support/case.ts'
import { createComputer, post, reach } from '../support/computers.ts'
import { inARow, timed } from '../support/interleave.ts'
import { BenchServer } from '../support/server.ts'
import { summarize } from '../support/statistics.ts'

const path = '/home/node/workspace/notes.txt'
const maxMs = 3

/** A small file of a computer that does not run, over HTTP. */
export const stoppedFiles: BenchCase = {
  name: 'stopped-files',
  about: 'read_text of files/ops on a stopped computer',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0', CARREL_MEMORY_OVERCOMMIT: '100' })
    const computer = await createComputer(server)
    await post(server, `${computer}/files/ops`, {
      operation: 'write_text',
      path,
      content: 'a line of notes\n'.repeat(40),
    })
    await post(server, `${computer}/actions/stop`, {})
    await reach(server, computer, 'stopped')
    const read = () => timed(() => post(server, `${computer}/files/ops`, { operation: 'read_text', path }))
    await inARow(200, read)
    const carrel = summarize(await inARow(quick ? 200 : 2000, read))
    const goal = { is: 'at most', value: maxMs, of: 'ms' } as const
    return [{ work: 'read_text, computer stopped', unit: 'ms', carrel, result: carrel.median, goal }]
  },
}

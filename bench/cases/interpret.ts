import type { BenchCase } from '../support/case.ts'
import { inARow, interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { BenchServer } from '../support/server.ts'

const row = 10

/** A call on an idle kernel, and the first call of a sandbox, which starts the kernel. */
export const interpret: BenchCase = {
  name: 'interpret',
  about: 'POST /interpret on a warm kernel, and without a kernel',
  async run({ quick }) {
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0' })
    const warm = server.newSession()
    const call = async (sessionId: string, language: string): Promise<number> => {
      const started = performance.now()
      const { status, text } = await server.request('POST', '/interpret', { code: '1 + 1', language, sessionId })
      const took = performance.now() - started
      const answer = status === 200 ? (JSON.parse(text) as { results: { text: string }[] }) : undefined
      if (answer?.results[0]?.text !== '2') throw new Error(`POST /interpret answered ${status}: ${text}`)
      return took
    }
    const measured = await interleave(
      {
        python: () => inARow(row, () => call(warm, 'python')),
        javascript: () => inARow(row, () => call(warm, 'javascript')),
      },
      { rounds: quick ? 4 : 40, warmUp: 2 },
    )
    const inSandbox = async (work: (sessionId: string) => Promise<number>) => {
      const sessionId = server.newSession()
      await server.shell('true', sessionId)
      return work(sessionId)
    }
    const cold = await interleave(
      {
        kernel: () => inSandbox((sessionId) => call(sessionId, 'python')),
        imports: () =>
          inSandbox(async (sessionId) => {
            const started = performance.now()
            await server.shell('python3 -c "import ipykernel.kernelapp"', sessionId)
            return performance.now() - started
          }),
      },
      { rounds: quick ? 3 : 15, warmUp: 1 },
    )
    const goal = { is: 'at most', value: 50, of: 'ms' } as const
    const { python, javascript } = measured
    return [
      { work: 'interpret 1 + 1, Python', unit: 'ms', carrel: python, result: python.median, goal },
      { work: 'interpret 1 + 1, JavaScript', unit: 'ms', carrel: javascript, result: javascript.median, goal },
      {
        work: "interpret, a sandbox's first",
        unit: 'ms',
        carrel: cold.kernel,
        against: { name: 'import ipykernel', values: cold.imports },
        result: ratio(cold.kernel, cold.imports),
        goal: { is: 'at most', value: 1.5, of: '× the import' },
      },
    ]
  },
}

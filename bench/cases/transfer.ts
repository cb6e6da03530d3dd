import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { BareRuntime } from '../bare/bare-runtime.ts'
import type { BenchCase } from '../support/case.ts'
import { curl } from '../support/curl.ts'
import { interleave } from '../support/interleave.ts'
import { ratio } from '../support/measurement.ts'
import { Nginx } from '../support/nginx.ts'
import { BenchServer } from '../support/server.ts'
import { benchData } from '../support/settings.ts'

const mebibytes = 256

/** One large file, uploaded and downloaded by curl. nginx stores it in a container's root too, on the same pool. */
export const transfer: BenchCase = {
  name: 'transfer',
  about: `upload and download of ${mebibytes} MiB`,
  async run({ quick }) {
    if (!Nginx.isInstalled()) return [{ work: 'upload and download', why: 'nginx is not installed' }]
    await using server = await BenchServer.start({ CARREL_WARM_COMPUTERS: '0', CARREL_COMPUTER_MEMORY_MIB: '1024' })
    await using bare = await BareRuntime.open()
    const directory = join(bare.root, 'workspace')
    await using nginx = await Nginx.start({
      scratch: join(directory, 'nginx'),
      server: `root ${directory}; dav_methods PUT;`,
    })
    const source = join(benchData, 'bench-source.bin')
    const authorization = `authorization: Bearer ${server.token}`
    const perSecond = (seconds: number) => mebibytes / seconds
    const rounds = { rounds: quick ? 2 : 9, warmUp: 1, before: async () => settle() }
    try {
      execFileSync('dd', ['if=/dev/urandom', `of=${source}`, 'bs=1M', `count=${mebibytes}`], { stdio: 'ignore' })
      const upload = await interleave(
        {
          carrel: async () =>
            perSecond(
              await curl(
                ...['--header', authorization, '--header', 'expect:', '--form', 'path=/workspace/large.bin'],
                ...['--form', `file=@${source}`, new URL('/files/upload', server.url).href],
              ),
            ),
          nginx: async () =>
            perSecond(await curl('--header', 'expect:', '--upload-file', source, `${nginx.origin}/large.bin`)),
        },
        rounds,
      )
      const download = await interleave(
        {
          carrel: async () =>
            perSecond(
              await curl('--header', authorization, new URL('/files/download?path=large.bin', server.url).href),
            ),
          nginx: async () => perSecond(await curl(`${nginx.origin}/large.bin`)),
        },
        rounds,
      )
      return Object.entries({ upload, download }).map(([what, { carrel, nginx: values }]) => ({
        work: `${what} of ${mebibytes} MiB`,
        unit: 'MiB/s' as const,
        carrel,
        against: { name: 'nginx', values },
        result: ratio(carrel, values),
        goal: { is: 'at least' as const, value: 0.6, of: 'of nginx' },
      }))
    } finally {
      rmSync(source, { force: true })
    }
  },
}

/** Flushes earlier writes to the disk, so that they do not affect the next measurement. */
function settle(): void {
  execFileSync('sync', ['--file-system', join(benchData, 'pool')])
}

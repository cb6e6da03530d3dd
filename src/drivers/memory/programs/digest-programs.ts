import { createHash } from 'node:crypto'
import type { Program, Task } from '../tasks/task.ts'
import { eachInput } from './each-input.ts'
import { readOptions } from './options.ts'

/** Programs that print checksums and encodings of bytes. */
export const digestPrograms: Record<string, Program> = {
  sha1sum: (task) => checksum(task, 'sha1'),
  sha256sum: (task) => checksum(task, 'sha256'),
  md5sum: (task) => checksum(task, 'md5'),
  base64: async (task) => {
    const { has, rest } = readOptions(task.argv.slice(1), 'w')
    return eachInput(task, rest, async () => {
      const all = await task.readAll()
      if (has('d')) return task.write(1, Buffer.from(all.toString('latin1'), 'base64'))
      return task.print(`${all.toString('base64')}\n`)
    })
  },
}

async function checksum(task: Task, algorithm: string): Promise<number> {
  const paths = task.argv.slice(1)
  return eachInput(task, paths, async () => {
    const hash = createHash(algorithm)
    for (let chunk = await task.read(); chunk.length > 0; chunk = await task.read()) hash.update(chunk)
    await task.print(`${hash.digest('hex')}  ${paths[0] ?? '-'}\n`)
  })
}

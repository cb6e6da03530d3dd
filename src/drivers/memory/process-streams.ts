import { Readable, Writable } from 'node:stream'
import type { ConnectedProcess, ProcessHandle } from '../driver.ts'
import type { Descriptor } from './tasks/descriptor.ts'

/** Returns the stdin and the stdout of a process as streams. The reader of its stdout is released with its stream. */
export function streamsOf(process: ProcessHandle, stdout: Descriptor): Pick<ConnectedProcess, 'stdin' | 'stdout'> {
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, done) => void process.write(chunk).then(() => done(), done),
    final: (done) =>
      void process.closeStdin().then(
        () => done(),
        () => done(),
      ),
    destroy: (error, done) => {
      // It is closed before, when everything was written.
      void closeInput(process)
      done(error)
    },
  })
  const output = new Readable({
    read(size) {
      void stdout.read(size).then((bytes) => this.push(bytes.length === 0 ? null : bytes))
    },
    destroy: (error, done) => {
      stdout.release()
      done(error)
    },
  })
  return { stdin, stdout: output }
}

async function closeInput(process: ProcessHandle): Promise<void> {
  await process.closeStdin().catch(() => {})
}

import { spawn } from 'node:child_process'

/**
 * Runs a program of the host to its end. Returns its stdout, cut off at about 4 MiB. `input` goes to its stdin. Rejects
 * when it fails, with the end of its stderr in the message, which names paths of the host and belongs in the log only.
 * The error has the code `ENOSPC` when a disk is full. The default time limit is 60 s.
 */
export function run(
  command: string,
  args: string[],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: 'SIGKILL',
    })
    child.on('error', (cause) => reject(new Error(`Cannot run "${command}": ${cause.message}`, { cause })))
    // Without free descriptors, the child has no pipes.
    if (child.pid === undefined) return
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      if (stdout.length < maxOutputCharacters) stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-2_000)
    })
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout)
      const why = stderr.trim() || (signal ? `ended by ${signal}` : `exit code ${code}`)
      const isFull = /no space left on device|disk quota exceeded/i.test(why)
      const error = new Error(`"${command} ${args.slice(0, 3).join(' ')}" failed: ${why}`)
      reject(isFull ? Object.assign(error, { code: 'ENOSPC' }) : error)
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
  })
}

const maxOutputCharacters = 4 * 1024 * 1024

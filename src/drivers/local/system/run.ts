import { spawn } from 'node:child_process'

/**
 * Runs a host program to its end and gives its stdout. Rejects when it fails, with the last of its stderr in the message, which
 * names paths of the host and is for the log alone, and the code `ENOSPC` for lack of room; `input` goes to its stdin. Output beyond 4 MiB is an error.
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
    // Without a free descriptor it has no pipes either.
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

import { payHint } from './pay-hint.ts'
import { printable } from './printable.ts'
import type { Program } from './program.ts'
import { shortTime } from './times.ts'

/**
 * Returns what to do about an error of the server, in terms of the command line; undefined if the server's own
 * instruction suffices.
 */
export function hintFor(
  { name, verb = '' }: Program,
  code: string,
  details: Record<string, unknown> = {},
): string | undefined {
  if (verb === 'computers' || verb === 'ssh') {
    const hint = computerHint(name, code, details)
    if (hint !== undefined || code === 'LIMIT_REACHED') return hint
  }
  const onFiles = verb === 'read' || verb === 'write' || verb === 'ls' || verb === 'cp'
  switch (code) {
    case 'NOT_FOUND':
      if ('workspace' in details)
        return `"${name} workspaces" lists yours, "${name} workspaces use <name>" chooses one.`
      if (verb === 'kill' || verb === 'logs' || verb === 'attach') return `"${name} ps" lists the processes.`
      return onFiles ? `"${name} ls <folder>" lists what exists.` : undefined
    case 'ROUTE_NOT_FOUND':
    case 'METHOD_NOT_ALLOWED':
      return `The server does not support this: "${name} status" shows its version and that of this program.`
    case 'INVALID_REQUEST':
      return `${optionFor(details['field'])}See "${name} ${verb} --help".`
    case 'ALREADY_EXISTS':
      return verb === 'start' ? `Choose another --id, or end the existing process with "${name} kill".` : undefined
    case 'LIMIT_REACHED':
      return `"${name} ps" lists the processes, "${name} kill <id>" ends one.`
    case 'OUT_OF_CREDITS':
      return payHint(name, details['topupUrl'])
    case 'SPENDING_LIMIT_REACHED':
      return `"${name} limits" shows the limits; an admin raises them with --day or --month.`
    case 'RATE_LIMITED':
      return waitHint(details['retryAfterMs'])
    case 'UPSTREAM_UNREACHABLE':
      return `Start a server on this port first, such as "${name} start 'python3 -m http.server 8080'".`
    case 'COMPUTER_STOPPED':
      return 'Try again: the sandbox is started again.'
    case 'OTHER_NODE':
      return otherNodeHint(name, details['address'])
    case 'DISK_FULL':
      return `Delete files that you no longer need, with "${name} exec 'rm …'".`
    case 'PROCESS_GOES_ON':
      return `The process keeps running: "${name} ps" shows it once the server is back.`
    default:
      return undefined
  }
}

/** Returns what to do about an error that computers have in words of their own. */
function computerHint(name: string, code: string, details: Record<string, unknown>): string | undefined {
  if (code === 'NOT_FOUND' && !('workspace' in details))
    return `"${name} computers" lists the computers, "${name} computers snapshots" the snapshots.`
  if (code === 'NO_CAPACITY') return `"${name} computers capacity" shows what there is room for.`
  return undefined
}

/** Returns the next steps for a process that was started, each with its command. */
export function startHints({ name }: Program, id: string, session: string | undefined): Record<string, string> {
  const rest = session === undefined ? '' : ` --session ${session}`
  return {
    exposePort: `${name} expose <port>${rest}   gives it a public address, if it is a server`,
    readOutput: `${name} logs ${id}${rest}   shows its output; -f follows it`,
    checkStatus: `${name} ps${rest}   shows whether it runs`,
    stopProcess: `${name} kill ${id}${rest}   ends it`,
  }
}

/** Returns how to reach the server that has the sandbox; undefined if the server does not say where that is. */
function otherNodeHint(name: string, address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined
  return `Use that server: "${name} … --url ${printable(address)}", or set CARREL_URL.`
}

/** Returns when to try again; undefined if the server does not say. */
function waitHint(waitMs: unknown): string | undefined {
  if (typeof waitMs !== 'number' || !Number.isFinite(waitMs)) return undefined
  const seconds = Math.ceil(waitMs / 1000)
  const count = (number: number, unit: string) => `${number} ${unit}${number === 1 ? '' : 's'}`
  const wait = seconds < 120 ? count(seconds, 'second') : count(Math.ceil(seconds / 60), 'minute')
  return `Try again in ${wait}, at ${shortTime(Date.now() + waitMs)}.`
}

/** Returns the option that a field of a request comes from, as the beginning of a sentence. */
function optionFor(field: unknown): string {
  const [name = ''] = typeof field === 'string' ? field.split('.') : []
  const option = options[name]
  return option === undefined ? '' : `Check ${option}. `
}

const options: Record<string, string | undefined> = {
  sessionId: '--session',
  env: '--env',
  cwd: '--cwd',
  timeout: '--timeout',
  timeoutMs: '--timeout',
  user: '--user',
  language: '--lang',
  processId: 'the id',
  signal: '--signal',
  path: 'the path',
  port: 'the port',
  tier: 'the amount',
  amountCents: 'the amount',
}

import type { OpenPort } from '../../engine/types.ts'
import { isReserved, reservedPorts } from './reserved-ports.ts'

/** Returns the next steps for a process, each as a call to make. `ports` are the ports on which it listens. */
export function hintsFor(processId: string, sessionId: string, ports: OpenPort[] = []) {
  const expose = ports.map((port) => portHint(port, sessionId)).join(' ')
  return {
    exposePort:
      expose ||
      `If the process is a server, ${call('/expose', { port: '<port>' }, sessionId)} returns its preview URL.`,
    checkStatus: call('/process/get', { processId: JSON.stringify(processId) }, sessionId),
    stopProcess: call('/process/kill', { processId: JSON.stringify(processId) }, sessionId),
    bindAddress: 'Previews reach servers on 0.0.0.0, 127.0.0.1, localhost, :: and ::1',
  }
}

/** Returns what to do about a port that was found open, as a call of the REST API. */
function portHint(open: OpenPort, sessionId: string): string {
  return portAdvice(open, `${call('/expose', { port: String(open.port) }, sessionId)} returns its preview URL.`)
}

/** Returns what was found about an open port, and what to do: `expose` where the port can be exposed. */
export function portAdvice({ port, address, reachable }: OpenPort, expose: string): string {
  if (isReserved(port))
    return `A server listens on port ${port}, which cannot be exposed: ports ${reservedPorts} are reserved. Start it on another port, such as 8080.`
  if (!reachable)
    return `A server listens on port ${port} of ${address}, where previews cannot reach it. Start it on 0.0.0.0 or 127.0.0.1.`
  return `A server listens on port ${port}. ${expose}`
}

/** Returns why a preview of a port has no answer yet; undefined where a server that it reaches listens. */
export function closedPortHint(port: number, ports: readonly OpenPort[]): string | undefined {
  const open = ports.find((one) => one.port === port)
  if (open === undefined)
    return `Nothing listens on port ${port} yet: the preview answers once a server does, on 0.0.0.0 or 127.0.0.1.`
  return open.reachable ? undefined : portAdvice(open, '')
}

function call(path: string, body: Record<string, string>, sessionId: string): string {
  const fields = { ...body, ...(sessionId === '' ? {} : { sessionId: JSON.stringify(sessionId) }) }
  const text = Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}: ${value}`)
  return `POST ${path} with {${text.join(', ')}}`
}

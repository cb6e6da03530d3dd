import type { OpenPort } from '../../engine/types.ts'
import { isReserved, reservedPorts } from './reserved-ports.ts'

/** Returns the next steps for a process, each as a call to make. `ports` are the ports on which it listens. */
export function hintsFor(processId: string, sessionId: string, ports: OpenPort[] = []) {
  const expose = ports.map((port) => portHint(port, sessionId)).join('. ')
  return {
    exposePort:
      expose || `If the process is a server: ${call('/expose', { port: '<port>' }, sessionId)} returns its preview URL`,
    checkStatus: call('/process/get', { processId: JSON.stringify(processId) }, sessionId),
    stopProcess: call('/process/kill', { processId: JSON.stringify(processId) }, sessionId),
    bindAddress: 'Previews reach servers on 0.0.0.0, 127.0.0.1, localhost, :: and ::1',
  }
}

/** Returns what to do about a port that was found open. */
export function portHint({ port, address, reachable }: OpenPort, sessionId: string): string {
  const found = `The process listens on port ${port} (${address})`
  if (isReserved(port))
    return `${found}, which cannot be exposed: ${reservedPorts} are reserved for system use. Make the process listen on another port, for example 8080`
  if (!reachable) return `${found}, where previews cannot reach it. Make the process listen on 0.0.0.0 or 127.0.0.1`
  return `${found}: ${call('/expose', { port: String(port) }, sessionId)} returns its preview URL`
}

function call(path: string, body: Record<string, string>, sessionId: string): string {
  const fields = { ...body, ...(sessionId === '' ? {} : { sessionId: JSON.stringify(sessionId) }) }
  const text = Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}: ${value}`)
  return `POST ${path} with {${text.join(', ')}}`
}

import { readFile } from 'node:fs/promises'

/** TCP ports on which something listens in the network namespace of a process, ascending. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'latin1').catch(() => '')),
  )
  const ports = tables.flatMap((table) => table.split('\n').slice(1).flatMap(listeningPort))
  return [...new Set(ports)].toSorted((a, b) => a - b)
}

function listeningPort(line: string): number[] {
  const [, local, , state] = line.trim().split(/\s+/)
  if (state !== LISTEN || !local) return []
  return [Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)]
}

const LISTEN = '0A'

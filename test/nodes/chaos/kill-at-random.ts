import { setTimeout as delay } from 'node:timers/promises'
import type { Random } from './random.ts'
import type { TestNode } from './test-node.ts'

interface Options {
  random: Random
  /** Sets of nodes whose servers are killed together. */
  victims: TestNode[][]
  isOver: () => boolean
  /** Called after each round, when all servers are ready. */
  onRound: (what: string) => Promise<void>
}

/** Ends servers and starts them again, in rounds. A new server is often killed while it starts. */
export async function killAtRandom({ random, victims, isOver, onRound }: Options): Promise<void> {
  while (!isOver()) {
    await delay(random.between(...workMs))
    const doomed = random.pick(victims)
    const deaths = await Promise.all(doomed.map((node) => killAndStart(node, random.fork())))
    await onRound(deaths.join(' and '))
  }
}

/** Returns what was done. */
async function killAndStart(node: TestNode, random: Random): Promise<string> {
  const done: string[] = []
  const end = async () => {
    const signal = random.chance(0.7) ? 'SIGKILL' : 'SIGTERM'
    done.push(signal)
    await node.stop(signal)
    await delay(random.between(...awayMs))
  }
  await end()
  while (random.chance(0.4)) {
    const started = node.start()
    const afterMs = random.between(...startMs)
    await delay(afterMs)
    done.push(`start of ${afterMs} ms`)
    await Promise.all([end(), started])
  }
  await node.start()
  return `${node.name}: ${done.join(', ')}`
}

/** How long servers run, how long none does, and how far a start gets that is cut off. */
const workMs: [number, number] = [100, 2_000]
const awayMs: [number, number] = [0, 800]
const startMs: [number, number] = [50, 2_000]

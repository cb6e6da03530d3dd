import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'

const { url } = workerData as { url: string }
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const waitsMs: number[] = []
let isOver = false
parentPort!.once('message', () => {
  isOver = true
})
do {
  const began = performance.now()
  await new Promise<void>((resolve, reject) => {
    request(url, { agent }, (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end()
  })
  waitsMs.push(performance.now() - began)
  await delay(5)
} while (!isOver)
agent.destroy()
parentPort!.postMessage(waitsMs)

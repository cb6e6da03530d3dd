import { requireComputer } from '../../engine/computers/access/open-computer.ts'
import type { Engine } from '../../engine/engine.ts'
import { computerUsage } from '../../engine/money/usage/computer-usage.ts'
import type { App } from '../../http/app.ts'
import { isoTime } from '../iso-time.ts'
import { computerParams } from './computer-schemas.ts'
import { computerUsageAnswer } from './schemas.ts'

/** Adds `GET /v1/computers/<id>/usage`: from the same intervals that the ledger charges. */
export function addComputerUsageRoutes(app: App, engine: Engine): void {
  app.get(
    '/v1/computers/:id/usage',
    {
      schema: { params: computerParams, response: { 200: computerUsageAnswer } },
      config: {
        documentation: {
          description: 'Read the usage of a computer',
          errors: ['not_found', 'other_node'],
          notes: 'Since the computer was created. GET /v1/usage says what it cost, by day.',
        },
      },
    },
    async ({ caller, params }) => {
      const { row } = await requireComputer(engine, caller, params.id, 'look')
      const { runtimeMs, cpuMs, memoryMibMs, diskBytes, updatedAtMs } = await computerUsage(engine, row)
      const isRunning = row.state === 'running'
      return {
        usage: {
          runtime_seconds: runtimeMs / 1000,
          cpu_hours: cpuMs / hourMs,
          ram_gib_hours: memoryMibMs / 1024 / hourMs,
          hot_storage_bytes: isRunning ? diskBytes : 0,
          cold_storage_bytes: isRunning ? 0 : diskBytes,
          updated_at: isoTime(updatedAtMs),
        },
      }
    },
  )
}

const hourMs = 3_600_000

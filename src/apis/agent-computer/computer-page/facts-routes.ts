import { hasDesktop } from '../../../engine/computers/desktop/has-desktop.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../../http/app.ts'
import { isoTime } from '../../iso-time.ts'
import { MiB } from '../computer-mapping.ts'
import { openFor, visitOf } from './page-visit.ts'

/** Adds what the page shows of its computer and of its session. */
export function addFactsRoutes(app: App, engine: Engine): void {
  app.get('/api/computer', { config: openFor(engine, 'desktop') }, async (request) => {
    const { kind, session, viewOnly } = visitOf(request)
    const { row, image } = session.computer
    return {
      computer: {
        id: row.id,
        handle: row.name ?? '',
        display_name: row.display_name ?? row.name ?? '',
        state: row.state,
        image_id: row.image,
        memory_mib: row.memory_bytes / MiB,
        storage_bytes: row.disk_bytes,
        desktop_available: hasDesktop(image),
      },
      session: {
        kind,
        expires_at: isoTime(session.expiresAtMs),
        view_only: viewOnly,
        shared: session.share !== undefined,
      },
    }
  })
  app.get('/api/gauges', { config: openFor(engine, 'everything') }, async (request) => {
    const { computer } = visitOf(request).session
    const values = await engine.gauges.read(computer)
    return {
      memory: { used_bytes: values.memoryBytes, limit_bytes: values.memoryLimitBytes },
      disk: { used_bytes: values.diskBytes ?? null, limit_bytes: values.diskLimitBytes },
      cpu: { used_seconds: values.cpuMicros / 1e6, vcpus: computer.row.cpus },
      measured_at: isoTime(values.measuredAtMs),
    }
  })
}

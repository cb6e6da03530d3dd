import { getGauges, type Gauges } from '../api/computer.ts'
import { usePolled } from '../api/use-polled.ts'
import { bytesText } from '../design/units.ts'
import { Store, useStore } from '../store.ts'
import { emptyHistory, withMeasurement, type Gauge } from './gauge-history.ts'
import { Sparkline } from './sparkline.tsx'
import './gauges.css'

const measured = new Store(emptyHistory)
const measure = async (signal: AbortSignal) => measured.set(withMeasurement(measured.value, await getGauges(signal)))

/** What the computer uses of its memory, disk and processors. */
export function GaugesBar() {
  usePolled(measure, 3000)
  const { last, memory, disk, cpu } = useStore(measured)
  return (
    <section className="gauges" aria-label="Use of the computer">
      <GaugeLine name="Memory" gauge={memory} text={last && textOf(last.memory)} />
      <GaugeLine name="Disk" gauge={disk} text={last && textOf(last.disk)} />
      <GaugeLine
        name="CPU"
        gauge={cpu}
        text={cpu.history.length > 0 ? `${Math.round(cpu.share * 100)} %` : undefined}
      />
    </section>
  )
}

function GaugeLine({ name, gauge, text }: { name: string; gauge: Gauge; text: string | undefined }) {
  return (
    <div
      className={`gauge ${gauge.share > 0.9 ? 'full' : ''}`}
      role="meter"
      aria-label={name}
      aria-valuenow={Math.round(gauge.share * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuetext={text ?? 'not known yet'}
      title={`${name}: ${text ?? 'not known yet'}`}
    >
      <span className="gauge-name">{name}</span>
      <Sparkline history={gauge.history} />
      <span className="gauge-text">{text ?? '–'}</span>
    </div>
  )
}

function textOf({ used_bytes: used, limit_bytes: limit }: Gauges['memory']): string {
  return `${used === null ? '?' : bytesText(used)} of ${bytesText(limit)}`
}

import { useState } from 'react'
import { listProcesses, signalProcess, type Process } from '../api/processes.ts'
import { messageOf } from '../api/request.ts'
import { usePolled } from '../api/use-polled.ts'
import { Dialog } from '../design/dialog.tsx'
import { ageText, bytesText } from '../design/units.ts'
import './processes.css'

const look = async (signal: AbortSignal) => ({ ...(await listProcesses(signal)), readAtMs: Date.now() })

/** What runs on the computer, to be ended here. */
export function ProcessesView() {
  const { value, error, refresh } = usePolled(look, 3000)
  const [ending, setEnding] = useState<Process>()
  const [problem, setProblem] = useState('')

  const end = async ({ id }: Process, signal: 'SIGTERM' | 'SIGKILL') => {
    setEnding(undefined)
    setProblem('')
    try {
      await signalProcess(id, signal)
    } catch (failure) {
      setProblem(messageOf(failure))
    }
    refresh()
  }

  return (
    <section className="page-view processes" aria-label="Processes">
      <h1>Processes</h1>
      <p className="lead">What runs on the computer now.</p>
      {(problem || error) !== '' && (
        <p className="problem" role="alert">
          {problem || error}
        </p>
      )}
      {value?.processes.length === 0 && <p className="none">Nothing runs that is known of.</p>}
      {value && value.processes.length > 0 && (
        <div className="wide">
          <table>
            <thead>
              <tr>
                <th>Command</th>
                <th className="detail">User</th>
                <th className="number detail">Process id</th>
                <th className="number detail">Processor time</th>
                <th className="number">Memory</th>
                <th className="number detail">Age</th>
                <th>
                  <span className="hidden-text">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {value.processes.map((process) => (
                <ProcessLine
                  key={process.id}
                  process={process}
                  nowMs={value.readAtMs}
                  onEnd={() => setEnding(process)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {ending && (
        <Dialog
          title="End this process?"
          action="End"
          dangerous
          other={{ action: 'Kill', onClick: () => void end(ending, 'SIGKILL') }}
          onAgree={() => void end(ending, 'SIGTERM')}
          onCancel={() => setEnding(undefined)}
        >
          <p>
            <code>{ending.command}</code>
          </p>
          <p>“End” asks it to end (SIGTERM). “Kill” gives it no choice (SIGKILL).</p>
        </Dialog>
      )}
    </section>
  )
}

interface LineProps {
  process: Process
  nowMs: number
  onEnd: () => void
}

function ProcessLine({ process, nowMs, onEnd }: LineProps) {
  const { pid, command, kind, user, started_at: startedAt, cpu_seconds: cpu, memory_bytes: memory } = process
  return (
    <tr>
      <td className="command">
        <span title={command}>{command}</span>
        {kind !== 'program' && <small>{kind}</small>}
      </td>
      <td className="detail">{user}</td>
      <td className="number detail">{pid}</td>
      <td className="number detail">{cpu !== undefined && `${cpu.toFixed(1)} s`}</td>
      <td className="number">{memory !== undefined && bytesText(memory)}</td>
      <td className="number detail">{ageText(startedAt, nowMs)}</td>
      <td className="number">
        <button type="button" className="quiet" onClick={onEnd}>
          End
        </button>
      </td>
    </tr>
  )
}

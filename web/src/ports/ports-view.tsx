import { useState } from 'react'
import { listPorts, publishPort, withdrawPort, type Port, type Visibility } from '../api/ports.ts'
import { messageOf } from '../api/request.ts'
import { usePolled } from '../api/use-polled.ts'
import { PortLine } from './port-line.tsx'
import { PublishForm } from './publish-form.tsx'
import './ports.css'

/**
 * The ports that programs listen on, and those that are published, with their links. `mayChange`: whether the visitor
 * may publish and withdraw; visitors of a share may not.
 */
export function PortsView({ mayChange }: { mayChange: boolean }) {
  const { value, error, refresh } = usePolled(listPorts, 3000)
  const [problem, setProblem] = useState('')

  const act = async (work: () => Promise<unknown>) => {
    setProblem('')
    try {
      await work()
    } catch (failure) {
      setProblem(messageOf(failure))
    }
    refresh()
  }
  const publish = (port: number, visibility: Visibility) => void act(() => publishPort(port, visibility))
  const withdraw = ({ port }: Port) => void act(() => withdrawPort(port))
  const ports = value?.ports.toSorted((a, b) => a.port - b.port)

  return (
    <section className="page-view ports" aria-label="Ports">
      <h1>Ports</h1>
      <p className="lead">
        A published port has an address of its own. A private one opens for people with access alone.
      </p>
      {mayChange && <PublishForm onPublish={publish} />}
      {(problem || error) !== '' && (
        <p className="problem" role="alert">
          {problem || error}
        </p>
      )}
      {ports?.length === 0 && (
        <p className="none">
          Nothing listens. Start a server in the terminal, such as <code>python3 -m http.server 8000</code>, and it
          appears here.
        </p>
      )}
      {ports !== undefined && ports.length > 0 && (
        <ul className="port-list">
          {ports.map((port) => (
            <PortLine key={port.port} port={port} mayChange={mayChange} onPublish={publish} onWithdraw={withdraw} />
          ))}
        </ul>
      )}
    </section>
  )
}

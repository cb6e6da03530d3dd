import { entranceTo, type Port, type Visibility } from '../api/ports.ts'

interface Props {
  port: Port
  mayChange: boolean
  onPublish: (port: number, visibility: Visibility) => void
  onWithdraw: (port: Port) => void
}

/** One port: whether something listens on it, who may open it, and where. */
export function PortLine({ port, mayChange, onPublish, onWithdraw }: Props) {
  const { port: number, name, visibility, url, listening } = port
  return (
    <li className="port">
      <span className="port-number">{number}</span>
      <span className="port-what">
        {name !== '' && <span className="port-name">{name}</span>}
        <span className={`state ${listening ? 'good' : ''}`}>{listening ? 'listening' : 'nothing listens'}</span>
      </span>
      <span className="port-address">
        {url === null ? (
          'Not published'
        ) : (
          <a href={visibility === 'private' ? entranceTo(number) : url} target="_blank" rel="noopener noreferrer">
            {url.replace(/^https?:\/\//, '').replace(/\/$/, '')}
          </a>
        )}
      </span>
      <span className="port-actions">
        {mayChange ? <PortActions port={port} onPublish={onPublish} onWithdraw={onWithdraw} /> : visibility}
      </span>
    </li>
  )
}

function PortActions({ port, onPublish, onWithdraw }: Omit<Props, 'mayChange'>) {
  const { port: number, visibility } = port
  if (visibility === null)
    return (
      <button type="button" className="quiet" onClick={() => onPublish(number, 'private')}>
        Publish
      </button>
    )
  return (
    <>
      <select
        aria-label={`Who may open port ${number}`}
        value={visibility}
        onChange={({ target }) => onPublish(number, target.value as Visibility)}
      >
        <option value="private">Private</option>
        <option value="public">Public</option>
      </select>
      <button type="button" className="quiet" onClick={() => onWithdraw(port)}>
        Withdraw
      </button>
    </>
  )
}

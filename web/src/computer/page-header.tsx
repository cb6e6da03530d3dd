import type { ComputerAnswer } from '../api/computer.ts'
import { Icon, type IconName } from '../design/icon.tsx'
import { GaugesBar } from '../gauges/gauges-bar.tsx'
import icon from '../design/icon.svg'
import { viewNames, type ViewName } from './use-route.ts'

const views: Record<ViewName, { label: string; icon: IconName }> = {
  terminal: { label: 'Terminal', icon: 'terminal' },
  files: { label: 'Files', icon: 'folder' },
  desktop: { label: 'Desktop', icon: 'desktop' },
  ports: { label: 'Ports', icon: 'ports' },
  processes: { label: 'Processes', icon: 'processes' },
}

const stateTones: Record<string, string> = { running: 'good', failed: 'bad', stopped: '' }

/** The bar at the top: which computer this is, its state, its views and what it uses. */
export function PageHeader({ answer: { computer, session }, current }: { answer: ComputerAnswer; current: ViewName }) {
  const { handle, display_name: displayName, state } = computer
  const name = displayName || handle
  return (
    <header className="top">
      <div className="identity">
        <img src={icon} alt="" width="24" height="24" />
        <div className="names">
          <span className="name" title={name}>
            {name}
          </span>
          <span className="handle">
            {session.shared ? 'Shared with you' : name === handle ? computer.image_id : handle}
          </span>
        </div>
        <span className={`state ${stateTones[state] ?? 'wait'}`} role="status">
          {state}
        </span>
      </div>
      <nav className="views" aria-label="Views">
        {viewNames.map((view) => (
          <a key={view} href={`#${view}`} aria-current={view === current ? 'page' : undefined}>
            <Icon name={views[view].icon} />
            {views[view].label}
          </a>
        ))}
      </nav>
      <GaugesBar />
    </header>
  )
}

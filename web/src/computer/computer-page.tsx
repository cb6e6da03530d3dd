import { lazy, useEffect, useState } from 'react'
import { getComputer } from '../api/computer.ts'
import { reachable } from '../api/connection.ts'
import { session as sessionStore } from '../api/session.ts'
import { usePolled } from '../api/use-polled.ts'
import { Notice } from '../design/notice.tsx'
import { useStore } from '../store.ts'
import { TerminalsView } from '../terminal/terminals-view.tsx'
import { PageHeader } from './page-header.tsx'
import { SessionNotice } from './session-notice.tsx'
import { useRoute } from './use-route.ts'
import { ViewBoundary } from './view-boundary.tsx'
import './computer.css'

const FilesView = lazy(async () => ({ default: (await import('../files/files-view.tsx')).FilesView }))
const DesktopView = lazy(async () => ({ default: (await import('../desktop/desktop-view.tsx')).DesktopView }))
const PortsView = lazy(async () => ({ default: (await import('../ports/ports-view.tsx')).PortsView }))
const ProcessesView = lazy(async () => ({ default: (await import('../processes/processes-view.tsx')).ProcessesView }))

const isDesktopAddress = window.location.pathname === '/desktop'

/** The page of one computer, or at /desktop its desktop alone. */
export function ComputerPage() {
  const state = useStore(sessionStore)
  const { kind, message } = state
  const isLive = kind === 'live'
  const { value: answer, error } = usePolled(getComputer, 5000, isLive)
  const isReachable = useStore(reachable)
  const current = useRoute()
  const [filesVisited, setFilesVisited] = useState(false)
  if (current === 'files' && !filesVisited) setFilesVisited(true)
  const name = answer && (answer.computer.display_name || answer.computer.handle)
  useEffect(() => {
    if (name !== undefined) document.title = `${name} – Carrel`
  }, [name])

  if (kind !== 'live') {
    const { computer, session } = answer ?? {}
    return <SessionNotice kind={kind} message={message} handle={computer?.handle} isShared={session?.shared} />
  }
  if (!answer)
    return error === '' ? (
      <Notice title="Connecting…" busy />
    ) : (
      <Notice title="The computer does not answer">
        <p>{error} The page keeps trying.</p>
      </Notice>
    )

  const offline = !isReachable && (
    <p className="offline" role="alert">
      The server cannot be reached. The page keeps trying.
    </p>
  )
  if (isDesktopAddress || answer.session.kind === 'vnc')
    return (
      <main className="alone">
        {offline}
        <ViewBoundary>
          <DesktopView answer={answer} />
        </ViewBoundary>
      </main>
    )
  return (
    <div className="app">
      <button type="button" className="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <PageHeader answer={answer} current={current} />
      {offline}
      <main id="main" tabIndex={-1}>
        <TerminalsView isActive={current === 'terminal'} />
        <ViewBoundary>{filesVisited && <FilesView isActive={current === 'files'} />}</ViewBoundary>
        <ViewBoundary key={current}>
          {current === 'desktop' && <DesktopView answer={answer} />}
          {current === 'ports' && <PortsView mayChange={!answer.session.shared} />}
          {current === 'processes' && <ProcessesView />}
        </ViewBoundary>
      </main>
    </div>
  )
}

import { useEffect, useEffectEvent, useRef, useState } from 'react'
import { mayReconnect, socketUrl } from '../api/sockets.ts'
import { listTerminals, terminalSocketPath, type Terminal } from '../api/terminals.ts'
import { KeyRow } from './key-row.tsx'
import { TerminalScreen } from './terminal-screen.ts'
import { TerminalSocket, type TerminalEnd, type TerminalState } from './terminal-socket.ts'

interface Props {
  terminal: Terminal
  /** Whether this page has just made the terminal, so that nothing was printed before. */
  isNew: boolean
  isActive: boolean
  onTitle: (title: string) => void
  onEnd: () => void
  onLeave: () => void
}

/** One terminal: its screen and its connection, for as long as its tab is there. */
export function TerminalPane({ terminal, isNew, isActive, onTitle, onEnd, onLeave }: Props) {
  const element = useRef<HTMLDivElement>(null)
  const screen = useRef<TerminalScreen>(undefined)
  const socket = useRef<TerminalSocket>(undefined)
  const [state, setState] = useState<TerminalState>('connecting')
  const [hasControl, setHasControl] = useState(false)
  const changeTitle = useEffectEvent(onTitle)
  const end = useEffectEvent(onEnd)
  const leave = useEffectEvent(onLeave)
  const { id } = terminal
  const hasPast = useRef(!isNew)

  useEffect(() => {
    if (!element.current) return
    const view = new TerminalScreen(element.current, {
      onInput: (data) => socket.current?.send(data),
      onResize: (cols, rows) => socket.current?.resize(cols, rows),
      onTitle: (title) => changeTitle(title),
      onControlUsed: () => setHasControl(false),
      onLeave: () => leave(),
    })
    const connection: TerminalSocket = new TerminalSocket({
      open: (after) => new WebSocket(socketUrl(terminalSocketPath(id, after))),
      mayReconnect,
      exists: async () => (await listTerminals()).terminals.some((each) => each.id === id),
      size: view.size,
      hasPast: hasPast.current,
      listener: {
        onState: setState,
        onOutput: (bytes, replayed) => view.write(bytes, { replayed, onDrawn: () => connection.drawn(bytes.length) }),
        onGap: () => view.note('Some output is no longer there'),
        onError: (message) => view.note(message),
        onEnd: (how) => {
          view.note(endText(how))
          end()
        },
      },
    })
    screen.current = view
    socket.current = connection
    const retry = () => document.hidden || connection.retryNow()
    window.addEventListener('online', retry)
    document.addEventListener('visibilitychange', retry)
    return () => {
      window.removeEventListener('online', retry)
      document.removeEventListener('visibilitychange', retry)
      connection.close()
      view.dispose()
    }
  }, [id])

  useEffect(() => {
    if (!isActive) return
    screen.current?.fit()
    screen.current?.focus()
  }, [isActive])

  const toggleControl = () => {
    if (screen.current) screen.current.hasControl = !hasControl
    setHasControl(!hasControl)
  }

  return (
    <div
      className="terminal-pane"
      role="tabpanel"
      id={`terminal-panel-${id}`}
      aria-labelledby={`terminal-tab-${id}`}
      hidden={!isActive}
    >
      <div className="terminal-space">
        <div className="terminal-screen" ref={element} />
      </div>
      <KeyRow hasControl={hasControl} onControl={toggleControl} onKey={(key) => screen.current?.press(key)} />
      {(state === 'connecting' || state === 'waiting') && (
        <p className="terminal-state" role="status">
          {state === 'waiting' ? 'Reconnecting…' : 'Connecting…'}
          {state === 'waiting' && (
            <button type="button" className="link" onClick={() => socket.current?.retryNow()}>
              Try now
            </button>
          )}
        </p>
      )}
    </div>
  )
}

function endText({ code, signal }: TerminalEnd): string {
  if (signal !== null) return `The shell was ended by ${signal}`
  if (code === null || code === 0) return 'The shell has ended'
  return `The shell has ended with exit code ${code}`
}

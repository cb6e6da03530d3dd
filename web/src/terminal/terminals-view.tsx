import { useEffect, useRef, useState } from 'react'
import { messageOf } from '../api/request.ts'
import { closeTerminal, listTerminals, openTerminal, type Terminal } from '../api/terminals.ts'
import { Dialog } from '../design/dialog.tsx'
import { Notice } from '../design/notice.tsx'
import { withNumberedTitles } from './numbered-titles.ts'
import { TerminalPane } from './terminal-pane.tsx'
import { TerminalTabs } from './terminal-tabs.tsx'
import '@xterm/xterm/css/xterm.css'
import './terminal.css'

const activeKey = 'carrel.terminal'
/** The size until the screen has been measured. */
const firstSize = { cols: 100, rows: 30 }

interface OpenTerminal extends Terminal {
  /** Whether this page has just made it. */
  isNew: boolean
}

/** The computer's terminals, which outlive this page. The first one is opened by itself. */
export function TerminalsView({ isActive }: { isActive: boolean }) {
  const [terminals, setTerminals] = useState<OpenTerminal[]>()
  const [activeId, setActiveId] = useState<string>()
  const [error, setError] = useState('')
  const [closing, setClosing] = useState<Terminal>()
  const [isOpening, setIsOpening] = useState(false)

  const select = (id: string | undefined) => {
    setActiveId(id)
    if (id !== undefined) sessionStorage.setItem(activeKey, id)
  }

  const open = async () => {
    setIsOpening(true)
    try {
      const { terminal } = await openTerminal(firstSize)
      setTerminals((before = []) => [...before, { ...terminal, isNew: true }])
      select(terminal.id)
      setError('')
    } catch (failure) {
      setError(messageOf(failure))
    }
    setIsOpening(false)
  }

  const load = async () => {
    try {
      const { terminals: found } = await listTerminals()
      const running = found.filter(({ exited }) => !exited)
      setTerminals(running.map((terminal) => ({ ...terminal, isNew: false })))
      setError('')
      const last = sessionStorage.getItem(activeKey)
      const first = running.find(({ id }) => id === last) ?? running[0]
      if (first) select(first.id)
      else await open()
    } catch (failure) {
      setError(messageOf(failure))
    }
  }

  const loaded = useRef(false)
  useEffect(() => {
    if (loaded.current) return
    loaded.current = true
    void load()
  })

  const change = (id: string, change: Partial<Terminal>) =>
    setTerminals((before) => before?.map((each) => (each.id === id ? { ...each, ...change } : each)))

  const close = async (id: string) => {
    setClosing(undefined)
    const at = terminals?.findIndex((each) => each.id === id) ?? -1
    const left = terminals?.filter((each) => each.id !== id)
    setTerminals(left)
    if (id === activeId) select(left?.[Math.min(at, left.length - 1)]?.id)
    await closeTerminal(id).catch((failure: unknown) => setError(messageOf(failure)))
  }

  const tabs = withNumberedTitles(terminals ?? [])
  const askToClose = (id: string) => {
    const terminal = tabs.find((each) => each.id === id)
    if (terminal?.exited) void close(id)
    else setClosing(terminal)
  }

  if (terminals === undefined)
    return (
      <section className="view terminals" hidden={!isActive}>
        {error === '' ? (
          <Notice title="Opening the terminal…" busy />
        ) : (
          <Notice title="There is no terminal yet">
            <p>{error}</p>
            <button type="button" onClick={() => void load()}>
              Try again
            </button>
          </Notice>
        )}
      </section>
    )

  return (
    <section className="view terminals" aria-label="Terminal" hidden={!isActive}>
      <TerminalTabs
        tabs={tabs}
        activeId={activeId}
        onSelect={select}
        onClose={askToClose}
        onOpen={() => void open()}
        canOpen={!isOpening}
      />
      {error !== '' && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      {terminals.map((terminal) => (
        <TerminalPane
          key={terminal.id}
          terminal={terminal}
          isNew={terminal.isNew}
          isActive={isActive && terminal.id === activeId}
          onTitle={(title) => title !== '' && change(terminal.id, { title })}
          onEnd={() => change(terminal.id, { exited: true })}
          onLeave={() => document.getElementById(`terminal-tab-${terminal.id}`)?.focus()}
        />
      ))}
      {terminals.length === 0 && (
        <Notice title="No terminal is open">
          <button type="button" onClick={() => void open()} disabled={isOpening}>
            New terminal
          </button>
        </Notice>
      )}
      {closing && (
        <Dialog
          title={`End “${closing.title}”?`}
          action="End"
          dangerous
          onAgree={() => void close(closing.id)}
          onCancel={() => setClosing(undefined)}
        >
          <p>Its shell, and what runs in it, ends.</p>
        </Dialog>
      )}
    </section>
  )
}

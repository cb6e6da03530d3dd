import { useEffect, useRef, type KeyboardEvent } from 'react'
import { Icon } from '../design/icon.tsx'
import { IconButton } from '../design/icon-button.tsx'

export interface Tab {
  id: string
  title: string
  exited: boolean
}

interface Props {
  tabs: Tab[]
  activeId: string | undefined
  onSelect: (id: string) => void
  onClose: (id: string) => void
  onOpen: () => void
  canOpen: boolean
}

/** The tabs of the terminals. Left and Right go from tab to tab, Delete closes one. */
export function TerminalTabs({ tabs, activeId, onSelect, onClose, onOpen, canOpen }: Props) {
  const list = useRef<HTMLDivElement>(null)

  useEffect(() => {
    if (!list.current || activeId === undefined) return
    const active = list.current.querySelector(`#terminal-tab-${CSS.escape(activeId)}`)?.parentElement
    // Also once the strip is shown or has another width, and when the title of a tab moves those after it.
    const observer = new ResizeObserver(() => active?.scrollIntoView({ block: 'nearest', inline: 'nearest' }))
    for (const each of [list.current, ...list.current.children]) observer.observe(each)
    return () => observer.disconnect()
  }, [activeId])

  const onKeyDown = (event: KeyboardEvent) => {
    const at = tabs.findIndex(({ id }) => id === activeId)
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step !== undefined) {
      const next = tabs[(at + step + tabs.length) % tabs.length]
      if (next) onSelect(next.id)
      if (next) list.current?.querySelector<HTMLElement>(`#terminal-tab-${CSS.escape(next.id)}`)?.focus()
    } else if (event.key === 'Delete' && activeId !== undefined) onClose(activeId)
    else return
    event.preventDefault()
  }

  return (
    <div className="tabs">
      <div className="tab-list" role="tablist" aria-label="Terminals" ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ id, title, exited }) => (
          <div key={id} className={`tab ${id === activeId ? 'active' : ''} ${exited ? 'exited' : ''}`}>
            <button
              type="button"
              role="tab"
              id={`terminal-tab-${id}`}
              aria-selected={id === activeId}
              aria-controls={`terminal-panel-${id}`}
              tabIndex={id === activeId ? 0 : -1}
              title={title}
              onClick={() => onSelect(id)}
            >
              <Icon name="terminal" />
              <span>{title}</span>
            </button>
            <IconButton icon="close" label={`Close ${title}`} tabIndex={-1} onClick={() => onClose(id)} />
          </div>
        ))}
      </div>
      <IconButton icon="plus" label="New terminal" disabled={!canOpen} onClick={onOpen} />
      <span className="tabs-hint">Ctrl+F6 leaves the terminal</span>
    </div>
  )
}

import type { TerminalKey } from './terminal-keys.ts'

interface Props {
  /** Whether the next letter is pressed together with Ctrl. */
  hasControl: boolean
  onControl: () => void
  onKey: (key: TerminalKey) => void
}

const keys: [key: TerminalKey, label: string][] = [
  ['Escape', 'Esc'],
  ['Tab', 'Tab'],
  ['ArrowLeft', '←'],
  ['ArrowDown', '↓'],
  ['ArrowUp', '↑'],
  ['ArrowRight', '→'],
]

/** The keys that shells need and the keyboards of touch screens lack. */
export function KeyRow({ hasControl, onControl, onKey }: Props) {
  return (
    // The focus stays in the terminal, so that the keyboard stays open.
    <div className="key-row" role="toolbar" aria-label="Keys" onPointerDown={(event) => event.preventDefault()}>
      <button type="button" className="quiet" aria-pressed={hasControl} onClick={onControl}>
        Ctrl
      </button>
      {keys.map(([key, label]) => (
        <button key={key} type="button" className="quiet" aria-label={key} onClick={() => onKey(key)}>
          {label}
        </button>
      ))}
    </div>
  )
}

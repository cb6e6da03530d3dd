import { useEffect, useRef } from 'react'

interface Props {
  text: string
  onText: (text: string) => void
  onClose: () => void
}

/** The desktop's clipboard as text: to be read, and written where the browser does not share its own by itself. */
export function ClipboardPanel({ text, onText, onClose }: Props) {
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => area.current?.focus(), [])
  const paste = async () => {
    try {
      onText(await navigator.clipboard.readText())
    } catch {
      // The browser, or its user, refuses: the text can be pasted by hand.
      area.current?.focus()
    }
  }
  return (
    <section
      className="clipboard-panel"
      aria-label="Clipboard of the desktop"
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <label htmlFor="clipboard-text">Clipboard of the desktop</label>
      <textarea
        id="clipboard-text"
        ref={area}
        rows={5}
        value={text}
        spellCheck={false}
        onChange={({ target }) => onText(target.value)}
      />
      <div className="dialog-actions">
        {navigator.clipboard !== undefined && (
          <>
            <button type="button" className="quiet" onClick={() => void navigator.clipboard.writeText(text)}>
              Copy to mine
            </button>
            <button type="button" className="quiet" onClick={() => void paste()}>
              Take from mine
            </button>
          </>
        )}
        <button type="button" onClick={onClose}>
          Done
        </button>
      </div>
    </section>
  )
}

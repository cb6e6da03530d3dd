import { useEffect, useRef, type ReactNode } from 'react'

interface Props {
  title: string
  children?: ReactNode
  /** The words of the button that agrees. */
  action: string
  /** Whether agreeing destroys something. */
  dangerous?: boolean
  /** A second way to agree, such as to go on without saving. */
  other?: { action: string; onClick: () => void } | undefined
  onAgree: () => void
  onCancel: () => void
}

/** Asks before something is done. Escape cancels; the focus is kept inside by the browser. */
export function Dialog({ title, children, action, dangerous = false, other, onAgree, onCancel }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="dialog-title" onClose={onCancel}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onAgree()
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div className="dialog-actions">
          <button type="button" className="quiet" onClick={onCancel}>
            Cancel
          </button>
          {other && (
            <button type="button" className="quiet" onClick={other.onClick}>
              {other.action}
            </button>
          )}
          <button type="submit" className={dangerous ? 'danger' : ''}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  )
}

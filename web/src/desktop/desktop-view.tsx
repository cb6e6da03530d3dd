import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import type { ComputerAnswer } from '../api/computer.ts'
import { sentenceOf } from '../api/request.ts'
import { IconButton } from '../design/icon-button.tsx'
import { Notice } from '../design/notice.tsx'
import { ClipboardPanel } from './clipboard-panel.tsx'
import { DesktopConnection, type DesktopState } from './desktop-connection.ts'
import { offerText, takeText } from './shared-clipboard.ts'
import { TouchKeyboard } from './touch-keyboard.tsx'
import { useSound } from './sound/use-sound.ts'
import './desktop.css'

/** The desktop of the computer, or why there is none. */
export function DesktopView({ answer: { computer, session } }: { answer: ComputerAnswer }) {
  if (computer.desktop_available) return <Desktop mayControl={!session.view_only} />
  return (
    <Notice title="This computer has no desktop">
      <p>
        Its image, <code>{computer.image_id}</code>, has none. A computer made from the image <code>desktop</code> does.
      </p>
    </Notice>
  )
}

const stateTexts: Record<DesktopState, string> = {
  connecting: 'Starting the desktop…',
  open: '',
  waiting: 'Reconnecting…',
  ended: 'The desktop has ended.',
}

function Desktop({ mayControl }: { mayControl: boolean }) {
  const frame = useRef<HTMLDivElement>(null)
  const screen = useRef<HTMLDivElement>(null)
  const bar = useRef<HTMLDivElement>(null)
  const connection = useRef<DesktopConnection>(undefined)
  const [state, setState] = useState<DesktopState>('connecting')
  const [problem, setProblem] = useState('')
  const [viewOnly, setViewOnly] = useState(!mayControl)
  const [clipboard, setClipboard] = useState('')
  const [showsClipboard, setShowsClipboard] = useState(false)
  const sound = useSound(setProblem)
  const firstViewOnly = useRef(viewOnly)

  useEffect(() => {
    const desktop = new DesktopConnection(screen.current!, {
      viewOnly: firstViewOnly.current,
      listener: {
        onState: (now) => {
          setState(now)
          if (now === 'open') setProblem('')
        },
        onProblem: setProblem,
        onClipboard: (text) => {
          setClipboard(text)
          void offerText(text)
        },
      },
    })
    connection.current = desktop
    const retry = () => document.hidden || desktop.retryNow()
    const share = async () => {
      const text = await takeText()
      if (text !== undefined && text !== '') desktop.sendClipboard(text)
    }
    const onFocus = () => void share()
    window.addEventListener('online', retry)
    window.addEventListener('focus', onFocus)
    document.addEventListener('visibilitychange', retry)
    return () => {
      window.removeEventListener('online', retry)
      window.removeEventListener('focus', onFocus)
      document.removeEventListener('visibilitychange', retry)
      desktop.close()
    }
  }, [])

  useEffect(() => {
    if (connection.current) connection.current.viewOnly = viewOnly
    firstViewOnly.current = viewOnly
  }, [viewOnly])

  const sendClipboard = (text: string) => {
    setClipboard(text)
    connection.current?.sendClipboard(text)
  }

  const onKey = (event: KeyboardEvent) => {
    if (!event.ctrlKey || event.key !== 'F6') return
    event.preventDefault()
    event.stopPropagation()
    connection.current?.blur()
    bar.current?.querySelector('button')?.focus()
  }

  return (
    <div className="desktop" ref={frame} onKeyDownCapture={onKey}>
      <div className="desktop-bar" role="toolbar" aria-label="Desktop" ref={bar}>
        <IconButton
          icon={sound.isOn ? 'sound' : 'muted'}
          label={sound.isOn ? 'Turn sound off' : 'Turn sound on'}
          pressed={sound.isOn}
          onClick={sound.toggle}
        />
        {mayControl && (
          <>
            <IconButton
              icon="clipboard"
              label="Clipboard"
              pressed={showsClipboard}
              onClick={() => setShowsClipboard(!showsClipboard)}
            />
            <IconButton icon="eye" label="View only" pressed={viewOnly} onClick={() => setViewOnly(!viewOnly)} />
          </>
        )}
        {!viewOnly && <TouchKeyboard onKey={(keysym) => connection.current?.sendKey(keysym)} />}
        <IconButton icon="fullScreen" label="Full screen" onClick={() => void toggleFullScreen(frame.current!)} />
        {problem === '' ? (
          <span className="desktop-note hint">{viewOnly ? 'View only' : 'Ctrl+F6 leaves the desktop'}</span>
        ) : (
          <span className="desktop-note" role="alert">
            {sentenceOf(problem)}
          </span>
        )}
      </div>
      <div className="desktop-area">
        <div className="desktop-screen" ref={screen} />
        {state !== 'open' && (
          <div className="desktop-state" role="status">
            <p>{stateTexts[state]}</p>
            {state === 'waiting' && (
              <button type="button" className="quiet" onClick={() => connection.current?.retryNow()}>
                Try now
              </button>
            )}
          </div>
        )}
        {showsClipboard && (
          <ClipboardPanel text={clipboard} onText={sendClipboard} onClose={() => setShowsClipboard(false)} />
        )}
      </div>
    </div>
  )
}

async function toggleFullScreen(element: HTMLElement): Promise<void> {
  if (document.fullscreenElement) await document.exitFullscreen()
  else await element.requestFullscreen()
}

import { sentenceOf } from '../api/request.ts'
import type { SessionState } from '../api/session.ts'
import icon from '../design/icon.svg'
import { Notice } from '../design/notice.tsx'

const titles = {
  stranger: 'This page needs a link',
  stopped: 'The computer is no longer running',
  over: 'This session is over',
}

interface Props {
  kind: Exclude<SessionState['kind'], 'live'>
  /** The server's words, empty where it gave none. */
  message: string
  /** Of the computer, if the page has come to know it. */
  handle?: string | undefined
  /** Whether the visitor came by the link of a share. */
  isShared?: boolean | undefined
}

/** Says that the page is no longer, or not yet, let in, and how to get in. */
export function SessionNotice({ kind, message, handle = 'NAME', isShared = false }: Props) {
  const again = kind === 'over' ? ' again' : ''
  return (
    <Notice title={titles[kind]} icon={icon}>
      {kind === 'stranger' && (
        <>
          <p>A computer opens by a link that its owner makes, and that is good for a while.</p>
          <p>If somebody shared it with you, ask them for a new link.</p>
        </>
      )}
      {kind === 'stopped' && (
        <p>{sentenceOf(message) || 'It was stopped, or belongs to somebody else now.'} Its files are kept.</p>
      )}
      {kind === 'over' && (
        <p>{sentenceOf(message) || 'The link has expired, or was withdrawn.'} What runs on the computer goes on.</p>
      )}
      {isShared && <p>Ask whoever shared it with you {kind === 'stopped' ? 'to start it again' : 'for a new link'}.</p>}
      {kind === 'stopped' && !isShared && (
        <>
          <p>To start it again:</p>
          <code className="command">carrel computers start {handle}</code>
        </>
      )}
      <p>{isShared ? 'The owner makes a link by this:' : `To open it${again}, its owner makes a link:`}</p>
      <code className="command">
        carrel computers {isShared ? 'shares create' : 'open'} {handle}
      </code>
    </Notice>
  )
}

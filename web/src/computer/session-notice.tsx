import type { SessionState } from '../api/session.ts'
import { sentenceOf } from '../api/request.ts'
import { Notice } from '../design/notice.tsx'

/** Says that the page is no longer, or not yet, let in, and how to get in. */
export function SessionNotice({
  state: { kind, message },
  handle,
}: {
  state: SessionState
  handle: string | undefined
}) {
  const command = <code>carrel computers open {handle ?? 'NAME'}</code>
  if (kind === 'stranger')
    return (
      <Notice title="This page needs a link">
        <p>
          A computer opens by a link that its owner makes, and that is good for a while. Make one with {command}, or ask
          whoever sent you here.
        </p>
      </Notice>
    )
  if (kind === 'stopped')
    return (
      <Notice title="The computer is no longer running">
        <p>{sentenceOf(message) || 'It was stopped, or belongs to somebody else now.'}</p>
        <p>
          Start it again with <code>carrel computers start {handle ?? 'NAME'}</code>, then open it with {command}. Its
          files are kept.
        </p>
      </Notice>
    )
  return (
    <Notice title="This session is over">
      <p>{sentenceOf(message) || 'The link has expired, or was withdrawn.'}</p>
      <p>Open the computer again with {command}, or ask for a new link. What runs on it goes on.</p>
    </Notice>
  )
}

import type { CarrelError, ErrorCode } from '../../errors.ts'

/** What the page of a preview that cannot be shown says. */
export interface PreviewWords {
  title: string
  label: string
  tone: 'wait' | 'bad'
  /** What happened, and what a visitor can do. */
  visitor: string
  /** What the owner can do, and the command for it. */
  owner?: { text: string; command: string }
  /** Whether the page looks again by itself for a while. */
  looksAgain?: boolean
}

/** Returns the words for an error. A visitor learns nothing of the owner, the account or the computer. */
export function previewWords(error: CarrelError, port: number | undefined): PreviewWords {
  const { code, details } = error
  if (code === 'computer_stopped' && isStarting(details.state)) return starting
  if (code === 'computer_stopped' || code === 'conflict' || details.reason === 'not_running')
    return ended(details, port)
  if (code === 'upstream_unreachable') return silent(details, port)
  return words[code]?.(port) ?? broken
}

function isStarting(state: unknown): boolean {
  return state === 'creating' || state === 'starting'
}

const starting: PreviewWords = {
  title: 'This preview is starting',
  label: 'Starting',
  tone: 'wait',
  visitor: 'The computer behind it is being started, which takes a moment.',
  looksAgain: true,
}

function ended({ state, idleMs }: CarrelError['details'], port: number | undefined): PreviewWords {
  const why = typeof idleMs === 'number' ? ` after ${duration(idleMs)} without use` : ''
  const visitor =
    state === 'failed'
      ? 'The computer behind it has failed. Ask whoever gave you the address to start it again.'
      : `The computer behind it was stopped${why}. Ask whoever gave you the address to start it again.`
  return {
    title: 'This preview has ended',
    label: 'Ended',
    tone: 'bad',
    visitor,
    owner: {
      text: 'Start your server again, for example by this. The address stays the same.',
      command: startCommand(port),
    },
  }
}

function silent({ reason }: CarrelError['details'], port: number | undefined): PreviewWords {
  if (reason === undefined)
    return {
      title: 'This preview does not answer',
      label: 'No valid answer',
      tone: 'bad',
      visitor: `The program on port ${port} sent something that is not a web page. Load the page again, or ask its owner.`,
      owner: { text: 'See which of your processes runs, and what it prints:', command: ofSandbox('ps') },
    }
  if (reason === 'not_accepting')
    return {
      title: 'This preview is busy',
      label: 'Busy',
      tone: 'wait',
      visitor: `The program on port ${port} takes no more visitors at the moment.`,
      looksAgain: true,
    }
  return {
    title: 'Nothing to show yet',
    label: 'Waiting',
    tone: 'wait',
    visitor: `The computer is there, but no program answers on its port ${port}. It may be starting.`,
    owner: { text: 'Start your server on this port, for example by this:', command: startCommand(port) },
    looksAgain: true,
  }
}

function startCommand(port = 8080): string {
  return ofSandbox('start', `'python3 -m http.server ${port}'`)
}

/** Returns a command for the sandbox of the preview, whose name only its owner knows. */
function ofSandbox(verb: string, ...operands: string[]): string {
  return ['carrel', verb, '--session', '<sandbox>', ...operands].join(' ')
}

const broken: PreviewWords = {
  title: 'This preview cannot be shown',
  label: 'Failed',
  tone: 'bad',
  visitor: 'Something between you and the program went wrong. Load the page again in a moment.',
}

const words: Partial<Record<ErrorCode, (port?: number) => PreviewWords>> = {
  not_found: (port = 8080) => ({
    title: 'There is no preview here',
    label: 'Not found',
    tone: 'bad',
    visitor: 'It was closed, or the address has a typing error. Ask whoever gave you the address for another one.',
    owner: { text: 'Expose the port, which prints its address:', command: ofSandbox('expose', String(port)) },
  }),
  unauthenticated: () => ({
    title: 'This preview is private',
    label: 'Private',
    tone: 'bad',
    visitor: 'It opens with a link that has its own key. Ask whoever gave you the address for such a link.',
    owner: {
      text: 'Programs send a token of your workspace:',
      command: 'curl -H "Authorization: Bearer $CARREL_TOKEN" <address>',
    },
  }),
  other_node: (port = 8080) => ({
    title: 'This preview is on another server',
    label: 'Elsewhere',
    tone: 'bad',
    visitor: 'This address does not lead to it. Ask whoever gave you the address for another one.',
    owner: { text: 'Ask that server for the address:', command: ofSandbox('expose', String(port)) },
  }),
  request_timeout: () => ({
    title: 'The request was cut off',
    label: 'Timed out',
    tone: 'bad',
    visitor: 'What you sent stopped arriving. Check your connection, and send it again.',
  }),
  too_large: () => ({
    title: 'The request is too large',
    label: 'Too large',
    tone: 'bad',
    visitor: 'Send less at a time.',
  }),
  limit_reached: () => busy,
  no_capacity: () => busy,
  unavailable: () => ({
    title: 'The server restarts',
    label: 'Restarting',
    tone: 'wait',
    visitor: 'The preview is back in a moment.',
    looksAgain: true,
  }),
}

const busy: PreviewWords = {
  title: 'This preview is busy',
  label: 'Busy',
  tone: 'wait',
  visitor: 'Too many connections are open at the moment. Load the page again in a moment.',
}

/** Returns a time in words, such as `10 minutes`. */
function duration(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const
  const [unitMs, unit] = units.find(([size]) => ms >= size && ms % size === 0) ?? ([1000, 'second'] as const)
  const count = Math.round(ms / unitMs)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

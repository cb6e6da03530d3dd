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

interface Computer {
  port: number | undefined
  /** Whether it is known to keep its files when it stops; its owner has other commands then. */
  keepsFiles: boolean
}

/**
 * Returns the words for an error. A visitor learns nothing of the owner, the account or the computer, save whether it
 * keeps its files.
 */
export function previewWords(error: CarrelError, computer: Computer): PreviewWords {
  const { code, details } = error
  if (code === 'computer_stopped' && isStarting(details.state)) return starting
  if (code === 'computer_stopped' || code === 'conflict' || details.reason === 'not_running')
    return ended(details, computer)
  if (code === 'upstream_unreachable') return silent(details, computer)
  return words[code]?.(computer) ?? broken
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

function ended({ state, idleMs }: CarrelError['details'], computer: Computer): PreviewWords {
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
    owner: computer.keepsFiles
      ? {
          text: 'Start the computer, and your server in it, for example by this. The address stays the same.',
          command: `carrel computers start <handle>\n${startCommand(computer)}`,
        }
      : {
          text: 'Start your server again, for example by this. The address stays the same.',
          command: startCommand(computer),
        },
  }
}

function silent({ reason }: CarrelError['details'], computer: Computer): PreviewWords {
  const { port } = computer
  if (reason === undefined)
    return {
      title: 'This preview does not answer',
      label: 'No valid answer',
      tone: 'bad',
      visitor: `The program on port ${port} sent something that is not a web page. Load the page again, or ask its owner.`,
      owner: { text: 'See which of your processes runs, and what it prints:', command: inComputer(computer, 'ps') },
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
    owner: { text: 'Start your server on this port, for example by this:', command: startCommand(computer) },
    looksAgain: true,
  }
}

function startCommand({ port = 8080, ...computer }: Computer): string {
  return inComputer(computer, 'start', `'python3 -m http.server ${port}'`)
}

/** Returns a command for the computer of the preview, whose name only its owner knows. */
function inComputer({ keepsFiles }: Pick<Computer, 'keepsFiles'>, verb: string, ...operands: string[]): string {
  return ['carrel', verb, '--session', keepsFiles ? '<handle>' : '<sandbox>', ...operands].join(' ')
}

/** Returns the command that makes a port public and prints its address. */
function publishCommand({ port = 8080, keepsFiles }: Computer): string {
  return keepsFiles
    ? `carrel computers ports publish <handle> ${port} --public`
    : inComputer({ keepsFiles }, 'expose', String(port))
}

/** Returns the command that prints the address of a port that is published already. */
function addressCommand(computer: Computer): string {
  return computer.keepsFiles ? 'carrel computers ports <handle>' : publishCommand(computer)
}

const broken: PreviewWords = {
  title: 'This preview cannot be shown',
  label: 'Failed',
  tone: 'bad',
  visitor: 'Something between you and the program went wrong. Load the page again in a moment.',
}

const words: Partial<Record<ErrorCode, (computer: Computer) => PreviewWords>> = {
  not_found: (computer) => ({
    title: 'There is no preview here',
    label: 'Not found',
    tone: 'bad',
    visitor: 'It was closed, or the address has a typing error. Ask whoever gave you the address for another one.',
    owner: {
      text: 'Open the port of your sandbox, or of your computer that keeps its files, which prints its address:',
      command: [false, true].map((keepsFiles) => publishCommand({ ...computer, keepsFiles })).join('\n'),
    },
  }),
  unauthenticated: (computer) => ({
    title: 'This preview is private',
    label: 'Private',
    tone: 'bad',
    visitor: 'It opens with a link that has its own key. Ask whoever gave you the address for such a link.',
    owner: {
      text: 'Open it from the page of its computer, under Ports; or let everybody open it; or send a token of your workspace, as programs do:',
      command: [
        'carrel computers open <handle>',
        publishCommand({ ...computer, keepsFiles: true }),
        'curl -H "Authorization: Bearer $CARREL_TOKEN" <address>',
      ].join('\n'),
    },
  }),
  other_node: (computer) => ({
    title: 'This preview is on another server',
    label: 'Elsewhere',
    tone: 'bad',
    visitor: 'This address does not lead to it. Ask whoever gave you the address for another one.',
    owner: { text: 'Ask that server for the address:', command: addressCommand(computer) },
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

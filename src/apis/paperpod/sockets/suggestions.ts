import { limits } from '../../../config/limits.ts'
import type { ProcessExit } from '../../../engine/types.ts'
import type { Call, Fields } from './message.ts'

/** An unsolicited hint about what to do next. */
export interface Suggestion extends Fields {
  message: string
  category:
    | 'port_detected'
    | 'missing_module'
    | 'missing_command'
    | 'out_of_memory'
    | 'disk_full'
    | 'timeout'
    | 'unknown_field'
    | 'port_closed'
  /**
   * A message to send, by its `type`, or a setting with the type `operator` if only the operator can act. Can be
   * missing.
   */
  action?: Fields
}

interface Ended {
  exit: ProcessExit
  /** The end of stderr. */
  stderr: string
  /** The process as its client names it. */
  processId: string
  sessionId: string
  /** The command line that was run, where it was one. */
  command?: string | undefined
}

/** Sends a suggestion after a process failed, if one is known to help. */
export function suggestAfter({ send, engine }: Pick<Call<unknown>, 'send' | 'engine'>, ended: Ended): void {
  const { processId, sessionId } = ended
  const suggestion = suggestionFor(ended, engine.settings)
  const session = sessionId === '' ? {} : { sessionId }
  if (suggestion) void send('suggestion', { ...suggestion, processId, ...session }).catch(() => {})
}

interface Sizes {
  computerMemoryBytes: number
  computerDiskBytes: number
}

/** Returns a suggestion for a process that ended; undefined if nothing is known to help. */
function suggestionFor(
  { exit: { reason, exitCode }, stderr, sessionId, command }: Ended,
  { computerMemoryBytes, computerDiskBytes }: Sizes,
): Suggestion | undefined {
  const session = sessionId === '' ? {} : { sessionId }
  const exec = (line: string, more: Fields = {}) => ({ type: 'exec', command: line, ...more, ...session })
  if (reason === 'oom') {
    const size = computerMemoryBytes / MiB
    return {
      message: `The process was killed because the ${size} MiB of memory of the sandbox ran out. Work on less data at a time, or ask the operator to set CARREL_COMPUTER_MEMORY_MIB to ${size * 2}.`,
      category: 'out_of_memory',
      action: { type: 'operator', setting: 'CARREL_COMPUTER_MEMORY_MIB', value: size * 2 },
    }
  }
  if (reason === 'disk_full') {
    const size = computerDiskBytes / MiB
    return {
      message: `The disk of the sandbox is full: it has ${size} MiB. Find out what takes up the space, and delete what is not needed.`,
      category: 'disk_full',
      action: exec('du -xhd2 /workspace /tmp /home | sort -h | tail'),
    }
  }
  if (reason === 'timeout') {
    const canStart = command !== undefined && command.length <= limits.commandLength
    return {
      message:
        'The process was killed at its time limit. Send a longer "timeout" in milliseconds, or start it in the background.',
      category: 'timeout',
      ...(canStart ? { action: { type: 'process', action: 'start', command, ...session } } : {}),
    }
  }
  if (exitCode === 0) return undefined
  const found = missing(stderr)
  if (!found) return undefined
  const { message, category, install } = found
  return { message: `${message}: ${install}`, category, action: exec(install, { timeout: 0 }) }
}

/** What a program lacks, and the command that installs it. */
interface Missing {
  message: string
  category: Suggestion['category']
  install: string
}

function missing(stderr: string): Missing | undefined {
  const [, module] = /^ModuleNotFoundError: No module named '([\w.]+)'/m.exec(stderr) ?? []
  if (module) {
    const top = module.split('.')[0]!
    return missingModule(`Python module "${module}"`, `pip install ${pythonPackages[top] ?? top}`)
  }
  const [, , npm] = nodeModule.exec(stderr) ?? []
  if (npm) return missingModule(`Node module "${npm}"`, `npm install ${packageOf(npm)}`)
  const [, command] = /: (?:line \d+: )?([\w.+-]+): command not found$/m.exec(stderr) ?? []
  if (!command) return undefined
  const debian = debianPackages[command]
  return {
    message:
      debian === undefined
        ? `The command "${command}" is not installed. If a Debian package has the same name, install that`
        : `The command "${command}" is not installed. Install the Debian package that has it`,
    category: 'missing_command',
    // Images have no lists of packages.
    install: `sudo apt-get update && sudo apt-get install -y ${debian ?? command}`,
  }
}

function missingModule(what: string, install: string): Missing {
  return { message: `The ${what} is not installed. Install it`, category: 'missing_module', install }
}

/** Does not match the user's own files, whose names begin with a dot or a slash. */
const nodeModule = /Cannot find (module|package) '([@\w][\w@./-]*)'/

/** Returns the package of a module: `@scope/name` for `@scope/name/part`, `name` for `name/part`. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The packages whose names differ from their modules' names. */
const pythonPackages: Record<string, string> = {
  bs4: 'beautifulsoup4',
  cv2: 'opencv-python-headless',
  dateutil: 'python-dateutil',
  docx: 'python-docx',
  dotenv: 'python-dotenv',
  fitz: 'PyMuPDF',
  git: 'GitPython',
  jwt: 'PyJWT',
  OpenSSL: 'pyOpenSSL',
  PIL: 'Pillow',
  pptx: 'python-pptx',
  psycopg2: 'psycopg2-binary',
  serial: 'pyserial',
  skimage: 'scikit-image',
  sklearn: 'scikit-learn',
  yaml: 'PyYAML',
}

/** The packages whose names differ from their commands' names. */
const debianPackages: Record<string, string> = {
  convert: 'imagemagick',
  dig: 'dnsutils',
  ifconfig: 'net-tools',
  killall: 'psmisc',
  mysql: 'default-mysql-client',
  nc: 'netcat-openbsd',
  netstat: 'net-tools',
  nslookup: 'dnsutils',
  pdftotext: 'poppler-utils',
  ping: 'iputils-ping',
  psql: 'postgresql-client',
  pstree: 'psmisc',
}

/** Keeps the end of a process's stderr. */
export class StderrTail {
  text = ''

  add(text: string): void {
    this.text = (this.text + text).slice(-4096)
  }
}

const MiB = 1024 * 1024

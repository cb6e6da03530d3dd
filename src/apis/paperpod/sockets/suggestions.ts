import type { ProcessExit } from '../../../engine/types.ts'
import type { Call, Fields } from './message.ts'

/** What can be done next, which nobody asked for. */
export interface Suggestion extends Fields {
  message: string
  category: 'port_detected' | 'missing_module' | 'missing_command' | 'out_of_memory' | 'disk_full' | 'timeout'
  /** A message to send, by its `type`; `operator` where only who runs the server can do it; none where there is none. */
  action?: Fields
}

interface Ended {
  exit: ProcessExit
  /** The end of what it said there. */
  stderr: string
  processId: string
}

/** Sends what helps after a process that did not end well. */
export function suggestAfter(
  { send, engine }: Pick<Call<unknown>, 'send' | 'engine'>,
  { exit, stderr, processId }: Ended,
): void {
  const suggestion = suggestionFor(exit, stderr, engine.settings)
  if (suggestion) void send('suggestion', { ...suggestion, processId }).catch(() => {})
}

interface Sizes {
  computerMemoryBytes: number
  computerDiskBytes: number
}

/** undefined when nothing is known to help. */
export function suggestionFor(
  { reason, exitCode }: Pick<ProcessExit, 'reason' | 'exitCode'>,
  stderr: string,
  { computerMemoryBytes, computerDiskBytes }: Sizes,
): Suggestion | undefined {
  if (reason === 'oom') {
    const size = computerMemoryBytes / MiB
    return {
      message: `It was killed for lack of memory: the sandbox has ${size} MiB. Work on less at a time, or have a bigger size set: CARREL_COMPUTER_MEMORY_MIB=${size * 2}`,
      category: 'out_of_memory',
      action: { type: 'operator', setting: 'CARREL_COMPUTER_MEMORY_MIB', value: size * 2 },
    }
  }
  if (reason === 'disk_full') {
    const size = computerDiskBytes / MiB
    return {
      message: `The disk of the sandbox is full: it has ${size} MiB. Find what takes the room and delete it`,
      category: 'disk_full',
      action: { type: 'exec', command: 'du -xhd2 /workspace /tmp /home | sort -h | tail' },
    }
  }
  if (reason === 'timeout')
    return {
      message: 'It was killed at its time limit. Give it more by "timeout", or run it in the background',
      category: 'timeout',
      action: { type: 'process', action: 'start' },
    }
  return exitCode === 0 ? undefined : missing(stderr)
}

function missing(stderr: string): Suggestion | undefined {
  const [, module] = /^ModuleNotFoundError: No module named '([\w.]+)'/m.exec(stderr) ?? []
  if (module) {
    const top = module.split('.')[0]!
    return install(`Python module "${module}"`, `pip install ${pythonPackages[top] ?? top}`)
  }
  const [, , npm] = nodeModule.exec(stderr) ?? []
  if (npm) return install(`Node module "${npm}"`, `npm install ${packageOf(npm)}`)
  const [, command] = /: (?:line \d+: )?([\w.+-]+): command not found$/m.exec(stderr) ?? []
  if (!command) return undefined
  return {
    message: `There is no command "${command}". If a Debian package of that name has it: sudo apt-get install -y ${command}`,
    category: 'missing_command',
    action: { type: 'exec', command: `sudo apt-get install -y ${command}`, timeout: 0 },
  }
}

function install(what: string, command: string): Suggestion {
  return {
    message: `${what} is not installed: ${command}`,
    category: 'missing_module',
    action: { type: 'exec', command, timeout: 0 },
  }
}

/** Not a file of one's own, which begins with a dot or a slash. */
const nodeModule = /Cannot find (module|package) '([@\w][\w@./-]*)'/

/** `@scope/name/part` is in `@scope/name`, `name/part` in `name`. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Where a package is not called like its module. */
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

/** The end of what a process says on stderr. */
export class StderrTail {
  text = ''

  add(text: string): void {
    this.text = (this.text + text).slice(-4096)
  }
}

const MiB = 1024 * 1024

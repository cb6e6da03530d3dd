import type { ProcessExit } from '../../../engine/types.ts'
import type { Call, Fields } from './message.ts'

/** An unsolicited hint about what to do next. */
export interface Suggestion extends Fields {
  message: string
  category: 'port_detected' | 'missing_module' | 'missing_command' | 'out_of_memory' | 'disk_full' | 'timeout'
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
  processId: string
}

/** Sends a suggestion after a process failed, if one is known to help. */
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

/** Returns a suggestion for an exit; undefined if nothing is known to help. */
export function suggestionFor(
  { reason, exitCode }: Pick<ProcessExit, 'reason' | 'exitCode'>,
  stderr: string,
  { computerMemoryBytes, computerDiskBytes }: Sizes,
): Suggestion | undefined {
  if (reason === 'oom') {
    const size = computerMemoryBytes / MiB
    return {
      message: `The process was killed because memory ran out: the sandbox has ${size} MiB. Process less at a time, or ask the operator for more memory: CARREL_COMPUTER_MEMORY_MIB=${size * 2}`,
      category: 'out_of_memory',
      action: { type: 'operator', setting: 'CARREL_COMPUTER_MEMORY_MIB', value: size * 2 },
    }
  }
  if (reason === 'disk_full') {
    const size = computerDiskBytes / MiB
    return {
      message: `The disk of the sandbox is full: it has ${size} MiB. Find what takes up the space and delete it`,
      category: 'disk_full',
      action: { type: 'exec', command: 'du -xhd2 /workspace /tmp /home | sort -h | tail' },
    }
  }
  if (reason === 'timeout')
    return {
      message: 'The process was killed at its time limit. Allow more time with "timeout", or run it in the background',
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
    message: `There is no command "${command}". If a Debian package of that name provides it: sudo apt-get install -y ${command}`,
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

/** Keeps the end of a process's stderr. */
export class StderrTail {
  text = ''

  add(text: string): void {
    this.text = (this.text + text).slice(-4096)
  }
}

const MiB = 1024 * 1024

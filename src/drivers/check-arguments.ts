import { CarrelError } from '../errors.ts'

/** The kernel accepts 128 KiB for one argument, and a quarter of the stack limit in total. */
const maxArgumentBytes = 128 * 1024 - 1
const maxArgumentsBytes = 1536 * 1024

/** Throws for arguments that the kernel does not accept: `invalid_request` for a NUL, `too_large` for their length. */
export function checkArguments(argv: string[], env: Record<string, string>): void {
  const words = [...argv, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
  const sizes = words.map((word) => Buffer.byteLength(word))
  if (words.some((word) => word.includes('\0'))) {
    throw new CarrelError('invalid_request', 'Cannot start the process: an argument or variable has a NUL character')
  }
  if (Math.max(...sizes) > maxArgumentBytes || sizes.reduce((sum, size) => sum + size + 9, 0) > maxArgumentsBytes) {
    throw new CarrelError(
      'too_large',
      `Cannot start the process: an argument is longer than ${maxArgumentBytes} bytes, or all of them together than ${maxArgumentsBytes}`,
    )
  }
}

import type { ComputerSize } from '../../../sdk/index.ts'
import { shortSize } from '../sizes.ts'
import { UsageError } from '../usage-error.ts'
import type { Options, Values } from '../verb.ts'

/** The options that say how large a computer is. */
export const sizeOptions: Options = {
  size: { type: 'string', short: 's', value: '<preset>', help: 'Size: ram-2g (the default), ram-4g or ram-8g' },
  memory: { type: 'string', value: '<size>', help: 'Memory instead of a preset, such as 6G' },
  storage: { type: 'string', value: '<size>', help: 'Storage to go with --memory, such as 20G' },
}

/** Returns the size that the options ask for; nothing where they do not. Throws a `UsageError`. */
export function sizeOf(values: Values): ComputerSize {
  if ((values['memory'] === undefined) !== (values['storage'] === undefined))
    throw new UsageError('A size of its own needs both --memory and --storage')
  return newSizeOf(values)
}

/** Returns the size that a computer gets instead of its own: memory or storage may stay. Throws a `UsageError`. */
export function newSizeOf({ size, memory, storage }: Values): ComputerSize {
  if (size !== undefined && (memory !== undefined || storage !== undefined))
    throw new UsageError('Cannot use --size together with --memory and --storage')
  return {
    sizePreset: size as string | undefined,
    memoryMib: memory === undefined ? undefined : bytesOf('memory', memory) / 1024 ** 2,
    storageBytes: storage === undefined ? undefined : bytesOf('storage', storage),
  }
}

/** Returns a size as users read it, such as `4.0 GiB memory, 10.0 GiB storage`. */
export function sizeText(memoryMib: number, storageBytes: number): string {
  return `${shortSize(memoryMib * 1024 ** 2)} memory, ${shortSize(storageBytes)} storage`
}

/** Reads `6G`, `6 GiB`, `6144M`; a number alone is GiB. */
function bytesOf(option: string, given: Values[string]): number {
  const [, count, unit = 'g'] = /^(\d+(?:\.\d+)?) *([mgt])?(?:i?b)?$/i.exec(String(given)) ?? []
  const bytes = Number(count) * 1024 ** (2 + 'mgt'.indexOf(unit.toLowerCase()))
  if (count === undefined || !Number.isInteger(bytes / 1024 ** 2))
    throw new UsageError(`Cannot use --${option} "${String(given)}": it has to be a size such as 6G or 6144M`)
  return bytes
}

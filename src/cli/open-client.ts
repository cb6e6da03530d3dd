import { Carrel } from '../../sdk/index.ts'
import type { CarrelOptions } from '../../sdk/index.ts'
import { parseTimeLimit } from './arguments.ts'
import { packageVersion } from './package-version.ts'
import type { Program } from './program.ts'
import type { Settings } from './settings.ts'
import { readSettings } from './settings.ts'
import type { Values } from './verb.ts'

/** Opens a client with the settings of the options, the environment and the files. */
export async function openClient(program: Program, values: Values, more: CarrelOptions = {}): Promise<Carrel> {
  return clientOf(program, values, await readSettings(program, values), more)
}

/** Returns a client with these settings. */
export function clientOf(program: Program, values: Values, settings: Settings, more: CarrelOptions = {}): Carrel {
  program.tokenSource = settings.token?.source
  return new Carrel({
    baseUrl: settings.url,
    // With undefined, the client would read a token from the environment by itself.
    token: settings.token?.value ?? '',
    sessionId: settings.sandbox?.name ?? values.session,
    // A request without a limit has an infinite one.
    timeoutMs: values.timeout === '0' ? Infinity : parseTimeLimit(values.timeout),
    userAgent: `${program.name}-cli/${packageVersion()}`,
    ...more,
  })
}

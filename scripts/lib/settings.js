import { SetupFailure } from './setup-failure.js'

/** Returns the settings that preparing the host needs, with the server's defaults. `port` 0 is any free port. */
export function readSettings(env = process.env) {
  const port = Number(env.CARREL_PORT || 4280)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SetupFailure(`Cannot listen on port "${env.CARREL_PORT}": set CARREL_PORT to a number from 1 to 65535.`)
  }
  return {
    host: env.CARREL_HOST || '127.0.0.1',
    port,
    dataDirectory: env.CARREL_DATA || '/var/lib/carrel',
  }
}

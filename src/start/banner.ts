import { listenAddress } from '../config/listen-address.ts'
import type { Settings } from '../config/settings.ts'

interface Facts {
  settings: Settings
  token: string
  tokenFile: string
  firstComputerMs: number
  startedMs: number
  limitations: string[]
}

/**
 * Returns what the operator needs after a start: the address, the token, what to type next, and what this host lacks.
 */
export function banner({ settings, token, tokenFile, firstComputerMs, startedMs, limitations }: Facts): string {
  const address = listenAddress(settings)
  const next = `curl -H "Authorization: Bearer $(cat ${tokenFile})" -H 'content-type: application/json' -d '{"code":"print(6*7)","language":"python"}' ${address}/execute`
  return [
    '',
    `  Carrel is ready at ${address} (started in ${(startedMs / 1000).toFixed(1)} s).`,
    `  A fresh computer ran its first command in ${Math.round(firstComputerMs)} ms.`,
    `  Token: ${token}`,
    `  It is stored in ${tokenFile}.`,
    ...limitations.map((limitation) => `  Note: ${limitation}`),
    '',
    '  Try it:',
    `    ${next}`,
    `    ${commandLine(settings, address, tokenFile)} exec 'git --version'`,
    '',
  ].join('\n')
}

/** Returns the command line, with an address and token only where it does not find them by itself. */
function commandLine({ dataDirectory }: Settings, address: string, tokenFile: string): string {
  const usual = address === 'http://127.0.0.1:4280' && dataDirectory === '/var/lib/carrel'
  return usual ? 'npx carrel' : `CARREL_URL=${address} CARREL_TOKEN=$(cat ${tokenFile}) npx carrel`
}

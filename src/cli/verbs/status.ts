import { CarrelApiError, CarrelConnectionError, CarrelTimeoutError } from '../../../sdk/index.ts'
import type { Balance, Carrel, Health, ProcessInfo } from '../../../sdk/index.ts'
import { clientOf } from '../open-client.ts'
import { packageVersion } from '../package-version.ts'
import { emptyHint } from '../pay-hint.ts'
import { sandboxTitle } from '../sandbox-title.ts'
import { readSettings } from '../settings.ts'
import type { ChosenSandbox, Settings } from '../settings.ts'
import { dollars } from '../dollars.ts'
import { table } from '../table.ts'
import { shortTime } from '../times.ts'
import type { Verb } from '../verb.ts'
import { versionNote } from '../version-note.ts'

/** Long enough for any healthy server. */
const defaultTimeoutMs = '10000'

export const status: Verb = {
  usage: 'status [options]',
  description: 'Shows whether the server answers, the sandbox, the credits, and the source and expiry of the token.',
  examples: [['status --json', 'the same for programs']],
  options: {},
  shared: ['session', 'timeout', 'json'],
  operands: [0, 0],
  async run({ program, values }) {
    const settings = await readSettings(program, values)
    const client = clientOf(program, { timeout: defaultTimeoutMs, ...values }, settings, { maxRetries: 0 })
    const state = await query(client)
    const report = reportOf(settings, state)
    if (values.json) await program.stdout.line(JSON.stringify(report))
    else {
      const hint = await emptyHint(client, program.name, report.account.creditsRemaining)
      await program.stdout.write(toText(report, { chosen: settings.sandbox, hint }))
    }
    return 'error' in state.health || 'error' in state.processes ? 1 : 0
  },
}

type Answer<T> = { value: T } | { error: Error }

interface State {
  health: Answer<Health>
  balance: Answer<Balance>
  processes: Answer<ProcessInfo[]>
}

async function query(client: Carrel): Promise<State> {
  const health = await answerOf(client.health())
  if ('error' in health) return { health, balance: health, processes: health }
  const [balance, processes] = await Promise.all([answerOf(client.balance()), answerOf(client.processes.list())])
  return { health, balance, processes }
}

async function answerOf<T>(call: Promise<T>): Promise<Answer<T>> {
  try {
    return { value: await call }
  } catch (error) {
    const isKnown =
      error instanceof CarrelApiError || error instanceof CarrelConnectionError || error instanceof CarrelTimeoutError
    if (isKnown) return { error }
    throw error
  }
}

interface Report {
  server: {
    url: string
    reachable: boolean
    status?: string
    version?: string
    desktopImage?: Health['desktopImage']
    error?: string
    action?: string
  }
  cli: { version: string }
  token: { source: string | null; accepted: boolean | null; expiresAt: string | null; error?: string }
  account: { creditsRemaining: number | string | null }
  sandbox: { sessionId: string; source: string | null; processes: { running: number; total: number } | null }
}

function reportOf({ url, token, sandbox }: Settings, { health, balance, processes }: State): Report {
  const isUp = 'value' in health
  const credits = 'value' in balance ? balance.value : undefined
  const refusal = isUp && 'error' in processes ? processes.error : undefined
  return {
    server: {
      url,
      reachable: isUp,
      ...(isUp
        ? {
            status: health.value.status,
            version: health.value.version,
            ...(health.value.desktopImage ? { desktopImage: health.value.desktopImage } : {}),
          }
        : { error: health.error.message, action: 'Start it with "npm start", or name another with --url.' }),
    },
    cli: { version: packageVersion() },
    token: {
      source: token?.source ?? null,
      accepted: isUp ? refusal === undefined : null,
      expiresAt: credits?.tokenExpiresAt ?? token?.expiresAt ?? null,
      ...(refusal ? { error: refusal.message } : {}),
    },
    account: { creditsRemaining: credits?.creditsRemaining ?? null },
    sandbox: {
      sessionId: sandbox?.name || 'default',
      source: sandbox?.source ?? null,
      processes:
        'value' in processes
          ? {
              running: processes.value.filter(({ status }) => status === 'running').length,
              total: processes.value.length,
            }
          : null,
    },
  }
}

function toText(
  { server, cli, token, account, sandbox }: Report,
  { chosen, hint }: { chosen: ChosenSandbox | undefined; hint: string | undefined },
): string {
  const note = versionNote(cli.version, server.version ?? '')
  const rows = [
    ['Server', server.url + (server.reachable ? `, ${server.status}, version ${server.version}` : '')],
    ...(server.error === undefined ? [] : [['', `${server.error}. ${server.action}`]]),
    ...(server.desktopImage === undefined ? [] : [['Image', imageText(server.desktopImage)]]),
    ['CLI', `version ${cli.version}`],
    ...(note === undefined ? [] : [['', note]]),
    ['Token', token.source === null ? 'none' : `from ${token.source}${expiry(token.expiresAt)}`],
    ...(token.error === undefined ? [] : [['', token.error]]),
  ]
  if (account.creditsRemaining !== null) rows.push(['Credits', dollars(account.creditsRemaining)])
  if (hint !== undefined) rows.push(['', hint])
  const { source, processes } = sandbox
  const title = sandboxTitle(chosen)
  if (processes) rows.push(['Sandbox', `${title}, ${processes.running} of ${processes.total} processes running`])
  else if (source !== null) rows.push(['Sandbox', title])
  return table([{}, {}], rows)
}

/** Says how far the image of computers is, which is built in the background. */
function imageText({ state, step, progress = 0 }: NonNullable<Health['desktopImage']>): string {
  if (state === 'building') return `the desktop image is being built, ${Math.floor(progress * 100)} %: ${step}`
  return state === 'failed'
    ? "the desktop image cannot be built; the server's log says why"
    : 'the desktop image has not been built yet'
}

function expiry(expiresAt: string | null): string {
  if (expiresAt === null) return ''
  const isOver = Date.parse(expiresAt) < Date.now()
  return `, ${isOver ? 'expired' : 'valid until'} ${shortTime(expiresAt)}`
}

import { isIP } from 'node:net'
import { cpus, totalmem } from 'node:os'
import { resolve } from 'node:path'

/** What an operator can set, each by an environment variable that is named in `docs/SETTINGS.md` with its default. */
export interface Settings {
  host: string
  port: number
  dataDirectory: string
  previewDomain: string
  /** The origin by which clients reach the server, without a slash at its end; undefined when it is the one that they ask. */
  publicUrl: string | undefined
  /** What reads the metrics and nothing else; undefined: only the owner's account does. */
  metricsToken: string | undefined
  /** Addresses, ranges and names of them of which `X-Forwarded-*` is believed. */
  trustedProxies: string[]
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  image: string
  runtime: string | undefined
  network: string
  allowedAddresses: string[]
  resolvers: string[]
  computerCpus: number
  computerMemoryBytes: number
  computerDiskBytes: number
  computerPids: number
  idleTimeoutMs: number
  sweepIntervalMs: number
  warmComputers: number
  networkPoolSize: number
  /** Of the disk, for the server alone; a share of it when undefined. */
  diskReserveBytes: number | undefined
  /** False: the owner's account is neither charged nor refused. */
  billing: boolean
  /** A JSON file with prices; undefined for the defaults. */
  priceBook: string | undefined
  /** Where mail is handed over, with user and password; undefined: it is kept in the outbox. */
  smtpUrl: string | undefined
  mailFrom: string
  /** False: only people who are known already can sign in. */
  signUp: boolean
  /** Ways of signing up by which a new account gets its first credit. */
  firstCredit: readonly FirstCreditWay[]
  /** Accounts that get it within a day: of those that sign up from one network, and of all; 0 is no limit. */
  firstCreditsPerNetwork: number
  firstCreditsPerDay: number
  /** Within a day, of links to who is not known here and of invitations, each: those that one network asks for; 0 is no limit. */
  mailsPerNetwork: number
  /** All such links within a day; 0 is no limit. */
  mailsPerDay: number
  /** All invitations within a day; 0 is no limit. */
  invitationsPerDay: number
  oidcIssuers: TrustedIssuer[]
  githubUrl: string
  githubApiUrl: string
  githubClientId: string | undefined
  githubClientSecret: string | undefined
  /** Requests of one address to routes for signing in; 0 is no limit. */
  signInsPerMinute: number
  /** Stripe's secret key; undefined: nobody pays by Stripe. */
  stripeKey: string | undefined
  /** What Stripe signs its webhooks with. */
  stripeWebhookSecret: string | undefined
  /** The profile at Stripe that machines grant their tokens to; undefined: they cannot pay by Stripe. */
  stripeProfile: string | undefined
  /** Another server that speaks Stripe's API; undefined is Stripe's own. */
  stripeUrl: string | undefined
  /** True: deposits are credited by a click, without money. */
  playMoney: boolean
  /** Requests of one account that only ask, on every surface but Pawpado's; 0 is no limit. The owner's have none. */
  readsPerMinute: number
  /** The same for all others. */
  writesPerMinute: number
  /** Of one account on Pawpado's surface, as its document has them; 0 is no limit. */
  pawpadoReadsPerMinute: number
  pawpadoWritesPerMinute: number
  pawpadoPollsPerMinute: number
  /** What challenges of payments are signed with; undefined for one of the data directory. */
  mppSecret: string | undefined
  tempoNetwork: 'mainnet' | 'testnet'
  /** Whom payments on Tempo go to; undefined: they are not taken. */
  tempoRecipient: string | undefined
  /** The dollar that is taken there; undefined for the usual one. */
  tempoToken: string | undefined
  /** The JSON-RPC of a node; undefined for the network's public one. */
  tempoRpc: string | undefined
}

export const firstCreditWays = ['email', 'github', 'issuer', 'wallet'] as const
export type FirstCreditWay = (typeof firstCreditWays)[number]

/** An OpenID issuer whose JWTs are taken when they are for this audience. */
export interface TrustedIssuer {
  issuer: string
  audience: string
}

export class SettingError extends Error {}

const MiB = 1024 * 1024
const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const address = `${octet}(\\.${octet}){3}`
const port = '(6553[0-5]|655[0-2]\\d|65[0-4]\\d\\d|6[0-4]\\d{3}|[1-5]?\\d{1,4})'

/** Reads the settings from environment variables. Throws a `SettingError`, one sentence that names the variable. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const read = reader(env)
  const settings: Settings = {
    host: read.text('CARREL_HOST', '127.0.0.1', /^[\w.:-]+$/, 'an address such as 127.0.0.1'),
    port: read.integer('CARREL_PORT', 4280, 0, 65_535),
    dataDirectory: resolve(
      read.text(
        'CARREL_DATA',
        '/var/lib/carrel',
        /^[^,:\n]{1,60}$/,
        'a path of at most 60 characters without "," and ":"',
      ),
    ),
    previewDomain: read
      .text('CARREL_PREVIEW_DOMAIN', 'localhost', /^[a-z0-9.-]+$/, 'a domain name in lower case')
      .replace(/^\.|\.$/g, ''),
    publicUrl: read.checked('CARREL_PUBLIC_URL', originOf, 'an origin such as https://carrel.example.com'),
    metricsToken: read.secret(
      'CARREL_METRICS_TOKEN',
      /^[\w.~+/=-]{16,4096}$/,
      'at least 16 letters and digits that nobody can guess',
    ),
    trustedProxies: read.list(
      'CARREL_TRUSTED_PROXIES',
      isProxy,
      'addresses as address[/bits], or loopback, linklocal, uniquelocal',
    ),
    logLevel: read.text(
      'CARREL_LOG_LEVEL',
      'info',
      /^(fatal|error|warn|info|debug|trace|silent)$/,
      'fatal, error, warn, info, debug, trace or silent',
    ) as Settings['logLevel'],
    image: read.text('CARREL_IMAGE', 'base', /^[\w./-]+$/, 'the name of a recipe in images/, or a folder with one'),
    runtime: env.CARREL_RUNTIME || undefined,
    network: read.text(
      'CARREL_NETWORK',
      '10.213',
      new RegExp(`^(10\\.${octet}|172\\.(1[6-9]|2\\d|3[01])|192\\.168)$`),
      'the first two numbers of a private /16, such as 10.213',
    ),
    allowedAddresses: read.list(
      'CARREL_ALLOW_ADDRESSES',
      new RegExp(`^${address}(/(\\d|[12]\\d|3[0-2]))?(:${port})?$`),
      'IPv4 addresses as address[/bits][:port]',
    ),
    resolvers: read.list('CARREL_RESOLVERS', new RegExp(`^${address}$`), 'IPv4 addresses'),
    computerCpus: read.number('CARREL_COMPUTER_CPUS', Math.min(2, cpus().length), 0.1, cpus().length),
    computerMemoryBytes: read.integer('CARREL_COMPUTER_MEMORY_MIB', 1024, 64, Math.floor(totalmem() / MiB)) * MiB,
    computerDiskBytes: read.integer('CARREL_COMPUTER_DISK_MIB', 10_240, 64, 64 * 1024 * 1024) * MiB,
    computerPids: read.integer('CARREL_COMPUTER_PIDS', 1024, 16, 4_000_000),
    idleTimeoutMs: read.integer('CARREL_IDLE_TIMEOUT_S', 600, 1, 30 * 24 * 3600) * 1000,
    sweepIntervalMs: read.integer('CARREL_SWEEP_INTERVAL_MS', 5000, 50, 3_600_000),
    warmComputers: read.integer('CARREL_WARM_COMPUTERS', 2, 0, 1000),
    diskReserveBytes: env.CARREL_DISK_RESERVE_MIB
      ? read.integer('CARREL_DISK_RESERVE_MIB', 0, 64, 64 * 1024 * 1024) * MiB
      : undefined,
    networkPoolSize: read.integer('CARREL_NETWORK_POOL', 8, 0, 1000),
    billing: read.text('CARREL_BILLING', 'off', /^(on|off)$/, 'on or off') === 'on',
    priceBook: env.CARREL_PRICE_BOOK || undefined,
    smtpUrl: read.checked('CARREL_SMTP_URL', smtpUrlOf, 'an address such as smtps://user:password@mail.example.com'),
    mailFrom: read.text(
      'CARREL_MAIL_FROM',
      'Carrel <carrel@localhost>',
      /^[^\n\r@]*@[^\s@]+$/,
      'an address such as Carrel <carrel@example.com>',
    ),
    signUp: read.text('CARREL_SIGN_UP', 'open', /^(open|closed)$/, 'open or closed') === 'open',
    // A wallet costs nothing to make, unlike a mailbox.
    firstCredit: read
      .text(
        'CARREL_FIRST_CREDIT',
        'email github issuer',
        /^(none|(email|github|issuer|wallet)([\s,]+(email|github|issuer|wallet))*)$/,
        'none, or some of email, github, issuer and wallet',
      )
      .split(/[\s,]+/)
      .filter((way): way is FirstCreditWay => firstCreditWays.some((known) => known === way)),
    firstCreditsPerNetwork: read.integer('CARREL_FIRST_CREDITS_PER_NETWORK', 5, 0, 1_000_000),
    firstCreditsPerDay: read.integer('CARREL_FIRST_CREDITS_PER_DAY', 100, 0, 1_000_000),
    mailsPerNetwork: read.integer('CARREL_MAILS_PER_NETWORK', 100, 0, 1_000_000),
    mailsPerDay: read.integer('CARREL_MAILS_PER_DAY', 1000, 0, 1_000_000),
    invitationsPerDay: read.integer('CARREL_INVITATIONS_PER_DAY', 1000, 0, 1_000_000),
    oidcIssuers: read
      .list(
        'CARREL_OIDC_ISSUERS',
        (text) => issuerOf(text) !== undefined,
        'issuers as https://issuer.example.com=audience',
      )
      .map((text) => issuerOf(text)!),
    ...githubSettings(read.checked('CARREL_GITHUB_URL', originOf, 'an origin such as https://github.example.com')),
    githubClientId: env.CARREL_GITHUB_CLIENT_ID || undefined,
    githubClientSecret: env.CARREL_GITHUB_CLIENT_SECRET || undefined,
    signInsPerMinute: read.integer('CARREL_SIGN_INS_PER_MINUTE', 20, 0, 1_000_000),
    stripeKey: read.secret(
      'CARREL_STRIPE_KEY',
      /^(sk|rk)_(test|live)_\w+$/,
      'a secret key of Stripe, such as sk_test_…',
    ),
    stripeWebhookSecret: read.secret(
      'CARREL_STRIPE_WEBHOOK_SECRET',
      /^whsec_[\w+/=]+$/,
      "the signing secret of Stripe's webhook, such as whsec_…",
    ),
    stripeProfile: env.CARREL_STRIPE_PROFILE || undefined,
    stripeUrl: read.checked('CARREL_STRIPE_URL', originOf, 'an origin such as http://127.0.0.1:12111'),
    playMoney: read.text('CARREL_PLAY_MONEY', 'off', /^(on|off)$/, 'on or off') === 'on',
    // More than twice the executes that two cores can do in a minute: a loop gone wild, no honest work.
    readsPerMinute: read.integer('CARREL_READS_PER_MINUTE', 30_000, 0, 100_000_000),
    writesPerMinute: read.integer('CARREL_WRITES_PER_MINUTE', 30_000, 0, 100_000_000),
    pawpadoReadsPerMinute: read.integer('CARREL_PAWPADO_READS_PER_MINUTE', 60, 0, 100_000_000),
    pawpadoWritesPerMinute: read.integer('CARREL_PAWPADO_WRITES_PER_MINUTE', 20, 0, 100_000_000),
    pawpadoPollsPerMinute: read.integer('CARREL_PAWPADO_POLLS_PER_MINUTE', 30, 0, 100_000_000),
    mppSecret: read.secret('CARREL_MPP_SECRET', /^.{32,}$/, 'at least 32 characters that nobody can guess'),
    tempoNetwork: read.text(
      'CARREL_TEMPO_NETWORK',
      'mainnet',
      /^(mainnet|testnet)$/,
      'mainnet or testnet',
    ) as Settings['tempoNetwork'],
    tempoRecipient: read.checked('CARREL_TEMPO_RECIPIENT', chainAddress, 'an address of 0x and 40 hex digits'),
    tempoToken: read.checked('CARREL_TEMPO_TOKEN', chainAddress, 'an address of 0x and 40 hex digits'),
    tempoRpc: read.checked('CARREL_TEMPO_RPC', httpUrl, 'an address such as https://rpc.example.com'),
  }
  checkNames(settings)
  checkMail(settings)
  checkPlayMoney(settings)
  return settings
}

/** Nothing but previews answers below the preview domain. */
function checkNames({ publicUrl, previewDomain }: Settings): void {
  if (publicUrl === undefined || !new URL(publicUrl).hostname.endsWith(`.${previewDomain}`)) return
  throw new SettingError(
    `Cannot start: CARREL_PUBLIC_URL is "${publicUrl}", which lies under the preview domain "${previewDomain}"; set CARREL_PREVIEW_DOMAIN to one that it does not lie under`,
  )
}

/** A link in a message never follows what a request calls the server: whoever asks for it would choose where it leads. */
function checkMail({ smtpUrl, publicUrl }: Settings): void {
  if (smtpUrl === undefined || publicUrl !== undefined) return
  throw new SettingError(
    'Cannot start: CARREL_SMTP_URL is set, but CARREL_PUBLIC_URL is not; set it to the address that links in messages lead to',
  )
}

/** Credit for nothing is for who tries it out: nobody else may reach the server. */
function checkPlayMoney({ playMoney, host, publicUrl, trustedProxies, stripeKey }: Settings): void {
  if (!playMoney) return
  const refuse = (why: string, todo: string): never => {
    throw new SettingError(`Cannot start: CARREL_PLAY_MONEY is on, but ${why}; ${todo}`)
  }
  if (!isLoopback(host)) refuse(`CARREL_HOST is "${host}", which others can reach`, 'set one of them otherwise')
  if (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname))
    refuse(`CARREL_PUBLIC_URL is "${publicUrl}", which others can reach`, 'set one of them otherwise')
  if (trustedProxies.length > 0)
    refuse('CARREL_TRUSTED_PROXIES is set, so that others reach the server', 'unset one of them')
  if (stripeKey !== undefined) refuse('CARREL_STRIPE_KEY is set too', 'unset one of them')
}

/** True for a host name or address that leads nowhere but to this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host)
}

/** An enterprise server has its API below its own address. */
function githubSettings(url = 'https://github.com'): Pick<Settings, 'githubUrl' | 'githubApiUrl'> {
  return { githubUrl: url, githubApiUrl: url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3` }
}

/** Without TLS anyone on the way could be the issuer. */
function issuerOf(text: string): TrustedIssuer | undefined {
  const [, issuer = '', audience = ''] = /^([^=?#]+)=(.+)$/.exec(text) ?? []
  const url = URL.parse(issuer)
  const isLocal = url?.protocol === 'http:' && isLoopback(url.hostname)
  return url?.protocol === 'https:' || isLocal ? { issuer, audience } : undefined
}

function smtpUrlOf(text: string): string | undefined {
  const url = URL.parse(text)
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== '' ? text : undefined
}

/** Without a path, user or query; undefined for what is no such address. */
function originOf(text: string): string | undefined {
  const url = URL.parse(text)
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  return isOrigin ? url.origin : undefined
}

function httpUrl(text: string): string | undefined {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined
}

function chainAddress(text: string): string | undefined {
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? text : undefined
}

function isProxy(text: string): boolean {
  if (/^(loopback|linklocal|uniquelocal)$/.test(text)) return true
  const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  return isIP(address) !== 0 && Number(bits) <= (isIP(address) === 6 ? 128 : 32)
}

function reader(env: NodeJS.ProcessEnv) {
  const refuse = (name: string, expected: string): never => {
    throw new SettingError(`Cannot start: ${name} is ${JSON.stringify(env[name])}; set it to ${expected}`)
  }
  const number = (name: string, fallback: number, min: number, max: number): number => {
    const value = env[name] ? Number(env[name]) : fallback
    return Number.isFinite(value) && value >= min && value <= max
      ? value
      : refuse(name, `a number from ${min} to ${max}`)
  }
  return {
    number,
    integer(name: string, fallback: number, min: number, max: number): number {
      const value = number(name, fallback, min, max)
      return Number.isInteger(value) ? value : refuse(name, `a whole number from ${min} to ${max}`)
    },
    text(name: string, fallback: string, pattern: RegExp, expected: string): string {
      const value = env[name] || fallback
      return pattern.test(value) ? value : refuse(name, expected)
    },
    /** undefined when it is not set; `check` gives undefined for a value that cannot be used. */
    checked<T>(name: string, check: (text: string) => T | undefined, expected: string): T | undefined {
      return env[name] ? (check(env[name]) ?? refuse(name, expected)) : undefined
    },
    /** The same for what must not be shown, not even when it is wrong. */
    secret(name: string, pattern: RegExp, expected: string): string | undefined {
      const value = env[name] || undefined
      if (value === undefined || pattern.test(value)) return value
      throw new SettingError(`Cannot start: ${name} cannot be used; set it to ${expected}`)
    },
    list(name: string, allowed: RegExp | ((value: string) => boolean), expected: string): string[] {
      const values = (env[name] ?? '').split(/[\s,]+/).filter(Boolean)
      const isAllowed = allowed instanceof RegExp ? (value: string) => allowed.test(value) : allowed
      return values.every((value) => isAllowed(value)) ? values : refuse(name, expected)
    },
  }
}

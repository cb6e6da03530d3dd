import { isIP } from 'node:net'
import { cpus, hostname, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { isWildcard } from './listen-address.ts'
import { parseSecretKey } from './parse-secret-key.ts'
import type { SecretSetting } from './secret-settings.ts'

/**
 * What an operator can set, each by an environment variable. `docs/SETTINGS.md` lists the variables and their defaults.
 */
export interface Settings {
  host: string
  port: number
  dataDirectory: string
  /** The URL of a PostgreSQL database; undefined for the SQLite file in the data directory. */
  databaseUrl: string | undefined
  previewDomain: string
  /** The origin at which clients reach the server, without a trailing slash; undefined to use that of the request. */
  publicUrl: string | undefined
  /** The origin at which this one of several servers is reached; undefined: the public URL, or the address it listens on. */
  nodeAddress: string | undefined
  /** A token that can only read the metrics; undefined: only the owner's account can read them. */
  metricsToken: string | undefined
  /** Addresses, ranges and names of ranges whose `X-Forwarded-*` headers are trusted. */
  trustedProxies: string[]
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  image: string
  /** The image of computers that keep their files; undefined for the same image. */
  desktopImage: string | undefined
  runtime: string | undefined
  network: string
  allowedAddresses: string[]
  resolvers: string[]
  computerCpus: number
  computerMemoryBytes: number
  computerDiskBytes: number
  computerPids: number
  /** How much memory and storage is promised to computers that keep their files, as multiples of what the host has. */
  memoryOvercommit: number
  diskOvercommit: number
  idleTimeoutMs: number
  sweepIntervalMs: number
  warmComputers: number
  /** Between automatic snapshots of a computer; 0 for none. */
  snapshotIntervalMs: number
  /** Automatic snapshots that are kept of a computer. */
  snapshotsKept: number
  networkPoolSize: number
  /** Disk space for the server alone; undefined for a share of the disk. */
  diskReserveBytes: number | undefined
  /** False: the owner's account is neither charged nor refused for lack of credit. */
  billing: boolean
  /** Path of a JSON file with prices; undefined for the defaults. */
  priceBook: string | undefined
  /** The mail server, with user and password; undefined: mail is kept in the outbox. */
  smtpUrl: string | undefined
  mailFrom: string
  /** False: only users with an account can sign in. */
  signUp: boolean
  /** Sign-up methods that give a new account its first credit. */
  firstCredit: readonly FirstCreditWay[]
  /** Accounts that get first credit within a day: from one network, and in total; 0 is no limit. */
  firstCreditsPerNetwork: number
  firstCreditsPerDay: number
  /**
   * Mails that one network may request within a day: sign-in links to unknown addresses, and as many invitations; 0 is
   * no limit.
   */
  mailsPerNetwork: number
  /** Sign-in links to unknown addresses within a day, in total; 0 is no limit. */
  mailsPerDay: number
  /** Invitations within a day, in total; 0 is no limit. */
  invitationsPerDay: number
  oidcIssuers: TrustedIssuer[]
  githubUrl: string
  githubApiUrl: string
  githubClientId: string | undefined
  githubClientSecret: string | undefined
  /** Requests from one network to the sign-in routes; 0 is no limit. */
  signInsPerMinute: number
  /** Stripe's secret key; undefined disables payments by Stripe. */
  stripeKey: string | undefined
  /** The secret with which Stripe signs its webhooks. */
  stripeWebhookSecret: string | undefined
  /** The Stripe profile that machines grant their tokens to; undefined disables machine payments by Stripe. */
  stripeProfile: string | undefined
  /** Origin of another server that speaks Stripe's API; undefined for Stripe's own. */
  stripeUrl: string | undefined
  /** True: a click credits a deposit, without money. */
  playMoney: boolean
  /**
   * Read requests of one account, on every surface except Pawpado's; 0 is no limit. The owner's account has no limit.
   */
  readsPerMinute: number
  /** The same for all other requests. */
  writesPerMinute: number
  /** Requests of one account on Pawpado's surface, with the defaults of its document; 0 is no limit. */
  pawpadoReadsPerMinute: number
  pawpadoWritesPerMinute: number
  pawpadoPollsPerMinute: number
  /** Keys of the secrets in the database: the first one encrypts, all decrypt; none for the one in the data directory. */
  secretKeys: readonly Buffer[]
  /** The secret that signs payment challenges; undefined for the one in the database. */
  mppSecret: string | undefined
  tempoNetwork: 'mainnet' | 'testnet'
  /** The address that receives payments on Tempo; undefined disables them. */
  tempoRecipient: string | undefined
  /** The dollar token that is accepted on Tempo; undefined for the default one. */
  tempoToken: string | undefined
  /** The JSON-RPC URL of a node; undefined for the network's public node. */
  tempoRpc: string | undefined
  /** The TCP ports from which each computer gets one for SSH; undefined: none does. */
  sshPorts: { first: number; last: number } | undefined
  /** The TLS port that leads to the SSH server of every computer by its name; undefined: there is none. */
  sshEdgePort: number | undefined
  /** The name or address at which clients reach these ports. */
  sshHost: string
  /** What follows the id of a computer in the name that a TLS client asks for. */
  sshSuffix: string
  /** A PEM file with the TLS port's certificate, its chain and its key; undefined for one that signs itself. */
  sshEdgePem: string | undefined
  /** The port at which VNC clients reach the desktops of computers; undefined: there is none. */
  vncPort: number | undefined
}

export const firstCreditWays = ['email', 'github', 'issuer', 'wallet'] as const
export type FirstCreditWay = (typeof firstCreditWays)[number]

/** An OpenID issuer whose JWTs are accepted if they are for this audience. */
export interface TrustedIssuer {
  issuer: string
  audience: string
}

export class SettingError extends Error {}

const MiB = 1024 * 1024
const octet = '(25[0-5]|2[0-4]\\d|1?\\d?\\d)'
const address = `${octet}(\\.${octet}){3}`
const port = '(6553[0-5]|655[0-2]\\d|65[0-4]\\d\\d|6[0-4]\\d{3}|[1-5]?\\d{1,4})'

function desktopImageOf(name: string): string | undefined {
  return name === 'none' ? undefined : name
}

/** Returns the settings from environment variables. Throws a `SettingError`: one sentence that names the variable. */
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
    databaseUrl: read.secret(
      'CARREL_DATABASE_URL',
      isDatabaseUrl,
      'a URL of PostgreSQL such as postgres://user:password@host:5432/carrel, with special characters of the password percent-encoded (%40 for @)',
    ),
    previewDomain: read
      .text('CARREL_PREVIEW_DOMAIN', 'localhost', /^[a-z0-9.-]+$/, 'a domain name in lower case')
      .replace(/^\.|\.$/g, ''),
    publicUrl: read.checked('CARREL_PUBLIC_URL', originOf, 'an origin such as https://carrel.example.com'),
    nodeAddress: read.checked('CARREL_NODE_ADDRESS', originOf, 'an origin such as https://node-1.carrel.example.com'),
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
    desktopImage: desktopImageOf(
      read.text(
        'CARREL_DESKTOP_IMAGE',
        'desktop',
        /^[\w./-]+$/,
        'the name of a recipe in images/, a folder with one, or none',
      ),
    ),
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
    memoryOvercommit: read.number('CARREL_MEMORY_OVERCOMMIT', 2, 0.1, 100),
    diskOvercommit: read.number('CARREL_DISK_OVERCOMMIT', 4, 0.1, 100),
    idleTimeoutMs: read.integer('CARREL_IDLE_TIMEOUT_S', 600, 1, 30 * 24 * 3600) * 1000,
    sweepIntervalMs: read.integer('CARREL_SWEEP_INTERVAL_MS', 5000, 50, 3_600_000),
    warmComputers: read.integer('CARREL_WARM_COMPUTERS', 2, 0, 1000),
    snapshotIntervalMs: read.integer('CARREL_SNAPSHOT_HOURS', 0, 0, 24 * 365) * 3_600_000,
    snapshotsKept: read.integer('CARREL_SNAPSHOTS_KEPT', 7, 1, 100),
    diskReserveBytes: env.CARREL_DISK_RESERVE_MIB
      ? read.integer('CARREL_DISK_RESERVE_MIB', 0, 64, 64 * 1024 * 1024) * MiB
      : undefined,
    networkPoolSize: read.integer('CARREL_NETWORK_POOL', 8, 0, 1000),
    billing: read.text('CARREL_BILLING', 'off', /^(on|off)$/, 'on or off') === 'on',
    priceBook: env.CARREL_PRICE_BOOK || undefined,
    smtpUrl: read.secret('CARREL_SMTP_URL', isSmtpUrl, 'an address such as smtps://user:password@mail.example.com'),
    mailFrom: read.text(
      'CARREL_MAIL_FROM',
      'Carrel <carrel@localhost>',
      /^[^\n\r@]*@[^\s@]+$/,
      'an address such as Carrel <carrel@example.com>',
    ),
    signUp: read.text('CARREL_SIGN_UP', 'open', /^(open|closed)$/, 'open or closed') === 'open',
    // A wallet, unlike a mailbox, costs nothing to create.
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
    githubClientSecret: read.secret('CARREL_GITHUB_CLIENT_SECRET', () => true, 'the secret of the OAuth app'),
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
    // More than twice the executes that two cores manage in a minute: only a runaway loop reaches it.
    readsPerMinute: read.integer('CARREL_READS_PER_MINUTE', 30_000, 0, 100_000_000),
    writesPerMinute: read.integer('CARREL_WRITES_PER_MINUTE', 30_000, 0, 100_000_000),
    pawpadoReadsPerMinute: read.integer('CARREL_PAWPADO_READS_PER_MINUTE', 60, 0, 100_000_000),
    pawpadoWritesPerMinute: read.integer('CARREL_PAWPADO_WRITES_PER_MINUTE', 20, 0, 100_000_000),
    pawpadoPollsPerMinute: read.integer('CARREL_PAWPADO_POLLS_PER_MINUTE', 30, 0, 100_000_000),
    secretKeys: secretKeysOf(
      read.secret(
        'CARREL_SECRET_KEY',
        (text) => secretKeysOf(text).length > 0,
        '32 random bytes in base64 or hex, as "openssl rand -base64 32" prints them; to replace a key, set it to the new one and the old one, separated by a comma',
      ),
    ),
    mppSecret: read.secret('CARREL_MPP_SECRET', /^.{32,}$/, 'at least 32 characters that nobody can guess'),
    tempoNetwork: read.text(
      'CARREL_TEMPO_NETWORK',
      'mainnet',
      /^(mainnet|testnet)$/,
      'mainnet or testnet',
    ) as Settings['tempoNetwork'],
    tempoRecipient: read.checked('CARREL_TEMPO_RECIPIENT', chainAddress, 'an address of 0x and 40 hex digits'),
    tempoToken: read.checked('CARREL_TEMPO_TOKEN', chainAddress, 'an address of 0x and 40 hex digits'),
    tempoRpc: read.secret('CARREL_TEMPO_RPC', isHttpUrl, 'an address such as https://rpc.example.com'),
    ...sshSettings(env, read),
  }
  checkNames(settings)
  checkMail(settings)
  checkPlayMoney(settings)
  return settings
}

/** Throws when the public URL is below the preview domain, where only previews are served. */
function checkNames({ publicUrl, previewDomain }: Settings): void {
  if (publicUrl === undefined || !new URL(publicUrl).hostname.endsWith(`.${previewDomain}`)) return
  throw new SettingError(
    `Cannot start: CARREL_PUBLIC_URL is "${publicUrl}", which lies under the preview domain "${previewDomain}"; set CARREL_PREVIEW_DOMAIN to one that it does not lie under`,
  )
}

/**
 * Throws when mail is sent without a public URL. A link in a message must not use the host name of a request: the
 * client that requests the link would choose where it leads.
 */
function checkMail({ smtpUrl, publicUrl }: Settings): void {
  if (smtpUrl === undefined || publicUrl !== undefined) return
  throw new SettingError(
    'Cannot start: CARREL_SMTP_URL is set, but CARREL_PUBLIC_URL is not; set it to the address that links in messages lead to',
  )
}

/**
 * Throws when play money is on and others can reach the server: free credit is for whoever evaluates Carrel on this
 * machine.
 */
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

/** Returns whether a host name or address can only be this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/.test(host)
}

type SshSettings = Pick<Settings, 'sshPorts' | 'sshEdgePort' | 'sshHost' | 'sshSuffix' | 'sshEdgePem' | 'vncPort'>

function sshSettings(env: NodeJS.ProcessEnv, read: ReturnType<typeof reader>): SshSettings {
  const publicUrl = env.CARREL_PUBLIC_URL && URL.parse(env.CARREL_PUBLIC_URL)?.hostname
  const listenHost = env.CARREL_HOST || '127.0.0.1'
  const ownHost = isWildcard(listenHost) ? hostname() : listenHost
  const domain = (env.CARREL_PREVIEW_DOMAIN || 'localhost').replace(/^\.|\.$/g, '')
  return {
    sshPorts: read.checked('CARREL_SSH_PORTS', portRange, 'a range of at most 10000 ports such as 42000-42999'),
    sshEdgePort: env.CARREL_SSH_EDGE_PORT ? read.integer('CARREL_SSH_EDGE_PORT', 0, 0, 65_535) : undefined,
    sshHost: read.text(
      'CARREL_SSH_HOST',
      (publicUrl || ownHost).replace(/^\[|\]$/g, ''),
      /^[\w.:-]+$/,
      'a name or an address',
    ),
    sshSuffix: read
      .text('CARREL_SSH_SUFFIX', `ssh.${domain}`, /^[a-z0-9.-]+$/, 'a domain name in lower case')
      .replace(/^\.|\.$/g, ''),
    sshEdgePem: env.CARREL_SSH_EDGE_PEM || undefined,
    vncPort: env.CARREL_VNC_PORT ? read.integer('CARREL_VNC_PORT', 0, 0, 65_535) : undefined,
  }
}

function portRange(text: string): SshSettings['sshPorts'] {
  const [, first = 0, last = 0] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number)
  return first > 0 && last <= 65_535 && last >= first && last - first < 10_000 ? { first, last } : undefined
}

/** Returns the addresses of GitHub. An enterprise server has its API below its own address. */
function githubSettings(url = 'https://github.com'): Pick<Settings, 'githubUrl' | 'githubApiUrl'> {
  return { githubUrl: url, githubApiUrl: url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3` }
}

/**
 * Parses `issuer=audience`; undefined for an issuer without TLS, as anyone on the network path could pose as the
 * issuer.
 */
function issuerOf(text: string): TrustedIssuer | undefined {
  const [, issuer = '', audience = ''] = /^([^=?#]+)=(.+)$/.exec(text) ?? []
  const url = URL.parse(issuer)
  const isLocal = url?.protocol === 'http:' && isLoopback(url.hostname)
  return url?.protocol === 'https:' || isLocal ? { issuer, audience } : undefined
}

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^smtps?:$/.test(url.protocol) && url.hostname !== ''
}

/** Returns the origin of an HTTP URL; undefined if the text is no URL, or has a path, user or query. */
function originOf(text: string): string | undefined {
  const url = URL.parse(text)
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  return isOrigin ? url.origin : undefined
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '')
}

function chainAddress(text: string): string | undefined {
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? text : undefined
}

function isProxy(text: string): boolean {
  if (/^(loopback|linklocal|uniquelocal)$/.test(text)) return true
  const [, address = '', bits = '0'] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  return isIP(address) !== 0 && Number(bits) <= (isIP(address) === 6 ? 128 : 32)
}

/** Returns the keys in a list; none where one of them is no key. */
function secretKeysOf(text = ''): Buffer[] {
  const keys = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(parseSecretKey)
  return keys.every((key) => key !== undefined) ? keys : []
}

function testOf(allowed: RegExp | ((value: string) => boolean)): (value: string) => boolean {
  return allowed instanceof RegExp ? (value) => allowed.test(value) : allowed
}

/** A password with a bare `/`, `?`, `#` or `@` would be read as a part of the host, the name or the parameters. */
function isDatabaseUrl(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && /^postgres(?:ql)?:$/.test(url.protocol) && /^\/[^/@:]+$/.test(url.pathname) && url.hash === ''
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
    /** Returns undefined for a variable that is not set. `check` returns undefined for a value that cannot be used. */
    checked<T>(name: string, check: (text: string) => T | undefined, expected: string): T | undefined {
      return env[name] ? (check(env[name]) ?? refuse(name, expected)) : undefined
    },
    /** Reads a value that no message may show, even when it is wrong. */
    secret(name: SecretSetting, allowed: RegExp | ((value: string) => boolean), expected: string): string | undefined {
      const value = env[name] || undefined
      if (value === undefined || testOf(allowed)(value)) return value
      throw new SettingError(`Cannot start: ${name} cannot be used; set it to ${expected}`)
    },
    list(name: string, allowed: RegExp | ((value: string) => boolean), expected: string): string[] {
      const values = (env[name] ?? '').split(/[\s,]+/).filter(Boolean)
      return values.every(testOf(allowed)) ? values : refuse(name, expected)
    },
  }
}

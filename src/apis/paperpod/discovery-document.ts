import type { Engine } from '../../engine/engine.ts'
import { limits } from '../../config/limits.ts'
import { computeHours, type Price, type PriceBook } from '../../config/price-book.ts'
import { quoteFor } from '../../engine/money/ledger/top-up.ts'
import { paymentMethods } from '../../engine/money/machine-payments/payment-methods.ts'
import { installClient } from '../../http/install-client.ts'
import type { Surface } from '../../http/surface.ts'
import { version } from '../../version.ts'

interface Parts {
  /** The origin at which the client reaches the server. */
  baseUrl: string
  engine: Engine
  /** Routes by `METHOD path`. */
  endpoints: Record<string, unknown>
  /** Types of messages over the WebSocket. */
  messages: string[]
  surfaces: readonly Surface[]
}

/** Returns the answer of `GET /`: the fields of PaperPod's document, as far as they are true of this server. */
export function discoveryDocument({ baseUrl, engine, endpoints, messages, surfaces }: Parts): Record<string, unknown> {
  const { settings, defaultImage } = engine
  const tools = new Set(Object.values(defaultImage.tools ?? {}).flat())
  return {
    name: 'Carrel',
    schemaVersion: '2026-01-26',
    apiVersion: 'v2',
    version,
    description:
      'A computer of its own for every agent: isolated Linux over HTTP, self-hosted. This surface is compatible with the PaperPod API.',
    baseUrl,
    previewUrlDomain: settings.previewDomain,
    quickStart: {
      step1: `Get token: curl -d '{"email":"you@email.com"}' ${baseUrl}/login → ${whereLinkIs(engine)} → click magic link → copy token`,
      step2: `Install the command line (see cli.install) and log in: carrel login <your-token> --url ${baseUrl}`,
      step3: "Try it: carrel exec 'echo hello world' && carrel status",
      http: `curl -H "Authorization: Bearer $TOKEN" -d '{"code":"print(6*7)","language":"python"}' ${baseUrl}/execute`,
    },
    agentStartPrompt: `To use Carrel: 1) Get token: POST ${baseUrl}/login with {"email":"you@email.com"}, click magic link, copy token. 2) Log in: carrel login <token> --url ${baseUrl} (see cli.install), or send "Authorization: Bearer <token>" over HTTP. 3) Try it: carrel exec 'echo hello' && carrel status. Features: code execution, processes, files, preview URLs, Agent Memory.`,
    skills: {
      websocket: true,
      streaming: true,
      python: true,
      javascript: true,
      shell: true,
      git: true,
      backgroundProcesses: true,
      fileSystem: true,
      portExposure: true,
      richOutput: true,
      sessionPersistence: true,
      agentMemory: true,
    },
    environment: environment(engine, tools),
    tips: tips(engine, tools),
    recommended: {
      api: 'cli',
      reason: 'CLI handles streaming, sessions, and reconnection automatically.',
      cli: {
        install: installClient,
        login: 'carrel login pp_sess_...',
        discover: 'carrel help',
        commandHelp: 'carrel <cmd> --help',
        execute: "carrel exec 'python script.py'",
      },
      httpNote: "HTTP endpoints for one-shot tasks or when CLI isn't available.",
      websocketNote: 'WebSocket for programmatic integrations.',
    },
    billing: billingOf(settings),
    authentication: {
      flow: 'Email magic link, or proof of a wallet → token (pp_sess_...)',
      steps: [
        '1. POST /login with {"email":"you@email.com"}',
        '2. Click magic link in email → get token (pp_sess_...)',
        '3. Use token via CLI, env var, or header',
      ],
      wallet:
        'POST /login with {"wallet":"0x..."} from a client of the Machine Payments Protocol → get token; no money is transferred',
      tokenMethods: {
        cli: 'carrel login pp_sess_... (saves to ~/.carrel/config.json)',
        envVar: 'export CARREL_TOKEN=pp_sess_... (for scripts, CI/CD); PAPERPOD_TOKEN works too',
        header: 'Authorization: Bearer pp_sess_... (per HTTP request)',
      },
      tokenExpiry: '30 days',
      notes: `${freeCredit(engine)}; add credit with POST /topup. Create API keys (ak_...) for programs with POST /users/me/api-keys. DELETE /users/me/sessions/current signs out.`,
    },
    cli: {
      install: installClient,
      commands: {
        exec: 'carrel exec <cmd> - run shell command',
        interpret: 'carrel interpret <code> - rich output (charts)',
        write: 'carrel write <path> [file] - write file',
        read: 'carrel read <path> - read file',
        ls: 'carrel ls <path> - list directory',
        mkdir: 'carrel mkdir <path> - create a directory',
        rm: 'carrel rm <path> - delete files and directories',
        watch: 'carrel watch <path> - watch filesystem changes',
        start: 'carrel start <cmd> - start background process',
        ps: 'carrel ps - list processes',
        logs: 'carrel logs <id> - show the output of a process',
        attach: 'carrel attach <id> - connect to a running process',
        kill: 'carrel kill <id> - stop process',
        expose: 'carrel expose <port> - get public URL',
        cp: 'carrel cp <from> <to> - copy files and folders into a sandbox, or out of it',
        sandboxes: 'carrel sandboxes - list sandboxes, stop or delete one',
        use: 'carrel use [sandbox] - choose the sandbox of later commands',
        computers: 'carrel computers - list computers that keep their files, create, start, stop or delete one',
        ssh: 'carrel ssh <computer> [command] - open a shell in a computer, or run a command in it',
        sshConfig: 'carrel ssh-config - print what ssh, scp, rsync and editors need to know',
        memWrite: 'carrel mem:write <path> - persist data',
        memRead: 'carrel mem:read <path> - read data',
        memLs: 'carrel mem:ls - list files',
        memRm: 'carrel mem:rm <path> - delete file',
        memUsage: 'carrel mem:usage - check quota',
        completion: 'carrel completion <shell> - completion script for bash, zsh or fish',
        balance: 'carrel balance - check credits',
        topup: 'carrel topup <package or dollars> - get a payment link',
        usage: 'carrel usage - show usage and its cost',
        datasets: 'carrel datasets - list, show, write, add and remove datasets of tasks',
        images: 'carrel images - list, import and remove images of computers on this machine',
        ledger:
          'carrel ledger verify - check the ledger of the server on this machine; review settles payments that are held for review',
        database: 'carrel database copy - copy the database of the server on this machine to PostgreSQL',
        nodes:
          'carrel nodes - list the servers that share a database; remove <node> gives up one that is gone for good',
        account: 'carrel account delete - delete the account in 30 days; cancel-deletion keeps it',
        limits: 'carrel limits - show or set spending limits',
        login: 'carrel login [token] - sign in by email, or save a token',
        logout: 'carrel logout - sign out, and remove the saved token',
        keys: 'carrel keys - list, create or revoke API keys',
        workspaces: 'carrel workspaces - list workspaces, choose one, manage its members',
        status: 'carrel status - show server, sandbox and token',
        version: 'carrel version - show version',
        help: 'carrel help - show all commands',
      },
      note: "When called as ppod, the CLI prefers PaperPod's environment variables and config file.",
    },
    endpoints,
    websocket: {
      url: `${baseUrl.replace(/^http/, 'ws')}/ws`,
      auth: 'Authorization: Bearer <token>',
      messages,
      discovery: "Send { type: 'help' } after connecting for full WS API schema with all message types and parameters",
    },
    discovery: {
      cli: 'carrel help - list all CLI commands',
      http: 'GET / returns JSON schema, GET /docs returns HTML docs, GET /openapi.json the schemas of requests and answers',
      skillMd: 'GET /SKILL.md or /.well-known/skill.md for Agent Skills format',
      note: `Run 'carrel help' or 'curl ${baseUrl}/' before starting`,
    },
    pricing: pricingOf(engine),
    links: {
      docs: `${baseUrl}/docs`,
      topup: `${baseUrl}/topup`,
      openapi: `${baseUrl}/openapi.json`,
      health: `${baseUrl}/health`,
    },
    // Each API of the server has its own documents; this document describes PaperPod's.
    surfaces: Object.fromEntries(surfaces.map((surface) => [surface.name, surfaceLinks(baseUrl, surface)])),
    security: {
      isolation:
        'User, process, mount and network namespaces per sandbox, seccomp, few capabilities, limits enforced by the kernel',
      network:
        'Outbound to the internet. The host, other sandboxes, private and link-local ranges and cloud metadata are blocked, except what the operator opens',
      previews: 'Public to everyone who has the unguessable URL',
      maxCodeBytes: limits.codeBytes,
      maxUploadBytes: limits.uploadBytes,
      maxTimeout: limits.processTimeoutMs,
    },
  }
}

function whereLinkIs({ mail }: Engine): string {
  if (mail.isSent) return 'check email'
  return 'ask the operator for the link (this server sends no mail; the link is in the folder outbox of its data directory)'
}

function environment({ settings, defaultImage }: Engine, tools: Set<string>): Record<string, unknown> {
  const { computerCpus: cpus, computerMemoryBytes: memoryBytes, computerDiskBytes: diskBytes } = settings
  return {
    isolation:
      'Each sandbox is a separate computer with a full Linux environment - you can only affect your own sandboxes',
    user: `${defaultImage.user} (uid 1000), with sudo; the working directory is ${defaultImage.workdir}`,
    ...(tools.has('python') ? { python: 'python or python3 (both work)' } : {}),
    ...(tools.has('pip') ? { pip: 'pip, pip3, or python3 -m pip (all work)' } : {}),
    ...(tools.has('node')
      ? { javascript: tools.has('bun') ? 'node (default) / bun (faster, TS-native)' : 'node' }
      : {}),
    ...(tools.has('git') ? { git: 'git clone, git pull, git commit' } : {}),
    shell: 'bash',
    ...(defaultImage.tools ? { tools: defaultImage.tools } : {}),
    limits: { cpus, memoryBytes, diskBytes },
    reservedPorts: '3000-3010 (system use)',
  }
}

function tips({ settings }: Engine, tools: Set<string>): Record<string, unknown> {
  return {
    ...(tools.has('bun')
      ? {
          runtimes: {
            node: 'Default JavaScript runtime. Maximum compatibility with npm packages.',
            bun: 'Faster cold starts, native TypeScript. Use for speed-critical tasks.',
            hint: 'For maximum compatibility, prefer node. For speed and TypeScript, use bun.',
          },
        }
      : {}),
    shellTools: {
      important: 'All three languages work: python, javascript, and shell. Use --lang shell for direct shell commands.',
      cli: "carrel exec 'git --version' --lang shell",
      http: "POST /execute with { code: 'git --version', language: 'shell' }",
      gotchas: {
        'empty stdout': 'Many tools (ffmpeg, dig, gh) output to stderr. Check result.stderr too.',
        'command timeout': 'Add timeout (milliseconds) to the request, or start a background process',
        'file paths': 'Use /tmp/ or /workspace/ for file operations. A relative path is under /workspace.',
      },
      networkAccess: 'Outbound network works: DNS lookups, git clone, HTTP requests all allowed',
      examples: Object.fromEntries(Object.entries(examples).filter(([tool]) => tools.has(tool))),
    },
    cli: {
      recommended: 'Use CLI for interactive use and multi-step workflows.',
      install: installClient,
      tokenMethods: {
        cliLogin: 'carrel login pp_sess_... (saves to ~/.carrel/config.json)',
        envVar: 'export CARREL_TOKEN=pp_sess_... (for scripts/CI)',
        perRequest: "-H 'Authorization: Bearer pp_sess_...' (for HTTP one-shots)",
      },
      discover: 'carrel help shows all available commands',
    },
    websocket: {
      note: 'Concurrent requests over one connection, with live output and input of processes.',
      messageFormat: 'Responses use msg.data.X for payload fields (not msg.X)',
      discoverCommands: "Send { type: 'help' } after connecting to get full API schema",
    },
    persistence: {
      sandboxFiles: `Ephemeral - lost when the sandbox stops, after ${settings.idleTimeoutMs / 1000} s without running processes or requests. Use /workspace or /tmp paths.`,
      agentMemory: 'Persistent - survives session resets. 10MB quota. Use /memory/* endpoints.',
      watchPaths:
        'For POST /watch and carrel watch, /workspace and workspace both work; a relative path is under /workspace.',
    },
    expose: {
      tip: 'Start a server, then call /expose; 0.0.0.0, 127.0.0.1 and localhost all work. POST /process/get returns the ports on which it listens',
      urlFormat: `{port}-{id}-p{port}_v1.${settings.previewDomain} (stable)`,
    },
    proactiveSuggestions: {
      description: 'Over the WebSocket, the server sends suggestion messages that say what could help',
      example:
        "When a server starts listening on a port, you receive: { type: 'suggestion', data: { message: '...', category: 'port_detected', action: { type: 'expose', port: 8080 } } }",
    },
    responseHints: {
      description: 'Process start responses include hints for next steps',
      fields: ['hints.exposePort', 'hints.checkStatus', 'hints.stopProcess', 'hints.bindAddress'],
    },
    errorActions: {
      description: 'Error responses include actionable info for agents',
      example:
        "{ error: '...', code: 'DISK_FULL', action: 'FREE_SPACE', agentInstruction: 'Delete files that you no longer need, then try again.', retryable: false, requestId: '...' }",
    },
  }
}

const examples: Record<string, string> = {
  ripgrep: "rg --line-number 'def ' /tmp/project",
  jq: "cat data.json | jq '.users[].name'",
  ffmpeg: 'ffmpeg -f lavfi -i sine=frequency=440:duration=3 tone.wav',
  imagemagick: 'convert -size 200x100 gradient:blue-red gradient.png',
  pandoc: 'pandoc doc.md -o doc.html',
  sqlite3: "sqlite3 app.db 'SELECT * FROM users'",
  git: 'git clone --depth 1 https://github.com/user/repo /tmp/repo',
}

function billingOf(settings: Engine['settings']): string {
  const methods = paymentMethods(settings).map((method) => methodNames[method])
  const paying =
    methods.length > 0 ? `Top up via MPP with ${methods.join(' or ')}.` : 'The operator does not accept payments.'
  return `Pay for what you run, from the credit of the account. ${paying}`
}

const methodNames = { tempo: 'Tempo', stripe: 'Stripe' } as const

function surfaceLinks(baseUrl: string, { name, title, description }: Surface): Record<string, string> {
  return {
    title,
    description,
    openapi: `${baseUrl}/openapi/${name}.json`,
    docs: `${baseUrl}/docs/${name}`,
    skill: `${baseUrl}/skills/${name}.md`,
  }
}

/**
 * Returns the prices in the document's fields. The owner of the machine pays nothing, unless the operator configures
 * it.
 */
function pricingOf({ prices, settings }: Engine): Record<string, unknown> {
  const { compute, browser, neurons } = prices.meters
  const rates = {
    compute: `${perSecond(compute)} (code execution, processes)`,
    browser: `${perSecond(browser)} (screenshot, PDF, scrape)`,
    ai: `${dollars((neurons.micros * 1_000_000) / neurons.per)}/1,000 Neurons (all models)`,
  }
  const methods = paymentMethods(settings).map((method) => methodNames[method])
  return {
    model: `Compute is charged by the second, ${perSecond(compute)}, while something runs; "rates" has the price of every kind of usage`,
    newAccountCredits: `${dollars(prices.newAccountMicros)} free for new accounts`,
    freeCredits: freeCredit({ prices, settings }),
    topUp: `MPP top-ups via POST /topup${methods.length > 0 ? `, with ${methods.join(' or ')}` : '; the operator does not accept payments'}`,
    rates: { ...rates, agentMemory: 'Included', previewUrls: 'Included', fileIO: 'Included' },
    tiers: Object.fromEntries(Object.keys(prices.tiers).map((tier) => [tier, tierOf(prices, tier)])),
  }
}

function freeCredit({ prices, settings }: Pick<Engine, 'prices' | 'settings'>): string {
  const hours = about(prices, prices.newAccountMicros)
  const given = `A new account has ${dollars(prices.newAccountMicros)}${hours ? ` (${hours} of compute)` : ''}`
  return settings.firstCredit.includes('wallet') ? given : `${given}; an account that signs up with a wallet has none`
}

function tierOf(prices: PriceBook, tier: string): string {
  const { cents, bonusPercent } = prices.tiers[tier]!
  const hours = about(prices, quoteFor(prices, { tier }).creditMicros)
  const said = [...(hours ? [hours] : []), ...(bonusPercent ? [`+${bonusPercent}% bonus`] : [])].join(', ')
  return `$${cents / 100}${said ? ` (${said})` : ''}`
}

/** Returns how long compute runs for an amount; undefined if compute is free. */
function about(prices: PriceBook, micros: number): string | undefined {
  const hours = computeHours(prices, micros)
  return hours === undefined ? undefined : `~${hours} ${hours === 1 ? 'hour' : 'hours'}`
}

function dollars(micros: number): string {
  return `$${micros / 1_000_000}`
}

function perSecond({ micros, per }: Price): string {
  return `${dollars((micros * 1000) / per)}/second`
}

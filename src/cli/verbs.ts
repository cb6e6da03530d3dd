import type { Verb } from './verb.ts'

/** The groups of the help, in their order. */
export const groups = [
  'Run code',
  'Processes',
  'Files',
  'Network',
  'Memory',
  'Sandboxes',
  'Computers',
  'Environments',
  'Account',
  'Server',
  'This program',
] as const

interface VerbEntry {
  group: (typeof groups)[number]
  /** The entry in the list of all commands. */
  synopsis: string
  summary: string
  /** Loads the verb when it is called, so that start-up loads nothing else. */
  load(): Promise<Verb>
}

/** Every command, in the order of the help. */
export const verbs: Record<string, VerbEntry> = {
  exec: {
    group: 'Run code',
    synopsis: 'exec <command>',
    summary: 'Run a command, with live input and output',
    load: async () => (await import('./verbs/exec.ts')).exec,
  },
  interpret: {
    group: 'Run code',
    synopsis: 'interpret <code>',
    summary: 'Run code that keeps its variables, with charts',
    load: async () => (await import('./verbs/interpret.ts')).interpret,
  },
  start: {
    group: 'Processes',
    synopsis: 'start <command>',
    summary: 'Start a background process',
    load: async () => (await import('./verbs/start.ts')).start,
  },
  ps: {
    group: 'Processes',
    synopsis: 'ps',
    summary: 'List processes',
    load: async () => (await import('./verbs/ps.ts')).ps,
  },
  logs: {
    group: 'Processes',
    synopsis: 'logs <id>',
    summary: 'Show the output of a process',
    load: async () => (await import('./verbs/logs.ts')).logs,
  },
  attach: {
    group: 'Processes',
    synopsis: 'attach <id>',
    summary: 'Connect to a running process',
    load: async () => (await import('./verbs/attach.ts')).attach,
  },
  kill: {
    group: 'Processes',
    synopsis: 'kill <id>',
    summary: 'Stop a process',
    load: async () => (await import('./verbs/kill.ts')).kill,
  },
  cp: {
    group: 'Files',
    synopsis: 'cp <from> <to>',
    summary: 'Copy files and folders into a sandbox, or out of it',
    load: async () => (await import('./verbs/cp.ts')).cp,
  },
  write: {
    group: 'Files',
    synopsis: 'write <path> [file]',
    summary: 'Write a file from a local file or from stdin',
    load: async () => (await import('./verbs/write.ts')).write,
  },
  read: {
    group: 'Files',
    synopsis: 'read <path>',
    summary: 'Read a file',
    load: async () => (await import('./verbs/read.ts')).read,
  },
  ls: {
    group: 'Files',
    synopsis: 'ls [path]',
    summary: 'List a directory',
    load: async () => (await import('./verbs/ls.ts')).ls,
  },
  mkdir: {
    group: 'Files',
    synopsis: 'mkdir <path>...',
    summary: 'Create folders',
    load: async () => (await import('./verbs/mkdir.ts')).mkdir,
  },
  rm: {
    group: 'Files',
    synopsis: 'rm <path>...',
    summary: 'Delete files and folders',
    load: async () => (await import('./verbs/rm.ts')).rm,
  },
  watch: {
    group: 'Files',
    synopsis: 'watch [path]',
    summary: 'Show the changes in a directory',
    load: async () => (await import('./verbs/watch.ts')).watch,
  },
  expose: {
    group: 'Network',
    synopsis: 'expose <port>',
    summary: 'Get a public address for a port',
    load: async () => (await import('./verbs/expose.ts')).expose,
  },
  'mem:write': {
    group: 'Memory',
    synopsis: 'mem:write <path> [file]',
    summary: 'Write a file that outlives every sandbox',
    load: async () => (await import('./verbs/mem-write.ts')).memWrite,
  },
  'mem:read': {
    group: 'Memory',
    synopsis: 'mem:read <path>',
    summary: 'Read a memory file',
    load: async () => (await import('./verbs/mem-read.ts')).memRead,
  },
  'mem:ls': {
    group: 'Memory',
    synopsis: 'mem:ls [prefix]',
    summary: 'List the memory files',
    load: async () => (await import('./verbs/mem-ls.ts')).memLs,
  },
  'mem:rm': {
    group: 'Memory',
    synopsis: 'mem:rm <path>',
    summary: 'Delete a memory file',
    load: async () => (await import('./verbs/mem-rm.ts')).memRm,
  },
  'mem:usage': {
    group: 'Memory',
    synopsis: 'mem:usage',
    summary: 'Show how much memory is used',
    load: async () => (await import('./verbs/mem-usage.ts')).memUsage,
  },
  sandboxes: {
    group: 'Sandboxes',
    synopsis: 'sandboxes [what]',
    summary: 'List your sandboxes, stop or delete one',
    load: async () => (await import('./verbs/sandboxes.ts')).sandboxes,
  },
  use: {
    group: 'Sandboxes',
    synopsis: 'use [sandbox]',
    summary: 'Choose the sandbox of later commands',
    load: async () => (await import('./verbs/use.ts')).use,
  },
  status: {
    group: 'Sandboxes',
    synopsis: 'status',
    summary: 'Show server, sandbox, credits and token',
    load: async () => (await import('./verbs/status.ts')).status,
  },
  computers: {
    group: 'Computers',
    synopsis: 'computers [what]',
    summary: 'Manage computers, which keep their files',
    load: async () => (await import('./verbs/computers.ts')).computers,
  },
  ssh: {
    group: 'Computers',
    synopsis: 'ssh <computer> [command]',
    summary: 'Open a shell in a computer by SSH',
    load: async () => (await import('./verbs/ssh.ts')).ssh,
  },
  'ssh-config': {
    group: 'Computers',
    synopsis: 'ssh-config',
    summary: 'Print what ssh, scp, rsync and editors need to know',
    load: async () => (await import('./verbs/ssh-config.ts')).sshConfig,
  },
  datasets: {
    group: 'Environments',
    synopsis: 'datasets [what]',
    summary: 'Datasets of tasks: list, show, write, add, remove',
    load: async () => (await import('./verbs/datasets.ts')).datasets,
  },
  login: {
    group: 'Account',
    synopsis: 'login [token]',
    summary: 'Sign in by mail or with a token, and save it',
    load: async () => (await import('./verbs/login.ts')).login,
  },
  logout: {
    group: 'Account',
    synopsis: 'logout',
    summary: 'End the sign-in and forget its token',
    load: async () => (await import('./verbs/logout.ts')).logout,
  },
  balance: {
    group: 'Account',
    synopsis: 'balance',
    summary: 'Show the credit that is left',
    load: async () => (await import('./verbs/balance.ts')).balance,
  },
  topup: {
    group: 'Account',
    synopsis: 'topup [amount]',
    summary: 'Get a link for paying for credit',
    load: async () => (await import('./verbs/topup.ts')).topup,
  },
  usage: {
    group: 'Account',
    synopsis: 'usage',
    summary: 'Show usage and its cost',
    load: async () => (await import('./verbs/usage.ts')).usage,
  },
  limits: {
    group: 'Account',
    synopsis: 'limits',
    summary: 'Show or set spending limits',
    load: async () => (await import('./verbs/limits.ts')).limits,
  },
  keys: {
    group: 'Account',
    synopsis: 'keys [what]',
    summary: 'List, create or revoke API keys',
    load: async () => (await import('./verbs/keys.ts')).keys,
  },
  workspaces: {
    group: 'Account',
    synopsis: 'workspaces [what]',
    summary: 'List workspaces, choose one, manage its members',
    load: async () => (await import('./verbs/workspaces.ts')).workspaces,
  },
  account: {
    group: 'Account',
    synopsis: 'account delete',
    summary: 'Delete the account in 30 days, or keep it',
    load: async () => (await import('./verbs/account.ts')).account,
  },
  images: {
    group: 'Server',
    synopsis: 'images',
    summary: 'List, import and remove images of computers',
    load: async () => (await import('./verbs/images.ts')).images,
  },
  nodes: {
    group: 'Server',
    synopsis: 'nodes',
    summary: 'List the servers of the database, remove a lost one',
    load: async () => (await import('./verbs/nodes.ts')).nodes,
  },
  ledger: {
    group: 'Server',
    synopsis: 'ledger verify | review',
    summary: "Verify the server's ledger, settle payments",
    load: async () => (await import('./verbs/ledger.ts')).ledger,
  },
  database: {
    group: 'Server',
    synopsis: 'database copy',
    summary: "Copy this machine's database to PostgreSQL",
    load: async () => (await import('./verbs/database.ts')).database,
  },
  completion: {
    group: 'This program',
    synopsis: 'completion <shell>',
    summary: 'Print the completion script for bash, zsh or fish',
    load: async () => (await import('./verbs/completion.ts')).completion,
  },
  version: {
    group: 'This program',
    synopsis: 'version',
    summary: 'Show the versions of this program and of the server',
    load: async () => (await import('./verbs/version.ts')).version,
  },
  help: {
    group: 'This program',
    synopsis: 'help [command]',
    summary: 'Show all commands, or one of them',
    load: async () => (await import('./verbs/help.ts')).help,
  },
}

/** Names of similar commands in other programs, for suggestions. */
export const otherNames: Record<string, string> = {
  bash: 'exec',
  delete: 'rm',
  log: 'logs',
  mk: 'mkdir',
  ports: 'expose',
  remove: 'rm',
  sandbox: 'sandboxes',
  tail: 'logs',
  cat: 'read',
  copy: 'cp',
  download: 'read',
  dir: 'ls',
  info: 'status',
  list: 'ls',
  pay: 'topup',
  processes: 'ps',
  run: 'exec',
  sh: 'exec',
  shell: 'exec',
  stop: 'kill',
  upload: 'write',
}

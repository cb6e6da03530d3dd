const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/** Every bound of the server, with its reason. What an operator may want otherwise is a setting instead. */
export const limits = {
  /** A JSON body: holds a file of 32 MiB in base64 with room to spare. Larger files go by upload. */
  jsonBodyBytes: 48 * MiB,
  /** A body of any other route, public ones among them: names, addresses and tokens, of which the longest are some KiB. */
  bodyBytes: 16 * KiB,
  /** A JSON body that names paths of a sandbox: the greatest are 64 globs, every character of them escaped. */
  pathBodyBytes: 256 * KiB,
  /** One with a command line of 64 KiB, and all variables that the kernel takes together (1.5 MiB), some of it escaped. */
  commandBodyBytes: 4 * MiB,
  /** One with code: 4 Mi characters of four bytes each, or with many line ends, which are escaped. */
  codeBodyBytes: 16 * MiB,
  /** A body up to here is let in as it comes; for a larger one memory is set aside first. */
  wholeBodyBytes: 256 * KiB,
  /** JSON up to here is parsed in one go, which takes half a millisecond whatever it holds; more of it in slices. */
  wholeJsonBytes: 32 * KiB,
  /** Values in a body, lists and objects included: what takes most are the arguments and variables of a command. */
  bodyValues: 100_000,
  bodyDepth: 64,
  /** Characters of one key: the longest that means anything is the name of a variable. */
  jsonKeyLength: 4096,
  /** Keys of one object in JSON of others: what looks at them all does so in one go, 10 ms for so many. */
  jsonKeys: 20_000,
  /** Memory for large requests and answers that are in it as a whole; of a small host a quarter of its memory. */
  largeMemoryBytes: 640 * MiB,
  /** Of one account: the largest body, three times as it is while it is read, and some. */
  largeMemoryPerAccountBytes: 160 * MiB,
  /** Large requests and answers of an account that wait for memory, and for how long each does. */
  largeMemoryWaitingPerAccount: 64,
  largeMemoryWaitMs: 30_000,
  /** What an answer up to this size takes is not worth counting. */
  uncountedBytes: 64 * KiB,
  /** One uploaded file: what fits on a default disk. */
  uploadBytes: 8 * GiB,
  /** A field beside it: a path of 8,192 characters. One that is longer is cut there, and then too long. */
  uploadFieldBytes: 40 * KiB,
  /** What may wait between the parser of an upload and the disk; less makes the client stop for each 64 KiB. */
  waitingUploadBytes: 1 * MiB,
  /** A program as text; larger ones belong in a file. */
  codeBytes: 4 * MiB,
  /** Longer code than this does not fit in one argument of the kernel (128 KiB) and goes by stdin. */
  codeArgumentBytes: 120 * KiB,
  /** So much of it at a time: the server and its monitor make JSON of each piece, and read it, in one go. */
  sourcePieceBytes: 256 * KiB,
  /** Output in the answer of one execute, of each stream; the newest is kept. All of it (64 MiB) can be had from the process. */
  executeOutputBytes: 4 * MiB,
  /** A file read as text into a JSON answer. Larger ones go by download. */
  readBytes: 32 * MiB,
  /** What reading a file into an answer takes, whatever the size of the file: it is read while it is sent. */
  fileReadMemoryBytes: 512 * KiB,
  /** Entries of a directory in one answer; the next have to be asked for. A larger directory is read through for each page, so that a page has many. */
  listEntries: 10_000,
  /** Names, paths and targets in one answer: each may have 4 KiB. */
  listBytes: 4 * MiB,
  /** An execute may run this long: connections of most clients and proxies do not last longer. */
  executeTimeoutMs: 60 * 60 * 1000,
  /** Calls that wait for one kernel; a client that sends more than this ahead has lost count. */
  interpretQueue: 16,
  /** Printed by one call of a kernel, of each stream; what comes first is kept, so that the code's own output is bounded where it is written. */
  interpretStreamCharacters: 4 * MiB,
  /** Figures, tables and values of one call, as JSON: a hundred large figures. */
  interpretResultBytes: 24 * MiB,
  /** Pieces in the answer of one call. */
  interpretOutputs: 1000,
  /** One line of a kernel: all results of a call, and what is around them. */
  kernelLineBytes: 25 * MiB,
  /** A longer line is written in one go, and has come by then; one that has not is passed over. */
  kernelLineMs: 30_000,
  /** JSON values in one line: an object that is displayed has some ten thousand. */
  kernelLineValues: 250_000,
  kernelLineDepth: 256,
  /** Characters of one key in it: keys of what is displayed are those of its user. */
  kernelKeyLength: 64 * KiB,
  /** What a kernel says in one call, escapes of all that it may print included; one that says more is none of ours, and is ended. */
  kernelCallBytes: 256 * MiB,
  /** Lines of one call that say nothing to it; ours say a handful. */
  kernelUnknownLines: 100_000,
  /** Forms of one result. */
  kernelMimeTypes: 64,
  /** Of an error's message, and of its traceback. */
  interpretErrorCharacters: 64 * KiB,
  /** A kernel that is not ready by then will not be: it takes half a second on a quiet host. */
  kernelStartMs: 60_000,
  /** One of a server before that says nothing for so long never will: its own thread answers while code runs. */
  kernelReconnectMs: 10_000,
  /** Code gets this long to give way to an interruption, and once more when its programs were interrupted too. */
  interruptGraceMs: 2_500,
  /** The document's default. */
  executeDefaultTimeoutMs: 30_000,
  /** The document's limit for processes that are started over HTTP. */
  processDefaultTimeoutMs: 15 * 60 * 1000,
  /** Below the 2^31 ms that a timer can take. */
  processTimeoutMs: 24 * 24 * 60 * 60 * 1000,
  /** Environment variables of one request; the kernel's limit on their bytes is checked apart. */
  environmentEntries: 512,
  environmentNameLength: 256,
  /** Processes of one computer that are run by the API at the same time. */
  processesPerComputer: 256,
  /** Starts of processes that wait for their turn: some ten seconds of all that a small host can do. */
  waitingStartsPerAccount: 2000,
  /** The same for sandboxes, as many as an account may have. */
  waitingCreatesPerAccount: 1000,
  /** Of all accounts: a request that waits keeps a connection and some ten KiB. */
  waitingStarts: 10_000,
  /** A start that takes longer gives its place to another account: it waits for its own computer, not for the host. */
  startHoldMs: 500,
  createHoldMs: 5000,
  /** Ended processes that a computer keeps with their output, of those started to stay and of all others; the oldest go first. */
  endedProcessesPerComputer: 200,
  /** Output that is kept of one process, and what its record takes beside it: blocks of files, and its command. */
  keptOutputBytes: 64 * MiB,
  processRecordBytes: 8 * KiB,
  /**
   * Output on the disk, which no computer's own limit counts: of processes that run, and as much again of those that have ended; the
   * oldest goes first. Of a computer four times what one process keeps, of an account four times that,
   */
  outputPerComputerBytes: 256 * MiB,
  outputPerAccountBytes: 1 * GiB,
  /** and of all so much, or this share of the disk where that is less: whatever is printed, most of the disk is for files. */
  outputTotalBytes: 16 * GiB,
  outputTotalShare: 0.05,
  /** How long an ended process is kept. */
  endedProcessMs: 24 * 60 * 60 * 1000,
  /** Sandboxes of one account, stopped ones included. */
  computersPerAccount: 1000,
  /** A server in a computer that has not taken a connection by then has more of them than it looks at. */
  dialTimeoutMs: 10_000,
  /** A WebSocket of a preview on which nothing went either way for so long is closed: pings of either side count, and most send them each minute. */
  idlePreviewSocketMs: 60 * 60 * 1000,
  /** The answer that ends a connection can be taken for so long, also by a client that does not close. */
  finalResponseMs: 5_000,
  /** A connection that says nothing at all is closed after so long; browsers open some ahead and use them within seconds. */
  silentConnectionMs: 30_000,
  /** Descriptors that a process has in its monitor: three pipes. */
  processDescriptors: 3,
  /** What a watch of files has open: its root, the kernel's queue, its program's pipe, and the directory that is looked at. */
  watchDescriptors: 4,
  /** Work on a file: the root of its computer, its directory and itself. */
  fileDescriptors: 3,
  /** A preview name is one DNS label of 63 characters; the id has to leave room for two ports. */
  sessionIdLength: 128,
  processIdLength: 128,
  commandLength: 64 * KiB,
  portsPerComputer: 64,
  /** A client that takes nothing of what waits for it is cut off after so long, or twice that in the middle of a large write. */
  stalledClientMs: 60_000,
  /** A request whose body stops coming for so long is cut off; a slow one that moves may take its time. */
  stalledBodyMs: 60_000,
  /** What is left of a body when its request is answered goes on unread for so long, */
  bodyDrainMs: 10_000,
  /** and for so many bytes: clients that look for an answer only when they have sent all get it, and an account can be held to its limits. */
  bodyDrainBytes: 64 * MiB,
  /** Of somebody unknown less, as it costs them nothing to send more; but what is a little too long for the largest of their routes, the webhook, goes on, and its connection with it. */
  anonymousBodyDrainBytes: 2 * MiB,
  /** Comment lines keep proxies from cutting quiet streams. */
  streamKeepAliveMs: 15_000,
  /** Time to end by itself after a client that ran it over a socket is gone for good. */
  abandonedExecMs: 60_000,
  /** One message of an exec session: input comes in parts. */
  socketMessageBytes: 1 * MiB,
  /** WebSockets of one account at the same time; an idle one takes some ten KiB. */
  socketsPerAccount: 4096,
  /** Every WebSocket is pinged this often, so that proxies keep it, and dead peers are found within `stalledClientMs`. */
  socketPingMs: 20_000,
  /** WebSockets and streams of who would be refused by now end after at most so long: it costs two look-ups for each few hundred of them. */
  liveConnectionsCheckMs: 20_000,
  /** What waits for a client of a WebSocket: enough to keep a fast connection busy while the next message is made. */
  bufferedBytes: 2 * MiB,
  /** For all clients of an account; many have less each, but never less than a message. */
  bufferedPerAccountBytes: 32 * MiB,
  minBufferedBytes: 32 * KiB,
  /** Output that is read for a client at a time, and where an account has many: more than one record. */
  outputReadBytes: 1 * MiB,
  minOutputReadBytes: 128 * KiB,
  /** Messages of a WebSocket up to here are let in more at a time than those up to the greatest. */
  mediumMessageBytes: 4 * MiB,
  /** Requests of one WebSocket that are not answered yet, running commands among them. */
  socketRequests: 64,
  /** Files that are written together: each is a name and a descriptor until all are. */
  filesPerWrite: 256,
  /** Input in one message to a process; more goes by several. */
  stdinMessageBytes: 1 * MiB,
  /** How long an Idempotency-Key is remembered. */
  idempotencyMs: 24 * 60 * 60 * 1000,
  idempotencyKeyLength: 255,
  idempotentResponseBytes: 1 * MiB,
  /** Of a process: its output is kept anyway, and a larger answer is made of it again. */
  idempotentProcessBytes: 16 * KiB,
  /** What answers of one account take, and how many keys it has; the oldest go first. With those, a key takes 300 bytes. */
  idempotentBytesPerAccount: 8 * MiB,
  idempotencyKeysPerAccount: 50_000,
  /** The document's life of a session token. */
  sessionMs: 30 * 24 * 60 * 60 * 1000,
  /** The documents' life of an access token. */
  accessTokenMs: 60 * 60 * 1000,
  /**
   * Refresh tokens that are given for the same one within this are as good as one: programs that share a sign-in see their access token end
   * at the same moment, and ask within their timers, the wait for a slow answer and one more try. A thief has no longer to hide in it.
   */
  siblingTokensMs: 60 * 1000,
  /** A session token can be refreshed this long before its end; the document's hour. */
  refreshWindowMs: 60 * 60 * 1000,
  /** A link for signing in works so long: time to find the message, not to lose it. */
  magicLinkMs: 15 * 60 * 1000,
  /** A link that is no older has some minutes left in which it can be used. */
  freshLinkMs: 10 * 60 * 1000,
  /**
   * Fresh links to one address that are not used, asked for by one network and by all: nobody's mailbox is filled by others. Who gets no
   * more of them has so many in the mailbox.
   */
  magicLinksPerNetwork: 5,
  magicLinksPerAddress: 10,
  /** Beyond so many within a day there is one fresh link at a time. */
  magicLinksPerDay: 30,
  /**
   * Links within a day to other addresses of the same mailbox, by which nobody has signed in: that one network asks for, and all to those
   * with a "+". What others ask for keeps no plain address back, which may be the mailbox of somebody new.
   */
  magicLinksPerMailbox: 10,
  taggedLinksPerMailbox: 100,
  /** A /48 of IPv6 gets so many times what a network, which is a /64 of it, gets: one holder's mostly, or those of one building. */
  wideNetworkFactor: 4,
  /** What is counted within a day is kept for so long. */
  mailDayMs: 24 * 60 * 60 * 1000,
  /** The proof of a wallet is remembered for longer than the five minutes that its challenge is good for. */
  walletProofMs: 60 * 60 * 1000,
  /** A node or a bank that has not answered by then does not. */
  paymentNetworkMs: 20_000,
  /** A payment whose answer was lost is looked for so long while its client waits; a block of Tempo takes half a second. */
  paymentConfirmMs: 8_000,
  paymentConfirmEveryMs: 250,
  /** Then in the background, each time after twice as long, until it is given up: what was not in a block by then will not be. */
  paymentPendingMs: 7 * 24 * 60 * 60 * 1000,
  /** Stripe's least charge in US dollars. */
  stripeMinimumCents: 50,
  /** Payments that are looked for in one turn. */
  paymentsAtOnce: 100,
  /** More keys than anyone can tell apart. */
  apiKeysPerAccount: 100,
  apiKeyNameLength: 100,
  /** The document's grace: until then everything is there, and the person can stay. */
  deletionGraceMs: 30 * 24 * 60 * 60 * 1000,
  /** How a person is called. */
  nameLength: 100,
  /** Whom an issuer calls the bearer of its token; OpenID Connect allows no more. */
  subjectLength: 255,
  /** The longest that an issuer's token is taken for after it was issued: it cannot be revoked here. Issuers' own defaults are an hour to a day. */
  issuerTokenMs: 24 * 60 * 60 * 1000,
  /** How far an issuer's clock may be ahead. */
  issuerClockMs: 60_000,
  /** How long an issuer's keys, and what was verified by them, are taken without asking it again: so long a withdrawn key goes on. */
  issuerKeysMs: 5 * 60 * 1000,
  /** The same while it does not answer: an outage of the issuer is not at once one of this server. */
  issuerOutageMs: 60 * 60 * 1000,
  /** Between two requests for its keys; more each time that one brings nothing new. A new key of the issuer waits no longer. */
  issuerRetryMs: { min: 1_000, max: 60_000 },
  /** An issuer's answer that has not come by then does not. */
  issuerTimeoutMs: 5_000,
  /** Its configuration, or its keys: a few KiB in truth. */
  issuerAnswerBytes: 256 * KiB,
  issuerKeys: 100,
  /** The longest life of an API key that has an end. */
  apiKeyLifeMs: 10 * 365 * 24 * 60 * 60 * 1000,
  /** Workspaces that one person makes, each with computers of its own. */
  workspacesPerUser: 20,
  /** The list of members is one answer. */
  membersPerWorkspace: 1000,
  /** Not answered yet; each is a message to somebody who may not know the sender. */
  invitationsPerWorkspace: 100,
  /** Invitations within a day, answered or not: by one person, on the day they sign up, and into one workspace. A team comes in; a list does not. */
  invitationsPerUserDay: 50,
  invitationsPerNewUserDay: 10,
  invitationsPerWorkspaceDay: 100,
  /**
   * To one mailbox: by one person or into one workspace, from one network, and in all. The last is high, so that it takes many to keep
   * somebody from being invited.
   */
  invitationsPerMailboxDay: 5,
  mailboxInvitationsPerNetworkDay: 10,
  mailboxInvitationsPerDay: 50,
  /** Who is refused for what others have sent is told to look again in so long, which tells nothing of them. */
  invitationRetryMs: 60 * 60 * 1000,
  /** How often the log tells that no more mail of a kind goes out. */
  mailWarningMs: 60 * 60 * 1000,
  /** Mails within a day that tell a person what was done to their account. */
  noticesPerDay: 5,
  /** Time for somebody who is away for a week. */
  invitationMs: 7 * 24 * 60 * 60 * 1000,
  workspaceNameLength: 60,
  /** Sign-ins of a person that are listed in one answer: more than anyone looks through. */
  sessionsListed: 1000,
  /** And that are ended in one go: some milliseconds. */
  sessionsEndedAtOnce: 100,
  /** How exact the time of a token's last use is, give or take as much: a write for each request would cost more than the request. */
  lastUsedPrecisionMs: 60_000,
  memoryQuotaBytes: 10 * MiB,
  memoryPathLength: 512,
  /** What is being answered when the server is stopped may go on for so long: with the rest, less than the 10 s after which Docker kills. */
  drainMs: 8_000,
  /** Then what is not answered is refused, and clients get so long to take that. */
  lastAnswerMs: 1_000,
  /** A server that was told to stop has ended by then, whatever hangs. */
  stopMs: 11_000,
  /** Of one account: names take room too, and the quota counts contents alone. */
  memoryFiles: 10_000,
  /** Streams of file changes: each has an inotify queue, of which a host has 128, and a small program. */
  watchesPerAccount: 16,
  watchesTotal: 64,
  /** What one stream knows of: some ten megabytes of names, and a kernel's watch for each directory. */
  watchEntries: 100_000,
  watchDirectories: 16_384,
  /** Changes that wait for a slow reader; beyond it they are dropped, and their number is told. */
  watchQueue: 10_000,
  /** Events of the kernel that wait to be looked at. */
  watchBacklog: 100_000,
  /** Globs of one watch, and the length of one. */
  watchGlobs: 64,
  globLength: 512,
  /** How often what runs is charged: so much of it a crash can lose, since it is not in the database yet. */
  usageIntervalMs: 60_000,
  /** How often sandboxes are looked at in which something may work that was not started by the API: 10 microseconds each. */
  unattendedCheckMs: 1_000,
  /** An account that asks for its usage sees what is at most so old; each look is a record in the books. */
  usageMaxAgeMs: 5_000,
  /** What each sandbox that runs has set aside of its account's credit: one more is refused rather than that all have less to do anything in. */
  creditReserveMs: 1_000,
  /** How soon after another an account is looked at whose credit ends, where something runs and where something only may. */
  creditTickMs: 20,
  unattendedTickMs: 500,
  /** How often disks are measured: each measurement costs a look at every computer. */
  storageIntervalMs: 60 * 60 * 1000,
  /** How long beyond its idle time a sandbox is kept whose account has no credit: time to top up. */
  unpaidSandboxMs: 24 * 60 * 60 * 1000,
  /** The document's: a streaming computer starts when the credit lasts so long. */
  streamingMinimumMs: 15 * 60 * 1000,
  /** A spending limit: ten million dollars are as good as none, and stay exact in micro-dollars. */
  spendingLimitCents: 1_000_000_000,
  /** A page of an account's statement. */
  statementLines: 100,
  /** Days that a report of usage covers at most: it is added up while its reader waits. */
  usageReportDays: 366,
  /**
   * Computers, keys and labels of a day that are told of one by one, of each and by meter: as many as an account may have computers. Whoever
   * makes more in a day has those beyond in one line; what a key spent is exact all the same.
   */
  usageLinesPerDay: 1000,
  /** Pieces of usage that are written and charged in one transaction: some 20 ms. */
  usagePiecesAtOnce: 100,
  /** Lines of a report by computer, key or label, the dearest: more than a person reads, and an answer of some hundred KiB. */
  usageReportLines: 1000,
  /** Answers that many rows are read for are made one at a time, on a thread of their own: so many requests of an account wait for theirs, */
  workerReadsPerAccount: 16,
  /** and of all, each of which keeps a connection and some KiB; */
  workerReads: 2000,
  /** and so long: the largest takes two seconds on a small host. */
  workerReadWaitMs: 15_000,
  /** Rows of somebody who leaves that are deleted in one go: some milliseconds. */
  deletedRowsAtOnce: 500,
  /** And of events, with each sweep. */
  deletedEventsAtOnce: 2000,
  /** Limits of keys that were revoked, whose programs may run on: those of the keys that were limited last are kept. */
  revokedKeyLimits: 400,
  /** What a webhook sends: the largest events of Stripe are some hundred KiB. */
  webhookBytes: 1 * MiB,
  /** How long a link for paying works: time to find the card, and few of them to ask about. Stripe takes 30 minutes to a day. */
  checkoutMs: 60 * 60 * 1000,
  /** Links of one account that wait for somebody to pay. */
  openPaymentsPerAccount: 50,
  /** A payment that waits is asked about this often at first, then each time half as long after as it is old, */
  paymentPollMinMs: 5 * 60 * 1000,
  /** but at least so often: a bank's debit takes days. */
  paymentPollMaxMs: 6 * 60 * 60 * 1000,
  /** Payments that are asked about in one turn. */
  paymentsPolledAtOnce: 200,
  /** How long a payment is kept that came to nothing. */
  unpaidPaymentMs: 30 * 24 * 60 * 60 * 1000,
  /** A page of a usage history. */
  usageHistoryLines: 100,
  /** How often lxcfs is asked whether it is there: a program of some milliseconds, and longer than this no computer starts without it. */
  lxcfsCheckMs: 3_000,
  /** It answers in milliseconds; on a host so busy that it takes longer than this, another one costs no more. */
  lxcfsAnswerMs: 5_000,
  /** One that cannot be started is tried again after twice as long each time, and at least so often. */
  lxcfsRetryMs: 60_000,
  /** The process monitor is asked this often whether it is there, where it said nothing meanwhile: it answers in a millisecond. */
  monitorPingMs: 1_000,
  /** So many times without an answer, and it is told to be silent, and to go on in case somebody stopped it. */
  monitorSilentPings: 3,
  /** What a silent monitor was asked is given up after so long; and what it was to start, it does not start later than this. */
  monitorTimeoutMs: 6_000,
  /** A server that starts waits so long for a monitor of before: one that was stopped only goes on at once. */
  monitorGreetingMs: 8_000,
  /** Whoever waits for a process over its time limit is told the truth after so long, when nothing can be learned of it, */
  overdueMs: 5_000,
  /** and after so long in any case. */
  overdueMaxMs: 60_000,
  /** How often the storage pool is looked at: a system call. */
  poolCheckMs: 5_000,
  /** A disk that is only busy answers by then. */
  poolAnswerMs: 10_000,
  /** Programs get this long between TERM and KILL. */
  stopGraceMs: 5_000,
} as const

/** How much output of running processes, and again of ended ones, may be on a disk of this size. */
export function outputTotalBytes(diskBytes: number): number {
  return Math.min(limits.outputTotalBytes, Math.floor(diskBytes * limits.outputTotalShare))
}

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/** Every bound of the server, with its reason. Whatever an operator may want to change is a setting instead. */
export const limits = {
  /** A JSON body. Holds a file of 32 MiB in base64 with room to spare; larger files are uploaded. */
  jsonBodyBytes: 48 * MiB,
  /**
   * A body of every other route, public routes included: names, addresses and tokens, the longest of which take a few
   * KiB.
   */
  bodyBytes: 16 * KiB,
  /** A JSON body with paths of a sandbox. The largest holds 64 globs with every character escaped. */
  pathBodyBytes: 256 * KiB,
  /**
   * A JSON body with a command line of 64 KiB and as many variables as the kernel accepts (1.5 MiB), partly escaped.
   */
  commandBodyBytes: 4 * MiB,
  /** A JSON body with code: 4 Mi characters of four bytes each, or with many line breaks, which are escaped. */
  codeBodyBytes: 16 * MiB,
  /** Bodies up to this size are read as they arrive; memory is reserved before a larger one is read. */
  wholeBodyBytes: 256 * KiB,
  /**
   * JSON up to this size is parsed in one go, which takes at most half a millisecond; larger JSON is parsed in slices.
   */
  wholeJsonBytes: 32 * KiB,
  /** Values in a body, including lists and objects. The arguments and variables of a command need the most. */
  bodyValues: 100_000,
  bodyDepth: 64,
  /** Characters of one key. The longest meaningful key is the name of an environment variable. */
  jsonKeyLength: 4096,
  /** Keys of one JSON object. Code that visits all keys does so in one go, which takes 10 ms for this many. */
  jsonKeys: 20_000,
  /**
   * Memory for large requests and answers that are held as a whole; at most a quarter of the memory of a small host.
   */
  largeMemoryBytes: 640 * MiB,
  /** Share of one account: the largest body needs three times its size while it is read, plus a margin. */
  largeMemoryPerAccountBytes: 160 * MiB,
  /** Large requests and answers of one account that may wait for memory, and how long each waits. */
  largeMemoryWaitingPerAccount: 64,
  largeMemoryWaitMs: 30_000,
  /** Answers up to this size need so little memory that it is not counted. */
  uncountedBytes: 64 * KiB,
  /** One uploaded file: as large as a default disk can hold. */
  uploadBytes: 8 * GiB,
  /**
   * A form field beside the file: a path of 8,192 characters. A longer value is cut here and then rejected as too long.
   */
  uploadFieldBytes: 40 * KiB,
  /** Bytes buffered between the upload parser and the disk. A smaller buffer stops the client every 64 KiB. */
  waitingUploadBytes: 1 * MiB,
  /** A program sent as text; larger programs belong in a file. */
  codeBytes: 4 * MiB,
  /** Code longer than this does not fit in one argument of the kernel (128 KiB) and is passed on stdin. */
  codeArgumentBytes: 120 * KiB,
  /** Piece size for such code: the server and the monitor write and parse the JSON of each piece in one go. */
  sourcePieceBytes: 256 * KiB,
  /**
   * Output of each stream in the answer of one execute; the newest is kept. The process provides all of it (64 MiB).
   */
  executeOutputBytes: 4 * MiB,
  /** A file returned as text in a JSON answer; larger files are downloaded. */
  readBytes: 32 * MiB,
  /** Where a part of a file that is written may end: beyond every disk. A gap before it takes no space. */
  fileEndBytes: 1024 * GiB,
  /** A file that is patched, before and after: it is in memory as a whole. */
  patchBytes: 4 * MiB,
  /** Edits of one patch. Each goes through the whole file. */
  patchEdits: 100,
  /** The text or expression of a search. */
  searchPatternLength: 4096,
  /** Lines that a search returns, unless the request wants fewer. */
  searchMatches: 1000,
  searchMaxMatches: 10_000,
  /** Paths and lines that a search returns, together. */
  searchBytes: 4 * MiB,
  /** A search, and a list of a whole tree, end after this time with what they have found. */
  searchMs: 10_000,
  listTreeMs: 5_000,
  /** Processor time and address space of the program that searches; a file that is read as one line is kept in it. */
  searchCpuSeconds: 10,
  searchProgramBytes: 512 * MiB,
  /** Larger files are not searched: they hold data rather than text. */
  searchFileBytes: 64 * MiB,
  /** Searches at the same time: each keeps a core busy. The others wait, by account in turn. */
  searches: 2,
  searchesWaitingPerAccount: 16,
  searchesWaitingTotal: 256,
  /** Memory for returning a file in an answer, whatever the size of the file: the file is read while it is sent. */
  fileReadMemoryBytes: 512 * KiB,
  /**
   * Entries of a directory in one answer; the client requests the next page. A larger directory is scanned once for
   * each page, so pages are large.
   */
  listEntries: 10_000,
  /**
   * Computers or snapshots in one page of a driver: few enough to look all of them up with one statement, which takes
   * half a millisecond.
   */
  driverPageItems: 500,
  /** Exports and imports of snapshots at the same time. Each keeps a core and the disk busy. */
  snapshotTransfers: 4,
  /** An export that nobody reads, or an import that nothing arrives for, is ended after this time. */
  stalledTransferMs: 60_000,
  /**
   * The rate that a transfer has to keep up, but for pauses of `stalledTransferMs`: a peer that drips bytes would hold
   * one of the few transfers. Nodes have faster links, and tar packs small files from a slow disk faster.
   */
  transferBytesPerSecond: 128 * KiB,
  /** Longest transfer, however large. A terabyte takes three hours over a link of 1 Gbit/s. */
  transferMs: 6 * 60 * 60 * 1000,
  /**
   * Address space of a program that packs or unpacks a snapshot, which keeps names, links and directories in memory.
   * tar takes 75 MB for a directory of 300,000 files with names of 250 bytes, 15 MB for 150,000 files with two links
   * each, and 3 MB to unpack 40,000 directories.
   */
  transferProgramBytes: 256 * MiB,
  /** Processor time of such a program; tar takes 1.5 s to unpack a large file of 1 GB. */
  transferProgramCpuSeconds: 60 * 60,
  /** Names, paths and targets in one answer; each may take 4 KiB. */
  listBytes: 4 * MiB,
  /** Calls that may wait for one kernel; a client that queues more has lost track of them. */
  interpretQueue: 16,
  /**
   * Output of one kernel call, for each stream. The oldest is kept, so that output is bounded where the code writes it.
   */
  interpretStreamCharacters: 4 * MiB,
  /** Figures, tables and values of one call, as JSON: a hundred large figures. */
  interpretResultBytes: 24 * MiB,
  /** Items in the answer of one call. */
  interpretOutputs: 1000,
  /** One line of a kernel: all results of a call with their envelope. */
  kernelLineBytes: 25 * MiB,
  /** A kernel writes a long line in one go, so the line is complete within this time; otherwise it is dropped. */
  kernelLineMs: 30_000,
  /** JSON values in one line. A displayed object has about ten thousand. */
  kernelLineValues: 250_000,
  kernelLineDepth: 256,
  /** Characters of one key in a line: the user chooses the keys of displayed objects. */
  kernelKeyLength: 64 * KiB,
  /**
   * Output of a kernel in one call, including the escapes of everything that it may print. A kernel that sends more
   * does not run our code, and is ended.
   */
  kernelCallBytes: 256 * MiB,
  /** Lines without a meaning in one call. A kernel that runs our code sends a handful. */
  kernelUnknownLines: 100_000,
  /** MIME types of one result. */
  kernelMimeTypes: 64,
  /** Characters of an error message, and of its traceback. */
  interpretErrorCharacters: 64 * KiB,
  /** A kernel that is not ready within this time is not going to be: on an idle host it takes half a second. */
  kernelStartMs: 60_000,
  /** A desktop whose screen cannot be reached within this time is not going to be: on an idle host it takes 0.3 s. */
  desktopStartMs: 30_000,
  /** Terminals of one computer that stay open without a client: more than the tabs that a person tells apart. */
  terminalsPerComputer: 16,
  /** What a client of a terminal gets of the output before it came: some ten thousand lines. */
  terminalReplayBytes: 1 * MiB,
  /**
   * Connections of one access session to what it shows, WebSockets of the page and VNC viewers: every terminal, the
   * desktop and its sound in a few windows.
   */
  socketsPerSession: 64,
  /** The same of all visitors of a share: desktop, sound and some terminals for each of a class. */
  socketsPerShare: 512,
  /** How long a client has to answer that its access session is over before its WebSocket is cut. */
  lastSocketAnswerMs: 500,
  /** How long a list of what runs in a computer is shown to whoever watches it: a program is started for each. */
  programsMs: 2_000,
  /** What runs in a computer is listed within this time, in so many bytes and lines, or is left out. */
  programsTimeoutMs: 5_000,
  programsBytes: 512 * KiB,
  programsShown: 1_000,
  /** How long a measurement of a computer is shown to whoever watches it: one takes a few files of the kernel. */
  gaugesMs: 1_000,
  /** Sound that a listener may be behind: a second of two channels of 16 bits at 48 kHz. What is more is left out. */
  soundBacklogBytes: 48_000 * 4,
  /** How long a desktop stays that nobody looks at and that shows no window; it takes some 150 MiB of the computer. */
  desktopIdleMs: 300_000,
  /**
   * Time for a kernel started by an earlier server to answer. Its own thread answers while code runs, so silence means
   * that it never will.
   */
  kernelReconnectMs: 10_000,
  /**
   * Time for code to react to an interrupt, and the same again after the programs that it started are interrupted too.
   */
  interruptGraceMs: 2_500,
  /** The API document's default. */
  executeDefaultTimeoutMs: 30_000,
  /** The API document's limit for processes that are started over HTTP. */
  processDefaultTimeoutMs: 15 * 60 * 1000,
  /** The longest time limit but none: just below the 2^31 ms that a timer supports. */
  processTimeoutMs: 24 * 24 * 60 * 60 * 1000,
  /** Environment variables of one request. The kernel's limit on their total size is checked separately. */
  environmentEntries: 512,
  environmentNameLength: 256,
  /** Processes of one computer that the API runs at the same time. */
  processesPerComputer: 256,
  /** Process starts of one account that may queue: some ten seconds of everything that a small host can do. */
  waitingStartsPerAccount: 2000,
  /** Sandbox creations of one account that may queue: as many as the sandboxes that it may have. */
  waitingCreatesPerAccount: 1000,
  /** Queue length over all accounts. A waiting request holds a connection and some ten KiB. */
  waitingStarts: 10_000,
  /** A start that takes longer hands its permit to another account: it waits for its own computer, not for the host. */
  startHoldMs: 500,
  createHoldMs: 5000,
  /**
   * Ended processes that a computer keeps with their output, counted separately for background processes and all
   * others. The oldest are removed first.
   */
  endedProcessesPerComputer: 200,
  /** Output kept for one process, and what its record takes in addition: file blocks and the command. */
  keptOutputBytes: 64 * MiB,
  processRecordBytes: 8 * KiB,
  /**
   * Output on disk, which no disk limit of a computer counts. The limits apply once to running processes and once more
   * to ended ones; the oldest output is removed first. A computer may keep four times the output of one process, an
   * account four times that of a computer.
   */
  outputPerComputerBytes: 256 * MiB,
  outputPerAccountBytes: 1 * GiB,
  /**
   * Output of all accounts, capped at this share of the disk if that is smaller: however much is printed, most of the
   * disk is for files.
   */
  outputTotalBytes: 16 * GiB,
  outputTotalShare: 0.05,
  /** How long an ended process is kept. */
  endedProcessMs: 24 * 60 * 60 * 1000,
  /** Sandboxes of one account, including stopped ones. */
  computersPerAccount: 1000,
  /** How long a session lasts; an extension begins anew. */
  sampleSessionMs: 7 * 24 * 60 * 60 * 1000,
  sampleSessionDefaultMs: 30 * 60 * 1000,
  /** Sessions of one account that are being created: more than a burst of clients begins at once. */
  sessionsCreatingPerAccount: 500,
  /** How long the health check of a task may take until it succeeds, however often the task wants it tried. */
  sessionHealthcheckMs: 10 * 60 * 1000,
  /** Sessions of one answer. */
  sampleSessionsListed: 100,
  /** How long a session that has ended is kept with its interactions, and how many of one account. */
  endedSessionMs: 30 * 24 * 60 * 60 * 1000,
  endedSessionsPerAccount: 10_000,
  /** How long a tar of a session's files may take to be packed or unpacked. */
  sessionArchiveMs: 15 * 60 * 1000,
  /** Interactions of one session: more than an agent needs in a week. */
  interactionsPerSession: 10_000,
  interactionsListed: 100,
  /** How much of a command an interaction keeps, in characters. */
  interactionCommandLength: 16 * 1024,
  /** The time limit of a command in a session. */
  interactionDefaultTimeoutMs: 300_000,
  /** Output of each stream in the answer of one interaction, as verification clients ask for; the newest is kept. */
  interactionOutputBytes: 10 * MiB,
  /** Output of each stream that outlives the record of the process, for those who look at the session later. */
  interactionKeptBytes: 32 * 1024,
  /** All that the interactions of one session, and of one account, keep of their output. */
  sessionKeptBytes: 32 * MiB,
  sessionKeptPerAccountBytes: 1 * GiB,
  /**
   * How long the answer waits for a session or an interaction that is about to be done, so that a client that polls
   * slowly does not lose seconds on what takes milliseconds; and how long at most when a client asks for it.
   */
  pollGraceMs: 250,
  pollMaxMs: 30_000,
  /** Snapshots of one account: each keeps a root of the file system, and a list of them is one answer. */
  snapshotsPerAccount: 500,
  /** Forks of one computer at a time. All of them start before the operation ends. */
  forksAtOnce: 32,
  /** Sandboxes in one answer: of each, the disk and the listening ports are read. */
  sandboxesPerPage: 100,
  /** A server in a computer that does not accept a connection within this time has a full backlog. */
  dialTimeoutMs: 10_000,
  /**
   * A WebSocket of a preview is closed after this time without traffic. Pings of either side count as traffic; most
   * send one each minute.
   */
  idlePreviewSocketMs: 60 * 60 * 1000,
  /** Time to receive the response that ends a connection, even for a client that does not close it. */
  finalResponseMs: 5_000,
  /**
   * A connection on which nothing arrives is closed after this time. Browsers open some in advance and use them within
   * seconds.
   */
  silentConnectionMs: 30_000,
  /** File descriptors of one process in its monitor: three pipes. */
  processDescriptors: 3,
  /**
   * File descriptors of a file watch: its root, the kernel's queue, its program's pipe, and the directory that is being
   * read.
   */
  watchDescriptors: 4,
  /** File descriptors of a file operation: the root of the computer, the directory and the file. */
  fileDescriptors: 3,
  /** Characters of a sandbox's name, of at most four bytes each: indexes hold it. */
  sessionIdLength: 128,
  processIdLength: 128,
  commandLength: 64 * KiB,
  portsPerComputer: 64,
  /** How long an access session lasts unless its creator asks for another time: the work of a sitting. */
  accessSessionDefaultMs: 60 * 60 * 1000,
  /** The shortest and the longest access session. A program that needs one for longer creates the next one. */
  accessSessionMs: { min: 30 * 1000, max: 24 * 60 * 60 * 1000 },
  /** Access sessions of one computer that last: more than the programs and people that use one computer. */
  accessSessionsPerComputer: 100,
  /** Access sessions of one computer that are over and can still be read; the oldest are removed first. */
  endedAccessSessionsPerComputer: 100,
  /** How long an access session that is over can be read. */
  endedAccessSessionMs: 24 * 60 * 60 * 1000,
  /** Access sessions of one share that last: a class that looks at one desktop, each twice. */
  accessSessionsPerShare: 60,
  /** How often within a minute one network opens computers by shares: a class behind one address, each twice. */
  shareEntriesPerMinute: 60,
  /** Shares of one computer that last: a link for each person of a team. */
  sharesPerComputer: 50,
  /** Shares of one computer that are over and not removed yet. */
  endedSharesPerComputer: 50,
  /** The longest life of a share that has an end: whoever wants more wants one without an end. */
  shareMs: 366 * 24 * 60 * 60 * 1000,
  /** How long a share that is over is kept, so that to revoke it again harms nothing. */
  endedShareMs: 7 * 24 * 60 * 60 * 1000,
  /**
   * A client that reads nothing of what waits for it is disconnected after this time, or after twice as long during a
   * large write.
   */
  stalledClientMs: 60_000,
  /**
   * A request whose body stops arriving is aborted after this time. A slow body that keeps arriving may take as long as
   * it likes.
   */
  stalledBodyMs: 60_000,
  /**
   * A directory that is not gone after this time is left: the programs of its computer may add files for ever. Millions
   * of files take less.
   */
  removalMs: 5 * 60_000,
  /** After a request is answered, the rest of its body is received unread for this long, */
  bodyDrainMs: 10_000,
  /**
   * and up to this size: a client that reads only after sending everything still gets the answer, and an account can be
   * held to its limits.
   */
  bodyDrainBytes: 64 * MiB,
  /**
   * Less for an unauthenticated client, which loses nothing by sending more. A body slightly over the largest public
   * limit, that of the webhook, is drained and its connection stays usable.
   */
  anonymousBodyDrainBytes: 2 * MiB,
  /** Comment lines keep proxies from closing quiet streams. */
  streamKeepAliveMs: 15_000,
  /** How long a process may keep running after the client that ran it over a socket has gone for good. */
  abandonedExecMs: 60_000,
  /** One message of an exec session; longer input is sent in parts. */
  socketMessageBytes: 1 * MiB,
  /**
   * Streams of processes that one account has open at the exec gateway. Each has a piece of output in memory, with its
   * form in JSON: half a MiB for a client that reads slowly.
   */
  gatewayStreamsPerAccount: 256,
  /** One message of a stream of input: 1 MiB in base64, with its envelope. */
  gatewayMessageBytes: 1.5 * MiB,
  /** How often a quiet stream of a process sends a message, unless its client asks for another interval. */
  gatewayKeepAliveMs: { default: 30_000, min: 1_000, max: 60 * 60 * 1000 },
  /** A stream of input without a byte is cut after this time: its client may think, but not for ever. */
  quietInputMs: 60 * 60 * 1000,
  /** How long a client has to receive why its stream ends, once its access session is over. */
  lastGatewayAnswerMs: 500,
  /** WebSockets of one account at the same time. An idle one takes some ten KiB. */
  socketsPerAccount: 4096,
  /**
   * Ping interval of every WebSocket: proxies keep the connection, and dead peers are found within `stalledClientMs`.
   */
  socketPingMs: 20_000,
  /**
   * WebSockets and streams of a caller that has lost its access end within this time. A check takes two queries for
   * every few hundred of them.
   */
  liveConnectionsCheckMs: 20_000,
  /**
   * Bytes buffered for one client of a WebSocket: enough to keep a fast connection busy while the next message is made.
   */
  bufferedBytes: 2 * MiB,
  /** Buffer for all clients of an account. Many clients get less each, but never less than one message. */
  bufferedPerAccountBytes: 32 * MiB,
  minBufferedBytes: 32 * KiB,
  /** Output read for a client at a time, and the amount when an account has many clients: more than one record. */
  outputReadBytes: 1 * MiB,
  minOutputReadBytes: 128 * KiB,
  /** More WebSocket messages of up to this size are accepted at the same time than of the largest size. */
  mediumMessageBytes: 4 * MiB,
  /** Unanswered requests of one WebSocket, including running commands. */
  socketRequests: 64,
  /** Files written together. Each needs a name and a descriptor until all are written. */
  filesPerWrite: 256,
  /** Input in one message to a process; longer input takes several messages. */
  stdinMessageBytes: 1 * MiB,
  /** How long an Idempotency-Key is remembered. */
  idempotencyMs: 24 * 60 * 60 * 1000,
  idempotencyKeyLength: 255,
  /** How long an operation that has ended can be read. */
  endedOperationMs: 7 * 24 * 60 * 60 * 1000,
  idempotentResponseBytes: 1 * MiB,
  /**
   * Stored answer of a request that ran a process: its output is kept anyway, and a larger answer is made from it
   * again.
   */
  idempotentProcessBytes: 16 * KiB,
  /**
   * Stored answers of one account, and the number of its keys; the oldest are removed first. At that number, a key
   * takes 300 bytes.
   */
  idempotentBytesPerAccount: 8 * MiB,
  idempotencyKeysPerAccount: 50_000,
  /** The API document's lifetime of a session token. */
  sessionMs: 30 * 24 * 60 * 60 * 1000,
  /** The API documents' lifetime of an access token. */
  accessTokenMs: 60 * 60 * 1000,
  /**
   * Refresh tokens issued for the same predecessor within this time are equally valid: programs that share a sign-in
   * see their access token expire at the same moment, and refresh it within the time of their timers, a slow answer and
   * one retry. A stolen token has no longer than this to hide.
   */
  siblingTokensMs: 60 * 1000,
  /** How long before its expiry a session token can be refreshed; the API document's hour. */
  refreshWindowMs: 60 * 60 * 1000,
  /** Validity of a sign-in link: time to find the message, not to lose it. */
  magicLinkMs: 15 * 60 * 1000,
  /** A link younger than this can still be used for some minutes. */
  freshLinkMs: 10 * 60 * 1000,
  /**
   * Unused fresh links to one address that one network, and that all networks together, may request: nobody can fill
   * another user's mailbox. A user who gets no more already has this many in the mailbox.
   */
  magicLinksPerNetwork: 5,
  magicLinksPerAddress: 10,
  /** After this many unused links within a day, only one fresh link exists at a time. */
  magicLinksPerDay: 30,
  /**
   * Links within a day to other addresses of the same mailbox that have never signed in: requested by one network, and
   * in total to addresses with a "+". Requests of others never block an address without a "+", which may be the mailbox
   * of a new user.
   */
  magicLinksPerMailbox: 10,
  taggedLinksPerMailbox: 100,
  /**
   * A /48 of IPv6 gets this many times the quota of a network, which is a /64: a /48 mostly belongs to one holder or
   * one building.
   */
  sitePrefixFactor: 4,
  /** How long events count towards a daily limit. */
  mailDayMs: 24 * 60 * 60 * 1000,
  /** The proof of a wallet is remembered for longer than the five minutes for which its challenge is valid. */
  walletProofMs: 60 * 60 * 1000,
  /** A node or a bank that has not answered within this time is not going to. */
  paymentNetworkMs: 20_000,
  /**
   * How long a payment with a lost answer is looked up while its client waits. A block of Tempo takes half a second.
   */
  paymentConfirmMs: 8_000,
  paymentConfirmEveryMs: 250,
  /**
   * Afterwards it is looked up in the background, each time after twice as long, and given up after this time: by then
   * no block will contain it.
   */
  paymentPendingMs: 7 * 24 * 60 * 60 * 1000,
  /** Stripe's minimum charge in US dollars. */
  stripeMinimumCents: 50,
  /** Payments that are looked up in one round. */
  paymentsAtOnce: 100,
  /** More keys than anyone can tell apart. */
  apiKeysPerAccount: 100,
  apiKeyNameLength: 100,
  /** People who have signed in for a program and are asked whether it gets a key; the oldest question is dropped. */
  cliApprovals: 1000,
  cliApprovalsPerAccount: 10,
  cliApprovalMs: 10 * 60 * 1000,
  /** Each is offered to every SSH connection of the account's computers, in a file that is written for it. */
  sshKeysPerAccount: 100,
  /** Keys that a computer is created with. */
  guestKeys: 20,
  /** Certificates that are valid at the same time: more than a fleet of programs asks for in their life. */
  sshCertificatesPerComputer: 200,
  /** The life of a certificate for SSH: by default the document's, and at most an hour. */
  sshCertificateDefaultMs: 15 * 60 * 1000,
  sshCertificateMs: 60 * 60 * 1000,
  /** A client names its version as soon as it is connected, and has finished its TLS handshake before. */
  sshHelloMs: 10_000,
  /** What a client may send before it has named its version. */
  sshHelloBytes: 1024,
  /** Time to prove who connects: a user may have to touch a key or type a passphrase. sshd itself ends it earlier. */
  sshLoginMs: 40_000,
  /** Connections from one network, and to one computer, whose users have not proved anything yet. */
  sshUnprovenPerNetwork: 32,
  sshUnprovenPerComputer: 16,
  /** Connections to one computer. Each takes about 10 MiB of its memory. */
  sshConnectionsPerComputer: 64,
  /** How often it is checked whether users who are connected still may be. */
  sshCheckMs: 1000,
  /** A process that serves a connection which is closed ends by itself within this time, or is killed. */
  connectionEndMs: 2000,
  /** Time until a VNC client has sent its password: its user may be asked about a certificate, and has to paste it. */
  vncLoginMs: 120_000,
  /** Names and tokens are much shorter. */
  vncNameBytes: 256,
  /** Passwords from one network: programs that look for a computer in a loop, and people who mistype. */
  vncAttemptsPerMinute: 60,
  /** Time for the VNC server of a computer, which is its root's, to greet. */
  vncGuestMs: 10_000,
  /** A client whose session is over has this time to close the connection itself. */
  vncEndMs: 500,
  /** The API document's grace period: until its end nothing is deleted, and the user can cancel. */
  deletionGraceMs: 30 * 24 * 60 * 60 * 1000,
  /** Length of a user's name. */
  nameLength: 100,
  /** Length of an issuer's subject; OpenID Connect allows no more. */
  subjectLength: 255,
  /** Maximum age of an issuer's token, which cannot be revoked here. Issuers' own defaults are an hour to a day. */
  issuerTokenMs: 24 * 60 * 60 * 1000,
  /** How far an issuer's clock may be ahead. */
  issuerClockMs: 60_000,
  /**
   * How long an issuer's keys, and what was verified with them, are used without asking again: a withdrawn key stays
   * valid for this long.
   */
  issuerKeysMs: 5 * 60 * 1000,
  /**
   * The same while the issuer does not answer: an outage of the issuer does not immediately become one of this server.
   */
  issuerOutageMs: 60 * 60 * 1000,
  /**
   * Time between two requests for the keys; it grows whenever a request brings nothing new. A new key is accepted after
   * at most this time.
   */
  issuerRetryMs: { min: 1_000, max: 60_000 },
  /** An issuer that has not answered within this time is not going to. */
  issuerTimeoutMs: 5_000,
  /** An issuer's configuration or keys, which really take a few KiB. */
  issuerAnswerBytes: 256 * KiB,
  issuerKeys: 100,
  /** Longest lifetime of an API key that expires. */
  apiKeyLifeMs: 10 * 365 * 24 * 60 * 60 * 1000,
  /** Workspaces that one user creates, each with its own computers. */
  workspacesPerUser: 20,
  /** The list of members is one answer. */
  membersPerWorkspace: 1000,
  /** Open invitations. Each is a message to somebody who may not know the sender. */
  invitationsPerWorkspace: 100,
  /**
   * Invitations within a day, answered or not: by one user, by a user on the day of signing up, and into one workspace.
   * A team fits; a mailing list does not.
   */
  invitationsPerUserDay: 50,
  invitationsPerNewUserDay: 10,
  invitationsPerWorkspaceDay: 100,
  /**
   * Invitations to one mailbox: by one user or into one workspace, from one network, and in total. The total is high,
   * so that it takes many senders to keep somebody from being invited.
   */
  invitationsPerMailboxDay: 5,
  mailboxInvitationsPerNetworkDay: 10,
  mailboxInvitationsPerDay: 50,
  /**
   * A sender who is refused because of the mail of others is asked to retry after this time, which reveals nothing
   * about them.
   */
  invitationRetryMs: 60 * 60 * 1000,
  /** How often the log reports that no more mail of a kind is sent. */
  mailWarningMs: 60 * 60 * 1000,
  /** Mails within a day that notify a user of a change to the account. */
  noticesPerDay: 5,
  /** Enough time for somebody who is away for a week. */
  invitationMs: 7 * 24 * 60 * 60 * 1000,
  workspaceNameLength: 60,
  /** Sign-ins of a user listed in one answer: more than anyone reads. */
  sessionsListed: 1000,
  /** Sign-ins ended in one batch: some milliseconds. */
  sessionsEndedAtOnce: 100,
  /**
   * Precision of a token's last use, in either direction: one write for each request would cost more than the request.
   */
  lastUsedPrecisionMs: 60_000,
  memoryQuotaBytes: 10 * MiB,
  memoryPathLength: 512,
  /**
   * How long requests may continue after the server is asked to stop. With the limits below, less than the 10 s after
   * which Docker kills.
   */
  drainMs: 8_000,
  /** Unanswered requests are then refused, and clients get this long to receive the refusal. */
  lastAnswerMs: 1_000,
  /** A stopping server ends within this time, whatever hangs. */
  stopMs: 11_000,
  /**
   * How long a server counts as serving its node without renewing that: other servers take over what is done once for
   * all, and an operator may remove the node. The clock of the database decides, which tells seconds.
   */
  nodeLeaseMs: 15_000,
  /** How often it is renewed: twice can fail. A server that was replaced notices within this time. */
  nodeRenewMs: 5_000,
  /** Files of one account's agent memory: names take space too, and the quota counts contents alone. */
  memoryFiles: 10_000,
  /** Streams of file changes. Each has an inotify queue, of which a host has 128, and a small program. */
  watchesPerAccount: 16,
  watchesTotal: 64,
  /**
   * Entries and directories that one stream tracks: some ten megabytes of names, and one kernel watch for each
   * directory.
   */
  watchEntries: 100_000,
  watchDirectories: 16_384,
  /** Changes that wait for a slow reader. Further ones are dropped, and the stream reports their number. */
  watchQueue: 10_000,
  /** Kernel events that wait to be handled. */
  watchBacklog: 100_000,
  /** Globs of one watch, and the length of each. */
  watchGlobs: 64,
  globLength: 512,
  /** How often running work is charged. A crash can lose this much, as it is not in the database yet. */
  usageIntervalMs: 60_000,
  /** How often the server checks its own services. The page and the answer about them are made as often. */
  uptimeCheckMs: 60_000,
  /** A service that has not answered after this time is down. */
  uptimeProbeMs: 10_000,
  /** A service that takes longer is slow: each of them answers within some ten milliseconds on an idle host. */
  uptimeSlowMs: 1_000,
  /** For how long the hours of services are kept, this one included: as many days as the page shows. */
  uptimeDays: 90,
  /** How often sandboxes are checked that may run something that the API did not start: 10 microseconds each. */
  unattendedCheckMs: 1_000,
  /** Maximum age of the usage that an account sees. Each update is a record in the ledger. */
  usageMaxAgeMs: 5_000,
  /**
   * Credit that is reserved for each running sandbox of an account: another sandbox is refused before the running ones
   * have too little to do anything.
   */
  creditReserveMs: 1_000,
  /**
   * Shortest time between two checks of an account whose credit is about to end: where something runs, and where
   * something only may.
   */
  creditTickMs: 20,
  unattendedTickMs: 500,
  /** How often disks are measured. Each measurement looks at every computer. */
  storageIntervalMs: 60 * 60 * 1000,
  /** How long beyond its idle time the sandbox of an account without credit is kept: time to top up. */
  unpaidSandboxMs: 24 * 60 * 60 * 1000,
  /** The API document's rule: a streaming computer starts if the credit lasts this long. */
  streamingMinimumMs: 15 * 60 * 1000,
  /** A spending limit: ten million dollars are as good as none, and stay exact in micro-dollars. */
  spendingLimitCents: 1_000_000_000,
  /** A page of an account's statement. */
  statementLines: 100,
  /** Days that a usage report covers: it is added up while its reader waits. */
  usageReportDays: 366,
  /**
   * Computers, keys and labels that have a line of their own in a day, each of the three and by meter: as many as the
   * computers that an account may have. Further ones share one line; what a key has spent is exact all the same.
   */
  usageLinesPerDay: 1000,
  /** Pieces of usage that are recorded and charged in one transaction: some 20 ms. */
  usageIntervalsAtOnce: 100,
  /**
   * Lines of a report by computer, key or label, the most expensive first: more than anyone reads, and an answer of
   * some hundred KiB.
   */
  usageReportLines: 1000,
  /** Queries over many rows run one at a time, apart from the requests. This many requests of one account may wait, */
  bulkReadsPerAccount: 16,
  /** this many in total, each of which holds a connection and some KiB, */
  bulkReads: 2000,
  /** and for this long: the largest query takes two seconds on a small host. */
  bulkReadWaitMs: 15_000,
  /**
   * Connections to PostgreSQL for requests and periodic work. Bulk reads, the lease of the node and the watch have one
   * more each. Its own default is 100 in all.
   */
  databaseConnections: 16,
  /** How long a query waits for one of them, or for a new connection to be accepted. */
  databaseConnectMs: 10_000,
  /** How long a statement waits for a row that another transaction has locked: that of a server that hangs, for instance. */
  databaseLockMs: 10_000,
  /** How long a statement of PostgreSQL may take: only migrations take longer. */
  databaseStatementMs: 60_000,
  /** How often a server asks PostgreSQL whether it answers: less than a millisecond of work. */
  databasePingMs: 1_000,
  /** After this many pings without an answer, what waits for the database fails, and what comes is refused at once. */
  databaseSilentPings: 5,
  /** Transactions that run at once on PostgreSQL: half of the connections, so that single queries find one. */
  transactionsAtOnce: 8,
  /** Those that are no account's, such as sign-ins, together: accounts have turns besides. */
  unnamedTransactionsAtOnce: 4,
  /** Transactions of one account that wait: it gets some hundred of them in a second. */
  waitingTransactionsPerAccount: 1000,
  /** Transactions of all accounts that wait: some KiB each. */
  waitingTransactions: 10_000,
  /**
   * How long one that is repeated waits for those that run, and those that come wait for it: ten times what nearly all
   * take.
   */
  transactionAloneMs: 100,
  /** A transaction of PostgreSQL that conflicts with others is repeated this often; */
  transactionRepetitions: 40,
  /** after each time it waits for up to 2 ms, 4 ms, 8 ms, and so on up to this. */
  transactionPauseMs: 64,
  /** Rows of a deleted account that are removed in one batch: some milliseconds. */
  deletedRowsAtOnce: 500,
  /** Events that are removed with each sweep. */
  deletedEventsAtOnce: 2000,
  /**
   * Spending limits of revoked keys, whose programs may still run. Those of the keys that were limited last are kept.
   */
  revokedKeyLimits: 400,
  /** Body of a webhook: the largest events of Stripe take some hundred KiB. */
  webhookBytes: 1 * MiB,
  /** Validity of a payment link: time to find the card, and few links to poll. Stripe accepts 30 minutes to a day. */
  checkoutMs: 60 * 60 * 1000,
  /** Payment links of one account that wait to be paid. */
  openPaymentsPerAccount: 50,
  /** Poll interval of a pending payment: half its age, but not shorter than this, */
  paymentPollMinMs: 5 * 60 * 1000,
  /** and not longer than this: a bank's debit takes days. */
  paymentPollMaxMs: 6 * 60 * 60 * 1000,
  /** Payments that are polled in one round. */
  paymentsPolledAtOnce: 200,
  /** How long a payment that came to nothing is kept. */
  unpaidPaymentMs: 30 * 24 * 60 * 60 * 1000,
  /** A page of a usage history. */
  usageHistoryLines: 100,
  /**
   * How often lxcfs is checked, by a program of some milliseconds. After a failure no computer starts without lxcfs for
   * longer than this.
   */
  lxcfsCheckMs: 3_000,
  /** lxcfs answers in milliseconds. On a host so busy that it takes longer than this, restarting it costs no more. */
  lxcfsAnswerMs: 5_000,
  /** If lxcfs cannot be started, the wait doubles with each attempt, up to this. */
  lxcfsRetryMs: 60_000,
  /** How often the process monitor is pinged if it sends nothing meanwhile. It answers in a millisecond. */
  monitorPingMs: 1_000,
  /**
   * After this many pings without an answer the monitor counts as unresponsive, and is sent SIGCONT in case somebody
   * stopped it.
   */
  monitorSilentPings: 3,
  /**
   * A request to an unresponsive monitor is given up after this time, and the monitor starts nothing later than that.
   */
  monitorTimeoutMs: 6_000,
  /** How long a starting server waits for a monitor that runs already. One that was merely stopped answers at once. */
  monitorGreetingMs: 8_000,
  /**
   * A caller that waits for a process past its time limit gets an answer after this time if nothing can be learned
   * about the process,
   */
  overdueMs: 5_000,
  /** and after this time in any case. */
  overdueMaxMs: 60_000,
  /** How often the storage pool is checked, by one system call. */
  poolCheckMs: 5_000,
  /** A disk that is merely busy answers within this time. */
  poolAnswerMs: 10_000,
  /** Datasets of the server: `GET /datasets` lists all of them. */
  datasets: 1000,
  datasetNameLength: 100,
  /** Samples of one dataset, the largest of which have some ten thousand. */
  samplesPerDataset: 100_000,
  /** An archive of a dataset, compressed, */
  datasetUploadBytes: 4 * GiB,
  /** and what it may unpack to: a bomb is noticed while it is unpacked. */
  datasetUnpackedBytes: 16 * GiB,
  /** Files, folders and links of an archive. */
  datasetEntries: 1_000_000,
  /** Path of a file in an archive, in bytes: what still fits into the kernel's 4,096 behind the data directory. */
  datasetPathBytes: 1024,
  /** Time to unpack an archive and to read its tasks. */
  datasetImportMs: 30 * 60 * 1000,
  /** JavaScript memory of the thread that reads tasks, one of which is in memory at a time. */
  datasetImportMemoryMiB: 768,
  /** Archives that wait while another one is added. */
  datasetImportsWaiting: 8,
  /** A file that is read as text, and a task with all its texts: pages of tasks are held in memory. */
  taskTextBytes: 1 * MiB,
  taskBytes: 2 * MiB,
  /** The longest time limit of a task. */
  taskTimeoutMs: 7 * 24 * 60 * 60 * 1000,
  /** Folders below each other in which tasks are looked for. */
  taskFolderDepth: 8,
  /** Tasks whose reasons of refusal are listed. */
  refusedTasksListed: 100,
  /** A page of samples, as the published API has it. */
  samplesPerPage: 100,
  /** Samples in an answer without pages, */
  samplesWithoutPage: 1000,
  /** and the tasks of one answer together. A page over it is refused: a smaller one fits. */
  samplesAnswerBytes: 32 * MiB,
  /** Time between TERM and KILL. */
  stopGraceMs: 5_000,
} as const

/**
 * Returns how many bytes of output a disk of this size may hold, for running processes and once more for ended ones.
 */
export function outputTotalBytes(diskBytes: number): number {
  return Math.min(limits.outputTotalBytes, Math.floor(diskBytes * limits.outputTotalShare))
}

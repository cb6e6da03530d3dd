import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type Transporter } from 'nodemailer'
import type { Logger } from 'pino'
import type { Settings } from '../../config/settings.ts'
import { newId } from '../ids.ts'

interface Message {
  to: string
  subject: string
  text: string
  html: string
}

/** Sends mail by the operator's SMTP server. Without one every message is a file (mode 0600) in `outbox/` of the data directory. */
export class Mail {
  readonly #from: string
  readonly #smtp: Transporter | undefined
  readonly #outbox: string
  readonly #log: Logger

  constructor({ smtpUrl, mailFrom, dataDirectory }: Settings, log: Logger) {
    this.#from = mailFrom
    this.#outbox = join(dataDirectory, 'outbox')
    this.#log = log
    this.#smtp =
      smtpUrl === undefined
        ? undefined
        : createTransport({
            url: smtpUrl,
            connectionTimeout: timeoutMs,
            greetingTimeout: timeoutMs,
            socketTimeout: timeoutMs,
          })
  }

  /** False when messages only lie in the outbox. */
  get isSent(): boolean {
    return this.#smtp !== undefined
  }

  /** Rejects when the SMTP server does not take it. */
  async send(message: Message): Promise<void> {
    if (this.#smtp)
      await this.#smtp.sendMail({ ...message, from: this.#from, disableFileAccess: true, disableUrlAccess: true })
    else await this.#keep(message)
  }

  /** Deletes what lies in the outbox for an address. */
  async forget(address: string): Promise<void> {
    const names = await readdir(this.#outbox).catch(() => [])
    for (const name of names) {
      const file = join(this.#outbox, name)
      // Another message may push it out meanwhile.
      const text = await readFile(file, 'utf8').catch(() => '')
      if (text.startsWith(`To: ${address}\n`)) await rm(file, { force: true })
    }
  }

  /** As plain text, to be read by a person: the lines of a real message are cut. */
  async #keep({ to, subject, text }: Message): Promise<void> {
    await mkdir(this.#outbox, { recursive: true, mode: 0o700 })
    await chmod(this.#outbox, 0o700)
    const file = join(this.#outbox, `${Date.now()}-${newId()}.txt`)
    await writeFile(file, `To: ${to}\nSubject: ${subject}\n\n${text}`, { mode: 0o600 })
    const old = (await readdir(this.#outbox)).toSorted().slice(0, -outboxFiles)
    for (const name of old) await rm(join(this.#outbox, name), { force: true })
    this.#log.info({ to, file }, 'no SMTP server is set: the message is in the outbox')
  }
}

const timeoutMs = 30_000
/** The oldest go first. */
const outboxFiles = 100

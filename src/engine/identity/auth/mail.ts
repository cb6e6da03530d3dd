import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport, type Transporter } from 'nodemailer'
import type { Logger } from 'pino'
import type { Settings } from '../../../config/settings.ts'
import { newId } from '../../ids.ts'

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
  /** Makes a message and sends it nowhere. */
  readonly #nowhere: Transporter
  readonly #outbox: string
  readonly #log: Logger

  constructor({ smtpUrl, mailFrom, dataDirectory }: Settings, log: Logger) {
    this.#from = mailFrom
    this.#outbox = join(dataDirectory, 'outbox')
    this.#log = log
    this.#nowhere = createTransport({ streamTransport: true, buffer: true })
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
    if (this.#smtp) await this.#smtp.sendMail(this.#envelope(message))
    else await this.#keep(message)
  }

  /**
   * The work of `send` without a message that anybody gets, up to the log-in at the SMTP server: who sends requests meanwhile cannot tell
   * one from the other by how long they take.
   */
  async pretend(message: Message): Promise<void> {
    if (this.#smtp) {
      await this.#nowhere.sendMail(this.#envelope(message))
      await this.#smtp.verify()
    } else await rm(await this.#write({ ...message, to: 'nobody' }, '.pretended'), { force: true })
  }

  /** The address is one, whatever is in it: as a text it could be read as several. */
  #envelope({ to, ...message }: Message) {
    const bounds = { disableFileAccess: true, disableUrlAccess: true }
    return { ...message, to: { name: '', address: to }, from: this.#from, ...bounds }
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

  async #keep(message: Message): Promise<void> {
    const file = await this.#write(message, '.txt')
    this.#log.info({ to: message.to, file }, 'no SMTP server is set: the message is in the outbox')
  }

  /** As plain text, to be read by a person: the lines of a real message are cut. */
  async #write({ to, subject, text }: Message, ending: string): Promise<string> {
    await mkdir(this.#outbox, { recursive: true, mode: 0o700 })
    await chmod(this.#outbox, 0o700)
    const file = join(this.#outbox, `${Date.now()}-${newId()}${ending}`)
    await writeFile(file, `To: ${to}\nSubject: ${subject}\n\n${text}`, { mode: 0o600 })
    const old = (await readdir(this.#outbox)).toSorted().slice(0, -outboxFiles)
    for (const name of old) await rm(join(this.#outbox, name), { force: true })
    return file
  }
}

const timeoutMs = 30_000
/** The oldest go first. */
const outboxFiles = 100

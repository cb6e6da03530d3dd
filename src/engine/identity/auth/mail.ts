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

/**
 * Sends mail by the operator's SMTP server. Without one, every message becomes a file (mode 0600) in the data
 * directory's `outbox/`.
 */
export class Mail {
  readonly #from: string
  readonly #smtp: Transporter | undefined
  /** Composes a message and sends it nowhere. */
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

  /** False when messages only go to the outbox. */
  get isSent(): boolean {
    return this.#smtp !== undefined
  }

  /** Sends a message. Throws when the SMTP server does not accept it. */
  async send(message: Message): Promise<void> {
    if (this.#smtp) await this.#smtp.sendMail(this.#envelope(message))
    else await this.#keep(message)
  }

  /**
   * Does the work of `send` up to the login at the SMTP server, without sending a message, so that the time that
   * requests take meanwhile does not reveal the difference.
   */
  async pretend(message: Message): Promise<void> {
    if (this.#smtp) {
      await this.#nowhere.sendMail(this.#envelope(message))
      await this.#smtp.verify()
    } else await rm(await this.#write({ ...message, to: 'nobody' }, '.pretended'), { force: true })
  }

  /** Passes the address as one address, whatever it contains: as text it could be read as several. */
  #envelope({ to, ...message }: Message) {
    const bounds = { disableFileAccess: true, disableUrlAccess: true }
    return { ...message, to: { name: '', address: to }, from: this.#from, ...bounds }
  }

  /** Deletes the messages to an address from the outbox. */
  async forget(address: string): Promise<void> {
    const names = await readdir(this.#outbox).catch(() => [])
    for (const name of names) {
      const file = join(this.#outbox, name)
      // Another message can push this one out meanwhile.
      const text = await readFile(file, 'utf8').catch(() => '')
      if (text.startsWith(`To: ${address}\n`)) await rm(file, { force: true })
    }
  }

  async #keep(message: Message): Promise<void> {
    const file = await this.#write(message, '.txt')
    this.#log.info({ to: message.to, file }, 'no SMTP server is configured: the message is in the outbox')
  }

  /** Writes the message as plain text for a human reader: a MIME message would have its lines cut. */
  async #write({ to, subject, text }: Message, ending: string): Promise<string> {
    await mkdir(this.#outbox, { recursive: true, mode: 0o700 })
    await chmod(this.#outbox, 0o700)
    const file = join(this.#outbox, `${Date.now()}-${newId()}${ending}`)
    await writeFile(file, `To: ${to}\nSubject: ${subject}\n\n${text}`, { mode: 0o600 })
    const old = (await readdir(this.#outbox)).toSorted().slice(0, -maxOutboxFiles)
    for (const name of old) await rm(join(this.#outbox, name), { force: true })
    return file
  }
}

const timeoutMs = 30_000
/** The oldest files are deleted first. */
const maxOutboxFiles = 100

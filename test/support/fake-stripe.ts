import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Stripe } from 'stripe'

type Thing = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- as wide as Stripe's objects

/**
 * A fake of Stripe's API, as far as payments with Checkout need it, with methods for what a customer and a bank do. It
 * signs its events as Stripe does, and delivers them on request.
 */
export class StripeServer {
  readonly key = 'sk_test_51carrel'
  readonly webhookSecret = 'whsec_carrel'
  readonly sessions = new Map<string, Thing>()
  readonly intents = new Map<string, Thing>()
  readonly refunds: Thing[] = []
  readonly disputes: Thing[] = []
  /** The requests as `METHOD /path`, without those whose response was lost. */
  readonly requests: string[] = []
  /** How the next requests fail: the response is lost after the work, there is none, or it is an error. */
  readonly faults: ('lose-answer' | 'silence' | 'fail')[] = []
  readonly #answers = new Map<string, { body: string; answer: Thing }>()
  readonly #server: Server
  #ids = 0

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<StripeServer> {
    const stripe = new StripeServer()
    stripe.#server.listen(0, '127.0.0.1')
    await once(stripe.#server, 'listening')
    return stripe
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The settings of a server that is paid through this one. */
  get env(): Record<string, string> {
    return {
      CARREL_STRIPE_URL: this.url,
      CARREL_STRIPE_KEY: this.key,
      CARREL_STRIPE_WEBHOOK_SECRET: this.webhookSecret,
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Returns the session of a payment page. */
  sessionAt(url: string): Thing {
    return this.sessions.get(new URL(url).pathname.split('/').at(-1)!)!
  }

  /** A customer pays; `processing` for a debit that takes days. `change` overrides fields of the intent. */
  pay(session: Thing, status = 'succeeded', change: Thing = {}): Thing {
    const { metadata } = session.payment_intent_data
    const amount = session.amount_total
    const intent = this.addIntent({ amount, metadata, status, ...change })
    Object.assign(session, {
      status: 'complete',
      payment_status: status === 'succeeded' ? 'paid' : 'unpaid',
      payment_intent: intent.id,
    })
    return intent
  }

  /** Adds an intent, as another program creates it. */
  addIntent(fields: Thing): Thing {
    const received = fields.status === 'succeeded' ? fields.amount : 0
    const intent = { id: this.#id('pi'), object: 'payment_intent', currency: 'usd', livemode: false, ...fields }
    const whole = { amount_received: received, metadata: {}, ...intent }
    this.intents.set(whole.id, whole)
    return whole
  }

  refund(intent: Thing, amount: number, status = 'succeeded'): Thing {
    const refund = { id: this.#id('re'), object: 'refund', amount, currency: 'usd', payment_intent: intent.id, status }
    this.refunds.push(refund)
    return refund
  }

  dispute(intent: Thing, amount: number, status = 'needs_response'): Thing {
    const dispute = {
      id: this.#id('dp'),
      object: 'dispute',
      amount,
      currency: 'usd',
      payment_intent: intent.id,
      status,
    }
    this.disputes.push(dispute)
    return dispute
  }

  /** Returns a signed event with the current state of an object. */
  event(type: string, object: Thing, change: Thing = {}): { body: string; signature: string } {
    const event = { id: this.#id('evt'), object: 'event', type, livemode: false, data: { object }, ...change }
    return this.sign(JSON.stringify(event))
  }

  sign(body: string, options: Thing = {}): { body: string; signature: string } {
    const header = { payload: body, secret: this.webhookSecret, ...options }
    return { body, signature: Stripe.webhooks.generateTestHeaderString(header) }
  }

  #id(prefix: string): string {
    return `${prefix}_${(++this.#ids).toString().padStart(4, '0')}${crypto.randomUUID().slice(0, 8)}`
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const send = (status: number, value: Thing) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const fail = (status: number, type: string, message: string) => send(status, { error: { type, message } })
    this.requests.push(`${request.method} ${request.url}`)
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return void fail(401, 'invalid_request_error', 'Invalid API Key provided')
    const fault = this.faults.shift()
    if (fault === 'silence') return
    if (fault === 'fail') return void fail(500, 'api_error', 'Something went wrong')
    const key = request.headers['idempotency-key'] as string | undefined
    const known = key === undefined ? undefined : this.#answers.get(key)
    if (known && known.body !== body)
      return void fail(400, 'idempotency_error', 'Keys can only be used with the same parameters')
    const answer = known?.answer ?? this.#work(request, new URLSearchParams(body))
    if (key !== undefined && answer) this.#answers.set(key, { body, answer })
    if (fault === 'lose-answer') return void request.socket.destroy()
    if (!answer) return void fail(404, 'invalid_request_error', 'No such object')
    if (answer.error) return void send(402, answer)
    if (known) response.setHeader('idempotent-replayed', 'true')
    send(200, answer)
  }

  #work({ method, url = '' }: IncomingMessage, form: URLSearchParams): Thing | undefined {
    const { pathname, searchParams } = new URL(url, this.url)
    const [, , kind = '', id = '', sessionId = ''] = pathname.split('/')
    if (method === 'POST' && pathname === '/v1/checkout/sessions') return this.#openSession(fieldsOf(form))
    if (kind === 'checkout' && id === 'sessions') {
      const session = this.sessions.get(sessionId)
      if (method === 'POST' && pathname.endsWith('/expire')) return session && expire(session)
      const isExpanded = [...searchParams.values()].includes('payment_intent')
      return (
        session && {
          ...session,
          ...(isExpanded ? { payment_intent: this.intents.get(session.payment_intent) ?? null } : {}),
        }
      )
    }
    if (method === 'POST' && pathname === '/v1/payment_intents') return this.#charge(fieldsOf(form))
    if (kind === 'payment_intents') return this.intents.get(id)
    const list = { refunds: this.refunds, disputes: this.disputes }[kind]
    const data = list?.filter(({ payment_intent }) => payment_intent === searchParams.get('payment_intent'))
    return data && { object: 'list', data, has_more: false, url: pathname }
  }

  /** A machine pays with a token that was granted to the account's profile. */
  #charge({ amount, currency, metadata, shared_payment_granted_token: token }: Thing): Thing {
    const type = 'card_error'
    if (token === 'spt_declined') return { error: { type, code: 'card_declined', message: 'Your card was declined.' } }
    const status = token === 'spt_slow' ? 'processing' : 'succeeded'
    return this.addIntent({ amount: Number(amount), currency, metadata, status, token })
  }

  #openSession(fields: Thing): Thing {
    const [{ quantity, price_data: price }] = Object.values(fields.line_items as Thing) as [Thing]
    const id = this.#id('cs_test')
    const session = {
      ...fields,
      id,
      object: 'checkout.session',
      amount_total: Number(price.unit_amount) * Number(quantity),
      currency: price.currency,
      status: 'open',
      payment_status: 'unpaid',
      payment_intent: null,
      livemode: false,
      url: `${this.url}/c/pay/${id}`,
    }
    this.sessions.set(id, session)
    return session
  }
}

/** Expires a session, which must be open. */
function expire(session: Thing): Thing {
  if (session.status !== 'open')
    return { error: { type: 'invalid_request_error', message: `This Session is ${session.status}` } }
  return Object.assign(session, { status: 'expired' })
}

/** Returns form fields such as `a[b][0]=c` as nested objects. */
function fieldsOf(form: URLSearchParams): Thing {
  const fields: Thing = {}
  for (const [name, value] of form) {
    const path = name.split(/[[\]]+/).filter(Boolean)
    const last = path.pop()!
    const inner = path.reduce<Thing>((at, part) => (at[part] ??= {}), fields)
    inner[last] = value
  }
  return fields
}

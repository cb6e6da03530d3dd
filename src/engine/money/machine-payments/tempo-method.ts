import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from 'viem'
import { limits } from '../../../config/limits.ts'
import { abandonPayment, beginPayment } from './payment-records.ts'
import { paymentUnknown, type Challenge, type PaymentLibrary } from './payment-library.ts'
import { tempoToken } from './tempo-token.ts'
import type { Context } from '../../context.ts'

export type Confirmation = { state: 'paid' } | { state: 'pending' } | { state: 'failed'; reason: string }

type Hash = `0x${string}`

/**
 * Returns the method to pay by a transfer on Tempo that the client signs and the server sends (`pull`): the server can
 * record each transfer before money moves, and finds it on the chain when the answer is lost.
 */
export function tempoMethod({ db, log, settings }: Pick<Context, 'db' | 'settings' | 'log'>, library: PaymentLibrary) {
  const { Errors, Store, TempoTransaction, chains, tempoServer, viem } = library
  const chain = chains[settings.tempoNetwork]
  const refuse = (reason: string) => new Errors.VerificationFailedError({ reason })
  /** Transfers that were given to the node and can be on their way, whatever the node answers. */
  const sent = new Set<string>()
  const transport: Transport = (options) => {
    const { request, ...inner } = viem.http(settings.tempoRpc, { timeout: limits.paymentNetworkMs, retryCount: 1 })(
      options,
    )
    const noting = (call: { method: string; params?: unknown }) => {
      if (call.method === 'eth_sendRawTransactionSync') sent.add(viem.keccak256((call.params as [Hash])[0]))
      return request(call)
    }
    return { ...inner, request: noting as typeof request }
  }
  const client = viem.createClient({ chain, transport })
  const { validate, broadcast, ...method } = tempoServer.charge({
    recipient: settings.tempoRecipient as Hash,
    currency: tempoToken(library, settings),
    supportedModes: ['pull'],
    getClient: () => client,
    // The database remembers payments forever.
    store: Store.from({ ...Store.memory(), tryClaim: () => true }),
  })

  /** Asks the chain about the transfer for a challenge, expired or not. */
  const confirm = async (challenge: Challenge, hash: Hash): Promise<Confirmation> => {
    const expires = new Date(Date.now() + 60_000).toISOString()
    // As if the client had sent the transfer: the library reads the receipt and compares token, amount, recipient and
    // memo.
    const request = { ...challenge.request, methodDetails: { chainId: chain.id } }
    try {
      const credential = { challenge: { ...challenge, expires, request }, payload: { type: 'hash', hash } }
      await validate!({ credential, request } as unknown as Parameters<NonNullable<typeof validate>>[0])
      return { state: 'paid' }
    } catch (error) {
      const { message } = error as Error
      if (error instanceof Errors.PaymentError || message.startsWith('Transaction reverted'))
        return { state: 'failed', reason: message }
      // Not in a block yet, or the node does not answer.
      return { state: 'pending' }
    }
  }

  const isUnreachable = (error: unknown): boolean =>
    error instanceof viem.BaseError &&
    error.walk((one) => one instanceof viem.HttpRequestError || one instanceof viem.TimeoutError) !== null

  const server = {
    ...method,
    async validate(context: Parameters<NonNullable<typeof validate>>[0]) {
      try {
        return await validate!(context)
      } catch (error) {
        if (error instanceof Errors.PaymentError) throw error
        if (isUnreachable(error)) {
          log.error({ err: error }, 'the Tempo node does not answer')
          throw refuse('the Tempo node does not answer; nothing was paid')
        }
        // The result of simulating the transfer, most often too little money.
        throw refuse(error instanceof viem.BaseError ? error.shortMessage : 'the transaction cannot be read')
      }
    },
    async broadcast(context: Parameters<NonNullable<typeof broadcast>>[0]) {
      const { challenge, payload } = context.credential
      if (payload.type !== 'transaction') throw refuse('a signed transaction is needed')
      const transaction = TempoTransaction.deserialize(payload.signature as never)
      const hash = viem.keccak256(await TempoTransaction.serialize(transaction))
      const begun = await beginPayment(db, { method: 'tempo', reference: hash, challenge })
      if (begun === 'taken') throw refuse('the challenge, or the transaction, belongs to another payment')
      try {
        return await broadcast!(context)
      } catch (error) {
        if (begun === 'new' && !sent.has(hash)) {
          await abandonPayment(db, challenge.id)
          throw error instanceof Errors.PaymentError ? error : refuse('the transaction was not sent')
        }
        log.warn({ err: error, transaction: hash }, 'a payment on Tempo was sent, and the answer was not a success')
        return await confirmed(challenge, hash)
      } finally {
        sent.delete(hash)
      }
    },
  }

  /** Returns the receipt of a transfer whose answer was lost, as soon as the chain has it. */
  async function confirmed(challenge: Challenge, hash: Hash) {
    for (const end = Date.now() + limits.paymentConfirmMs; ;) {
      const confirmation = await confirm(challenge, hash)
      if (confirmation.state === 'failed') throw refuse(confirmation.reason)
      if (confirmation.state === 'paid') return receiptOf(hash)
      if (Date.now() > end) throw paymentUnknown(library)
      await sleep(limits.paymentConfirmEveryMs)
    }
  }

  return { server, confirm }
}

export function receiptOf(reference: string) {
  return { method: 'tempo', status: 'success' as const, timestamp: new Date().toISOString(), reference }
}

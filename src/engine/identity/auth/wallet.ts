import { limits } from '../../../config/limits.ts'
import { CarrelError } from '../../../errors.ts'
import { creditLeft } from '../../money/credit/credit-left.ts'
import type { CreditContext } from '../../money/money.ts'
import { loadPaymentLibrary, type PaymentLibrary } from '../../money/machine-payments/payment-library.ts'
import { readRefusal, type PaymentRefusal } from '../../money/machine-payments/payment-refusal.ts'
import { tempoToken } from '../../money/machine-payments/tempo-token.ts'
import { insertSignIn } from './insert-sign-in.ts'
import { signIn } from './sign-in.ts'
import type { IdentityContext } from '../identity.ts'
import type { Context } from '../../context.ts'

export interface WalletSession {
  /** Shown only once. */
  token: string
  /** With its checksum (EIP-55). */
  wallet: string
  creditMicros: number
  /** The value of the `Payment-Receipt` header. */
  receipt: string
}

/**
 * Signs in the holder of a wallet by the signature of a challenge that costs nothing (EIP-712), without asking any
 * chain. Without a proof, or with a wrong one, returns a refusal with a challenge. Throws `invalid_request` for text
 * that is not an address.
 */
export async function signInByWallet(
  engine: CreditContext & Pick<IdentityContext, 'machinePayments'>,
  wallet: string,
  { credential, network }: { credential: string | undefined; network: string },
): Promise<WalletSession | PaymentRefusal> {
  const library = await loadPaymentLibrary()
  const { Mppx, viem } = library
  const address = addressOf(library, wallet)
  const { realm, secret: secretKey } = engine.machinePayments
  const server = Mppx.create({ realm, secretKey, methods: [proofMethod(engine, library)] })
  const request = new Request(engine.server.links.walletSignIn(), {
    method: 'POST',
    headers: credential === undefined ? {} : { authorization: credential },
  })
  const result = await server.charge({
    amount: '0',
    currency: tempoToken(library, engine.settings),
    decimals: 6,
    chainId: library.chains[engine.settings.tempoNetwork].id,
    scope: 'login',
    meta: { wallet: address.toLowerCase() },
  })(request)
  if (result.status === 402) return readRefusal(library, result.challenge)
  const user = await signIn(engine, {
    provider: 'wallet',
    subject: address.toLowerCase(),
    name: `${address.slice(0, 6)}…${address.slice(-4)}`,
    email: null,
    emailIsVerified: false,
    network,
  })
  const { secret } = await insertSignIn(engine, user, { kind: 'session', how: 'wallet' })
  return {
    token: secret,
    wallet: viem.getAddress(address),
    creditMicros: await creditLeft(engine, user.accountId),
    receipt: result.withReceipt(new Response()).headers.get('payment-receipt')!,
  }
}

/**
 * Returns the address. Mixed case carries a checksum, which has to match: a typo would name a wallet that nobody holds.
 */
function addressOf({ viem }: PaymentLibrary, wallet: string): `0x${string}` {
  const isMixed = /[a-f]/.test(wallet.slice(2)) && /[A-F]/.test(wallet)
  if (viem.isAddress(wallet, { strict: isMixed })) return wallet
  throw new CarrelError(
    'invalid_request',
    `Cannot sign in ${JSON.stringify(wallet)}: it is not the address of a wallet`,
    {
      details: { field: 'wallet' },
    },
  )
}

/** Returns a method that verifies proofs without the chain, which the library's own method asks up to eight times. */
function proofMethod({ db, settings }: Pick<Context, 'db' | 'settings'>, library: PaymentLibrary) {
  const { Errors, Method, chains, tempo, viem } = library
  const chainId = chains[settings.tempoNetwork].id
  const refuse = (reason: string) => new Errors.VerificationFailedError({ reason })
  return Method.toServer(tempo.Methods.charge, {
    async verify({ credential: { challenge, payload, source } }) {
      if (payload.type !== 'proof') throw refuse('the challenge costs nothing and is answered by a proof')
      const from = source === undefined ? null : tempo.Proof.parsePkhSource(source)
      // Only the source says who signed: it has to be the wallet that signs in.
      if (from?.chainId !== chainId || from.address.toLowerCase() !== challenge.meta?.wallet)
        throw refuse('the proof is of another wallet')
      const { id: challengeId, realm } = challenge
      const message = tempo.Proof.typedData({ account: from.address, chainId, challengeId, realm })
      const isSigned = await viem
        .verifyTypedData({ address: from.address, ...message, signature: payload.signature as `0x${string}` })
        .catch(() => false)
      if (!isSigned) throw refuse('the signature is not of the wallet')
      if (!(await spendProof(db, challengeId))) throw refuse('the proof was used already')
      return {
        method: 'tempo',
        status: 'success',
        timestamp: new Date().toISOString(),
        reference: challengeId,
      } as const
    },
  })
}

/** Marks a proof as used. Returns false when it was used before. */
async function spendProof(db: Context['db'], challengeId: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('spent_wallet_proofs')
    .values({ challenge_id: challengeId, expires_at: Date.now() + limits.walletProofMs })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Deletes used proofs whose challenges have expired. */
export async function pruneWalletProofs({ db }: Pick<Context, 'db'>): Promise<void> {
  await db.deleteFrom('spent_wallet_proofs').where('expires_at', '<', Date.now()).execute()
}

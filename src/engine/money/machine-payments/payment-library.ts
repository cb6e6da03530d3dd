/** The parts of the libraries of the protocol and of its chain that are used here. */
export type PaymentLibrary = Awaited<ReturnType<typeof load>>
export type Challenge = ReturnType<PaymentLibrary['Challenge']['deserialize']>

let loading: ReturnType<typeof load> | undefined

/**
 * Loads the library with the first payment or wallet, not with the server: it takes most of a second and some 100 MB.
 */
export function loadPaymentLibrary(): Promise<PaymentLibrary> {
  return (loading ??= load())
}

async function load() {
  const [protocol, server, tempo, viem, viemTempo, chains] = await Promise.all([
    import('mppx'),
    import('mppx/server'),
    import('mppx/tempo'),
    import('viem'),
    import('viem/tempo'),
    import('viem/tempo/chains'),
  ])
  const { Challenge, Credential, Errors, Method, PaymentRequest, Receipt } = protocol
  const { Mppx, Store, stripe, tempo: tempoServer } = server
  return {
    Challenge,
    Credential,
    Errors,
    Method,
    PaymentRequest,
    Receipt,
    Mppx,
    Store,
    stripeServer: stripe,
    tempoServer,
    tempo,
    viem,
    TempoTransaction: viemTempo.Transaction,
    chains: { mainnet: chains.tempo, testnet: chains.tempoModerato },
  }
}

/**
 * Returns the challenge that a credential answers, with its `meta`, which is in the part that clients pass on unread.
 */
export function answeredChallenge({ Credential, PaymentRequest }: PaymentLibrary, credential: string): Challenge {
  const { challenge } = Credential.deserialize(credential)
  const { opaque } = challenge
  return opaque === undefined
    ? challenge
    : { ...challenge, meta: PaymentRequest.deserialize(opaque) as Record<string, string> }
}

/** Returns the error for an unknown outcome. Its status is not 402, with which a client would pay a second time. */
export function paymentUnknown({ Errors }: PaymentLibrary) {
  const error = new Errors.VerificationFailedError()
  error.message =
    'The payment is not confirmed yet. Do not pay again: it is credited as soon as it is confirmed, and the balance shows it. The same request with the same credential asks for it.'
  return Object.assign(error, { status: 503, title: 'Payment Not Confirmed' })
}

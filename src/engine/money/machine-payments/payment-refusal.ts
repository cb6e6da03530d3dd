import { paymentUnknown, type PaymentLibrary } from './payment-library.ts'

/** A response that asks for a payment or a proof, or says why one was not accepted. */
export interface PaymentRefusal {
  /** 402; another status where the client must not pay again. */
  status: number
  /** The `WWW-Authenticate` headers, one for each payment method. */
  challenges: string[]
  /** RFC 9457: `type`, `title`, `status`, `detail`. */
  problem: Record<string, unknown>
}

/**
 * Reads the refusal of a response. Splits the challenges, which fetch joins into one line that not every client can
 * parse.
 */
export async function readRefusal({ Challenge }: PaymentLibrary, response: Response): Promise<PaymentRefusal> {
  const challenges = response.status === 402 ? Challenge.fromResponseList(response) : []
  return {
    status: response.status,
    challenges: challenges.map((challenge) => Challenge.serialize(challenge)),
    problem: (await response.json()) as Record<string, unknown>,
  }
}

/** Returns the refusal for an unknown outcome: money may have moved, and no payment is asked for. */
export function unknownRefusal(library: PaymentLibrary): PaymentRefusal {
  const error = paymentUnknown(library)
  return { status: error.status, challenges: [], problem: { ...error.toProblemDetails() } }
}

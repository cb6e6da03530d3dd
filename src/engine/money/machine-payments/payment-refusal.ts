import { paymentUnknown, type PaymentLibrary } from './payment-library.ts'

/** An answer that asks for a payment or a proof, or says why one was not taken. */
export interface PaymentRefusal {
  /** 402; another where nobody must pay again. */
  status: number
  /** What `WWW-Authenticate` says, a line for each way. */
  challenges: string[]
  /** RFC 9457: `type`, `title`, `status`, `detail`. */
  problem: Record<string, unknown>
}

/** Fetch joins the challenges into one line, which not every client can take apart: they are told one by one. */
export async function readRefusal({ Challenge }: PaymentLibrary, response: Response): Promise<PaymentRefusal> {
  const challenges = response.status === 402 ? Challenge.fromResponseList(response) : []
  return {
    status: response.status,
    challenges: challenges.map((challenge) => Challenge.serialize(challenge)),
    problem: (await response.json()) as Record<string, unknown>,
  }
}

/** Money may have moved, and nothing more is asked for. */
export function unknownRefusal(library: PaymentLibrary): PaymentRefusal {
  const error = paymentUnknown(library)
  return { status: error.status, challenges: [], problem: { ...error.toProblemDetails() } }
}

import type { Settings } from '../../../config/settings.ts'
import type { PaymentLibrary } from './payment-library.ts'

/**
 * The dollar that is taken on Tempo: the operator's choice, or the protocol's usual one. All of Tempo's have six
 * decimals.
 */
export function tempoToken(
  { tempoServer }: PaymentLibrary,
  { tempoToken: token, tempoNetwork }: Pick<Settings, 'tempoToken' | 'tempoNetwork'>,
): string {
  return token ?? tempoServer.charge({ testnet: tempoNetwork === 'testnet' }).defaults!.currency
}

import type { Settings } from '../../../config/settings.ts'
import type { PaymentLibrary } from './payment-library.ts'

/**
 * Returns the stablecoin that is accepted on Tempo: the operator's choice, or the protocol's default. All stablecoins
 * of Tempo have six decimals.
 */
export function tempoToken(
  { tempoServer }: PaymentLibrary,
  { tempoToken: token, tempoNetwork }: Pick<Settings, 'tempoToken' | 'tempoNetwork'>,
): string {
  return token ?? tempoServer.charge({ testnet: tempoNetwork === 'testnet' }).defaults!.currency
}

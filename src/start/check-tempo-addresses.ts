import { SettingError, type Settings } from '../config/settings.ts'

/**
 * Throws a `SettingError` for an address on Tempo with a wrong checksum (EIP-55): money sent to a mistyped address is
 * lost. An address in lower case has no checksum.
 */
export async function checkTempoAddresses({ tempoRecipient, tempoToken }: Settings): Promise<void> {
  const addresses = Object.entries({ CARREL_TEMPO_RECIPIENT: tempoRecipient, CARREL_TEMPO_TOKEN: tempoToken })
  for (const [name, address] of addresses) {
    if (address === undefined) continue
    const { isAddress } = await import('viem/utils')
    if (!isAddress(address))
      throw new SettingError(
        `Cannot start: ${name} is ${JSON.stringify(address)}, which has a wrong checksum; copy the address again`,
      )
  }
}

import { SettingError, type Settings } from '../config/settings.ts'

/**
 * Throws a `SettingError` for an address on Tempo whose checksum (EIP-55) is wrong: money that went to a slip of the pen is gone.
 * One in small letters alone has none.
 */
export async function checkTempoAddresses({ tempoRecipient, tempoToken }: Settings): Promise<void> {
  const addresses = Object.entries({ CARREL_TEMPO_RECIPIENT: tempoRecipient, CARREL_TEMPO_TOKEN: tempoToken })
  for (const [name, address] of addresses) {
    if (address === undefined) continue
    const { isAddress } = await import('viem/utils')
    if (!isAddress(address))
      throw new SettingError(
        `Cannot start: ${name} is ${JSON.stringify(address)}, whose checksum is wrong; copy the address once more`,
      )
  }
}

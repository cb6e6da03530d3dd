import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../config/settings.ts'
import { checkTempoAddresses } from './check-tempo-addresses.ts'

const address = '0x20C000000000000000000000b9537d11c60E8b50'

test('an address whose checksum is wrong is refused by the setting that has it', async () => {
  for (const name of ['CARREL_TEMPO_RECIPIENT', 'CARREL_TEMPO_TOKEN'])
    await assert.rejects(checkTempoAddresses(readSettings({ [name]: address.replace('E', 'e') })), (error: Error) =>
      error.message.startsWith(`Cannot start: ${name} is `),
    )
})

test('one with a right checksum, and one without any, is taken', async () => {
  for (const CARREL_TEMPO_RECIPIENT of [address, address.toLowerCase()])
    await checkTempoAddresses(readSettings({ CARREL_TEMPO_RECIPIENT }))
})

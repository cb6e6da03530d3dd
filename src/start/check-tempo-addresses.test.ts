import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSettings } from '../config/settings.ts'
import { checkTempoAddresses } from './check-tempo-addresses.ts'

const address = '0x20C000000000000000000000b9537d11c60E8b50'

test('an address with a wrong checksum is refused, and the message names its setting', async () => {
  for (const name of ['CARREL_TEMPO_RECIPIENT', 'CARREL_TEMPO_TOKEN'])
    await assert.rejects(checkTempoAddresses(readSettings({ [name]: address.replace('E', 'e') })), (error: Error) =>
      error.message.startsWith(`Cannot start: ${name} is `),
    )
})

test('an address with a valid checksum is accepted, and so is one without any', async () => {
  for (const CARREL_TEMPO_RECIPIENT of [address, address.toLowerCase()])
    await checkTempoAddresses(readSettings({ CARREL_TEMPO_RECIPIENT }))
})

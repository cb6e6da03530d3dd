import { Fetch, tempo as tempoClient } from 'mppx/client'
import { createClient, custom } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { tempo as tempoChain } from 'viem/tempo/chains'
import type { TestClient } from '../support/test-client.ts'

/** A chain that must not be asked. */
const noChain = createClient({
  chain: tempoChain,
  transport: custom({
    request: () => {
      throw new Error('the chain was asked')
    },
  }),
})

/** Signs in with a new wallet, as the protocol's client does. */
export async function signInByWallet(
  server: TestClient,
  headers: Record<string, string> = {},
): Promise<{ token: string; creditsRemaining: number }> {
  const account = privateKeyToAccount(generatePrivateKey())
  const pay = Fetch.from({ methods: [tempoClient.charge({ account, getClient: () => noChain })] })
  const response = await pay(`${server.url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ wallet: account.address }),
  })
  return (await response.json()) as { token: string; creditsRemaining: number }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { decodeFunctionData, encodeAbiParameters, encodeEventTopics, keccak256, toHex, zeroHash } from 'viem'
import { Abis, Transaction } from 'viem/tempo'

type Hex = `0x${string}`

interface Call {
  id: number
  method: string
  params: unknown[]
}

const chainId = 4217

/**
 * A Tempo node, as far as payments need one: its JSON-RPC over HTTP, with a ledger of one block for each transfer. A
 * transaction that it receives is executed once, as on the chain, whether or not the response arrives.
 */
export class TempoNode {
  /** Methods whose next response is lost: the connection ends after the work is done. */
  readonly dropped: string[] = []
  /** Methods that fail with these messages instead. */
  readonly refused = new Map<string, string>()
  /** While false, transactions wait outside any block. */
  mines = true
  readonly #receipts = new Map<Hex, object>()
  readonly #waiting: Hex[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(port = 0): Promise<TempoNode> {
    const node = new TempoNode()
    node.#server.listen(port, '127.0.0.1')
    await once(node.#server, 'listening')
    return node
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** How many transactions are in blocks. */
  get transfers(): number {
    return this.#receipts.size
  }

  /** How many transactions wait outside any block. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Puts the waiting transactions into blocks. */
  mine(): void {
    for (const raw of this.#waiting.splice(0)) this.#include(raw)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = (await json(request)) as Call
    const { id, method, params } = call
    const refusal = this.refused.get(method)
    let answer: object
    try {
      if (refusal !== undefined) throw new Error(refusal)
      answer = { result: this.#do(method, params) }
    } catch (error) {
      answer = { error: { code: -32_000, message: (error as Error).message } }
    }
    const lost = this.dropped.indexOf(method)
    if (lost >= 0) {
      this.dropped.splice(lost, 1)
      return void request.socket.destroy()
    }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
  }

  #do(method: string, params: unknown[]): unknown {
    switch (method) {
      case 'eth_chainId':
        return toHex(chainId)
      case 'eth_getTransactionCount':
      case 'eth_maxPriorityFeePerGas':
      case 'eth_gasPrice':
        return '0x1'
      case 'eth_estimateGas':
        return toHex(100_000)
      case 'eth_getBlockByNumber':
        return {
          number: '0x1',
          timestamp: toHex(Math.floor(Date.now() / 1000)),
          baseFeePerGas: '0x1',
          transactions: [],
        }
      case 'eth_call':
        return '0x'
      case 'eth_sendRawTransactionSync':
        return this.#send(params[0] as Hex)
      case 'eth_getTransactionReceipt':
        return this.#receipts.get(params[0] as Hex) ?? null
      default:
        throw new Error(`the method ${method} does not exist`)
    }
  }

  #send(raw: Hex): unknown {
    if (this.#receipts.has(keccak256(raw)) || this.#waiting.includes(raw)) throw new Error('already known')
    if (this.mines) return this.#include(raw)
    this.#waiting.push(raw)
    throw new Error('the transaction was not included within the time limit')
  }

  /** Adds a block with both events that TIP-20 emits for a transfer with a memo. */
  #include(raw: Hex): object {
    const { calls, from } = Transaction.deserialize(raw as never) as unknown as {
      calls: { to: Hex; data: Hex }[]
      from: Hex
    }
    const hash = keccak256(raw)
    const block = toHex(this.#receipts.size + 1)
    const place = { blockNumber: block, blockHash: zeroHash, transactionHash: hash, transactionIndex: '0x0' }
    const logs = calls.flatMap(({ to: address, data }) => {
      const { args } = decodeFunctionData({ abi: Abis.tip20, data })
      const [to, amount, memo] = args as [Hex, bigint, Hex]
      const value = encodeAbiParameters([{ type: 'uint256' }], [amount])
      const transfer = encodeEventTopics({ abi: Abis.tip20, eventName: 'Transfer', args: { from, to } })
      const withMemo = encodeEventTopics({ abi: Abis.tip20, eventName: 'TransferWithMemo', args: { from, to, memo } })
      return [
        { address, topics: transfer, data: value },
        { address, topics: withMemo, data: value },
      ]
    })
    const receipt = {
      ...place,
      from,
      to: calls[0]!.to,
      status: '0x1',
      type: '0x76',
      gasUsed: '0x1',
      cumulativeGasUsed: '0x1',
      effectiveGasPrice: '0x1',
      logsBloom: '0x',
      contractAddress: null,
      logs: logs.map((log, index) => ({ ...log, ...place, logIndex: toHex(index), removed: false })),
    }
    this.#receipts.set(hash, receipt)
    return receipt
  }
}

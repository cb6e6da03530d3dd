import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { residentBytes } from '../support/resident-bytes.ts'
import { newSession, TestServer, until } from '../support/server.ts'

const MiB = 1024 * 1024

describe('a server under hostile clients', { timeout: 300_000 }, () => {
  let server: TestServer
  const sessionId = newSession()

  before(async () => {
    server = await TestServer.start()
    await server.shell('true', { sessionId })
  })
  after(() => server.stop())

  const memoryBytes = () => residentBytes(server.process.pid!)
  const openFiles = () => readdirSync(`/proc/${server.process.pid}/fd`).length
  /** Returns by how much the server's memory grew at most during some work. */
  const growth = async (work: () => Promise<void>): Promise<number> => {
    const before = memoryBytes()
    let most = before
    const watch = setInterval(() => (most = Math.max(most, memoryBytes())), 5)
    try {
      await work()
    } finally {
      clearInterval(watch)
    }
    return Math.max(most, memoryBytes()) - before
  }
  const goesOn = async () => {
    assert.equal((await server.call('GET', '/health')).status, 200)
    assert.equal((await server.shell('echo ok', { sessionId })).stdout, 'ok\n')
  }
  /** Sends a body piece by piece until all of it is sent or the server has answered. */
  const pour = (
    headers: Record<string, string>,
    bytes: number,
  ): Promise<{ status: number; code: string; sent: number }> => {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; code: string; sent: number }>()
    let sent = 0
    let over = false
    const request = httpRequest(
      `${server.url}/execute`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json', ...headers },
      },
      (response) => {
        let text = ''
        over = true
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () => {
          resolve({ status: response.statusCode!, code: JSON.parse(text).code, sent })
          request.destroy()
        })
      },
    )
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (!over) reject(error)
    })
    const chunk = Buffer.alloc(MiB, 'x')
    const more = () => {
      while (sent < bytes && !over) {
        sent += chunk.length
        if (!request.write(chunk)) return void request.once('drain', more)
      }
      if (!over) request.end()
    }
    request.write('{"code":"')
    more()
    return promise
  }

  test('a body of 100 MB with a declared length is refused with 413 before it is read', async () => {
    const grown = await growth(async () => {
      const { status, code, sent } = await pour({ 'content-length': String(100 * MiB + 9) }, 100 * MiB)
      assert.deepEqual([status, code], [413, 'TOO_LARGE'])
      assert.ok(sent < 40 * MiB, `${sent / MiB} MiB were accepted`)
    })
    assert.ok(grown < 30 * MiB, `it grew by ${grown / MiB} MiB`)
    await goesOn()
  })

  test('a body of 400 MB in chunks is refused with 413 when it goes over the limit', async () => {
    const grown = await growth(async () => {
      const { status, code, sent } = await pour({ 'transfer-encoding': 'chunked' }, 400 * MiB)
      assert.deepEqual([status, code], [413, 'TOO_LARGE'])
      assert.ok(sent < 100 * MiB, `${sent / MiB} MiB were accepted`)
    })
    assert.ok(grown < 150 * MiB, `it grew by ${grown / MiB} MiB`)
    await goesOn()
  })

  test('without a token no part of a body is kept', async () => {
    const grown = await growth(async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () =>
          pour({ authorization: 'Bearer wrong', 'transfer-encoding': 'chunked' }, 40 * MiB).catch(
            (error: NodeJS.ErrnoException) => ({ status: 401, code: error.code, sent: 0 }),
          ),
        ),
      )
      for (const { status } of answers) assert.equal(status, 401)
    })
    assert.ok(grown < 100 * MiB, `it grew by ${grown / MiB} MiB`)
  })

  test('500 connections that never finish their headers lock no client out', async () => {
    const { hostname, port } = new URL(server.url)
    const sockets: Socket[] = []
    const grown = await growth(async () => {
      for (let index = 0; index < 500; index++) {
        const socket = connect(Number(port), hostname)
        socket.on('error', () => {})
        socket.write('POST /execute HTTP/1.1\r\nhost: localhost\r\nx-slow: ')
        sockets.push(socket)
      }
      await until(openFiles, (count) => count >= 500)
      for (const socket of sockets) socket.write('y')
      await goesOn()
    })
    assert.ok(grown < 60 * MiB, `it grew by ${grown / MiB} MiB`)
    for (const socket of sockets) socket.destroy()
    await until(openFiles, (count) => count < 200)
  })

  test('for a client that reads none of 60 MB of events the server keeps little in memory', async () => {
    const { hostname, port } = new URL(server.url)
    const sockets: Socket[] = []
    const grown = await growth(async () => {
      for (let index = 0; index < 3; index++) {
        const body = JSON.stringify({
          code: 'head -c 60000000 /dev/zero | tr "\\0" a',
          language: 'shell',
          sessionId,
          timeout: 120_000,
        })
        const socket = connect(Number(port), hostname)
        socket.on('error', () => {})
        socket.write(
          `POST /execute/stream HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        )
        sockets.push(socket)
      }
      // The programs end although nothing reads their output.
      await until(
        async () => {
          const { body } = await server.post('/process/list', { sessionId, all: true })
          return body.processes.filter(
            ({ command, status }: Record<string, string>) => command!.startsWith('head') && status === 'completed',
          )
        },
        (ended) => ended.length === 3,
        60_000,
      )
      await goesOn()
    })
    assert.ok(grown < 90 * MiB, `it grew by ${grown / MiB} MiB`)
    for (const socket of sockets) socket.destroy()
  })

  test('requests that are cut off at any byte leave nothing open', async () => {
    const { hostname, port } = new URL(server.url)
    const body = JSON.stringify({ code: 'true', language: 'shell', sessionId })
    const whole = `POST /execute HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${server.token}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    const before = openFiles()
    await Promise.all(
      Array.from({ length: whole.length }, (_, end) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        const socket = connect(Number(port), hostname, () => socket.write(whole.slice(0, end), () => socket.destroy()))
        socket.on('error', () => {})
        socket.on('close', () => resolve())
        return promise
      }),
    )
    await until(openFiles, (count) => count <= before + 10)
    await goesOn()
  })

  test('200 concurrent requests are all answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => server.shell(`echo ${index}`, { sessionId })),
    )
    assert.deepEqual(
      answers.map(({ stdout, reason }) => [stdout, reason]),
      answers.map((_, index) => [`${index}\n`, 'exited']),
    )
  })
})

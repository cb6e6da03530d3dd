import type { Operation } from '../document.ts'
import { firstMessage, lastType } from './first-message.ts'
import { literal, python } from './literal.ts'
import { fileToSend, sampleRequest, sentText, type SampleRequest } from './sample-request.ts'

/** Returns a program that sends a route's example with `requests`, or opens its WebSocket with `websockets`. */
export function pythonSample(origin: string, operation: Operation): string {
  return operation.isSocket ? socketSample(origin, operation) : requestsSample(sampleRequest(origin, operation))
}

const token = `{"Authorization": f"Bearer {os.environ['CARREL_TOKEN']}"}`

function requestsSample(request: SampleRequest): string {
  const { method, url, query, needsToken, body, answer } = request
  const file = fileToSend(request)
  const given = [
    `"${url}",`,
    ...(query.length > 0 ? [`params=${literal(Object.fromEntries(query), python, 1)},`] : []),
    ...(needsToken ? [`headers=${token},`] : []),
    ...(body ? bodyOf(body) : []),
    ...(answer === 'events' ? ['stream=True,'] : []),
  ]
  const call = given.length === 1 ? `("${url}")` : `(\n${given.map((one) => `    ${one}\n`).join('')})`
  return [
    ...(needsToken ? ['import os'] : []),
    'import requests',
    '',
    ...(file === undefined ? [] : [`with open("${file}", "w") as file:\n    file.write("${sentText}\\n")`, '']),
    `response = requests.${method.toLowerCase()}${call}`,
    ...reading[answer],
  ].join('\n')
}

const reading = {
  json: ['print(response.json())'],
  text: ['print(response.text)'],
  file: ['open("answer.bin", "wb").write(response.content)'],
  events: ['for line in response.iter_lines(decode_unicode=True):', '    print(line)'],
} as const

function bodyOf(body: NonNullable<SampleRequest['body']>): string[] {
  if (body.kind === 'json') return [`json=${literal(body.value, python, 1)},`]
  if (body.kind === 'file') return [`data=open("${body.name}", "rb"),`]
  const texts = body.fields.filter(({ isFile }) => !isFile).map(({ name, value }) => [name, value])
  const files = body.fields.filter(({ isFile }) => isFile)
  return [
    ...(texts.length > 0 ? [`data=${literal(Object.fromEntries(texts), python, 1)},`] : []),
    ...files.map(({ name, value }) => `files={"${name}": open("${value}", "rb")},`),
  ]
}

function socketSample(origin: string, operation: Operation): string {
  const last = lastType(operation)
  return `import json, os
from websockets.sync.client import connect

with connect(
    "${origin.replace(/^http/, 'ws')}${operation.path}",
    additional_headers=${token},
) as socket:
    socket.send(json.dumps(${literal(firstMessage(operation), python, 1)}))
    for message in socket:
        print(message)${last === undefined ? '' : `\n        if json.loads(message)["type"] == "${last}":\n            break`}`
}

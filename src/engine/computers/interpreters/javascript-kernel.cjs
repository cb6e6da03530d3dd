/* global require, boot -- both are arguments: this text is the body of a function, run by Node's `-e` on the computer */
/**
 * A JavaScript kernel in one process. Its main thread evaluates code as a REPL does: `await` at the top level, `const`
 * declared again, and the value of the last expression. A second thread reads requests and writes events, both as lines
 * of JSON, and can end code that does not stop by itself. Runs on Node 20 and newer.
 */
const { createRequire } = require('node:module')
const { StringDecoder } = require('node:string_decoder')
const { inspect, isDeepStrictEqual, types } = require('node:util')
const vm = require('node:vm')
const { Worker } = require('node:worker_threads')

/** The second thread. The server writes to file descriptor 3 and reads from 4. */
function runConnection() {
  const { writeSync } = require('node:fs')
  const { Session } = require('node:inspector')
  const { Socket } = require('node:net')
  const { parentPort, workerData } = require('node:worker_threads')
  let running = null
  let rest = ''
  const write = (file, text) => {
    for (let bytes = Buffer.from(text); bytes.length > 0;) bytes = bytes.subarray(writeSync(file, bytes))
  }
  parentPort.on('message', (event) => {
    if (event === 'ended') {
      Atomics.store(workerData.ended, 0, 1)
      Atomics.notify(workerData.ended, 0)
      return
    }
    write(4, `${JSON.stringify(event)}\n`)
    if (event.event !== 'done') return
    running = null
    write(2, `\u001e${event.id}\n`)
  })
  const handlers = {
    sync: ({ id }) => write(4, `${JSON.stringify({ event: 'synced', id, running })}\n`),
    run: (request) => {
      running = request.id
      parentPort.postMessage(request)
    },
    interrupt: (request) => {
      if (request.id !== running) return
      const main = new Session()
      main.connectToMainThread()
      main.post('Runtime.terminateExecution', () => {
        main.disconnect()
        parentPort.postMessage(request)
      })
    },
  }
  const take = (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()
    for (const line of lines) {
      const request = parsed(line)
      if (request) handlers[request.op](request)
    }
  }
  // A server that was killed can have written half of a request.
  const parsed = (line) => {
    try {
      return JSON.parse(line)
    } catch {
      return undefined
    }
  }
  take(workerData.rest)
  new Socket({ fd: 3, readable: true, writable: false }).setEncoding('utf8').on('data', take)
}

const ended = new Int32Array(new SharedArrayBuffer(4))
const worker = new Worker(`(${String(runConnection)})()`, { eval: true, workerData: { ended, rest: boot.rest } })

/** The call that runs; undefined between calls. */
let current
let count = 0

function send(event) {
  flush()
  worker.postMessage({ ...event, id: current.id })
}

/** Texts of outputs that were not sent yet: sending each line by itself would be slow. */
let unsent = []
let unsentLength = 0
let sentAtMs = 0

function flush() {
  const texts = unsent
  unsent = []
  unsentLength = 0
  sentAtMs = Date.now()
  if (!current) return
  for (const { name, text } of texts) worker.postMessage({ event: 'output', id: current.id, name, text })
}

function output(name, text) {
  if (!current || text === '') return
  const kept = text.slice(0, current.left[name])
  if (kept.length < text.length) current.cut = true
  if (kept === '') return
  current.left[name] -= kept.length
  const last = unsent.at(-1)
  if (last?.name === name) last.text += kept
  else unsent.push({ name, text: kept })
  unsentLength += kept.length
  if (unsentLength > 16_384 || Date.now() > sentAtMs + 20) flush()
}

/** Callbacks of writes that have not been called yet, each with its number of calls in a row. */
let writeCallbacks = []

/**
 * Calls a write's callback in the next tick. Code that prints without end never reaches that tick, so repeated
 * callbacks are counted: `console` passes the same function each time.
 */
function deferCallback(done) {
  if (writeCallbacks.length === 0) process.nextTick(callWriteCallbacks)
  const last = writeCallbacks.at(-1)
  if (last?.done === done) last.times++
  else writeCallbacks.push({ done, times: 1 })
}

function callWriteCallbacks() {
  const all = writeCallbacks
  writeCallbacks = []
  for (const { done, times } of all) for (let time = 0; time < times; time++) done()
}

for (const name of ['stdout', 'stderr']) {
  const decoder = new StringDecoder('utf8')
  process[name].write = (chunk, encoding, callback) => {
    output(name, typeof chunk === 'string' ? chunk : decoder.write(chunk))
    const done = typeof encoding === 'function' ? encoding : callback
    if (done) deferCallback(done)
    return true
  }
}

/**
 * Returns a value as JSON if it is a list or object that consists of JSON values alone and is not large; otherwise
 * undefined.
 */
function plainJson(value) {
  if (typeof value !== 'object' || value === null) return undefined
  const text = attempt(() => JSON.stringify(value))
  if (text === undefined || text.length > 262_144) return undefined
  const again = JSON.parse(text)
  return isDeepStrictEqual(again, value) ? again : undefined
}

/**
 * Returns the forms that show a value, by media type: those that the value itself returns from
 * `Symbol.for('Jupyter.display')`, else text and JSON. Returns a promise only if the value's method does.
 */
function bundleOf(value) {
  const failed = (error) => ({ 'text/plain': `[This value cannot be shown: ${inspect(error, { depth: 0 })}]` })
  try {
    const own = value?.[Symbol.for('Jupyter.display')]
    if (typeof own === 'function') {
      const bundle = own.call(value)
      const plain = (shown) => JSON.parse(JSON.stringify(shown))
      return types.isPromise(bundle) ? bundle.then(plain).catch(failed) : plain(bundle)
    }
    const bundle = { 'text/plain': inspect(value, { depth: 4, maxStringLength: 1_000_000 }) }
    const json = plainJson(value)
    return json === undefined ? bundle : { ...bundle, 'application/json': json }
  } catch (error) {
    return failed(error)
  }
}

function result(data, main) {
  if (!current) return
  const size = Buffer.byteLength(JSON.stringify(data))
  if (size <= current.resultsLeft || (main && size <= minResultBytes)) {
    current.resultsLeft = Math.max(current.resultsLeft - size, 0)
    return send({ event: 'result', data, main })
  }
  // Of displayed values, the first that exceeds the limit reports it for all.
  const isReported = current.cutResults
  current.cut = current.cutResults = true
  if (isReported && !main) return
  const head = headOf(data, size, current.resultsLeft)
  current.resultsLeft = Math.max(current.resultsLeft - Buffer.byteLength(JSON.stringify(head)), 0)
  send({ event: 'result', data: head, main })
}

/** The bytes that the value of a cell may always take, however much came before it. */
const minResultBytes = 65_536

/** Returns as much of the text as fits; a little always does. A character can take six bytes. */
function headOf({ 'text/plain': text = '' }, size, left) {
  const head = String(text).slice(0, Math.max(Math.floor(left / 6), minResultBytes))
  return { 'text/plain': `${head}\n[Truncated here: the whole takes ${size} bytes, more than a response holds]` }
}

/** Shows a value as the value of a last expression is shown. */
function display(value) {
  const bundle = bundleOf(value)
  return types.isPromise(bundle) ? bundle.then((data) => result(data, false)) : result(bundle, false)
}
const base64 = (data) => (typeof data === 'string' ? data : Buffer.from(data).toString('base64'))
display.html = (html) => result({ 'text/html': String(html) }, false)
display.markdown = (text) => result({ 'text/markdown': String(text) }, false)
display.svg = (svg) => result({ 'image/svg+xml': String(svg) }, false)
display.json = (value) => result({ 'application/json': JSON.parse(JSON.stringify(value)) }, false)
display.image = (data, mimeType = 'image/png') => result({ [mimeType]: base64(data) }, false)

function errorEvent(error) {
  const isError = types.isNativeError(error) || error instanceof Error
  const name = isError ? String(error.name) : 'Error'
  const message = isError ? String(error.message) : inspect(error)
  const stack = isError && typeof error.stack === 'string' ? error.stack : `${name}: ${message}`
  const traceback = stack
    .slice(0, 65_536)
    .split('\n')
    .filter((line) => !/^\s+at .*(\[eval\]|\bnode:)/.test(line))
  return { event: 'error', name, message: message.slice(0, 65_536), traceback }
}

/** Compiles the code of a call. `import()` in it is Node's own, relative to the working directory. */
function compile(code, columnOffset) {
  const importModuleDynamically = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? boot.import
  return new vm.Script(code, { filename: `cell-${count}`, columnOffset, importModuleDynamically })
}

function attempt(work) {
  try {
    return work()
  } catch {
    return undefined
  }
}

/**
 * Replaces lazy globals by plain ones. Node creates some globals, such as `crypto`, when they are first read; they
 * accept no other value until then.
 */
function replaceLazyGlobals(names) {
  for (const name of names) {
    const property = Object.getOwnPropertyDescriptor(globalThis, name)
    if (!property?.get || !property.configurable) continue
    const value = attempt(() => globalThis[name])
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true })
  }
}

/** Compiles code so that it can run in the global scope. */
function compiled(given) {
  const { code, columnOffset, names, problem } = boot.prepare(given)
  try {
    const script = compile(code, columnOffset)
    replaceLazyGlobals(names)
    return script
  } catch (error) {
    // V8 reports errors better than acorn, except where it refuses what only a script may not contain.
    if (!problem || !/await|import/.test(error?.message)) throw error
    throw syntaxError(given, problem)
  }
}

/** Returns a syntax error that looks like V8's. */
function syntaxError(code, { message, loc: { line, column } }) {
  const error = new SyntaxError(message.replace(/ \(\d+:\d+\)$/, ''))
  const shown = code.split('\n')[line - 1] ?? ''
  error.stack = `cell-${count}:${line}\n${shown}\n${' '.repeat(column)}^\n\nSyntaxError: ${error.message}`
  return error
}

async function run({ id, code, streamCharacters, resultBytes }) {
  const call = {
    id,
    left: { stdout: streamCharacters, stderr: streamCharacters },
    resultsLeft: resultBytes,
    cut: false,
    cutResults: false,
  }
  current = call
  count++
  try {
    // Awaits a promise that is the last value, as no later call could return for it.
    const value = await compiled(code).runInThisContext()
    if (current !== call) return
    if (value !== undefined) {
      const bundle = await bundleOf(value)
      if (current === call) result(bundle, true)
    }
  } catch (error) {
    if (current === call) send(errorEvent(error))
  }
  if (current === call) finish()
}

function finish() {
  send({ event: 'done', count, truncated: current.cut })
  current = undefined
}

worker.on('message', (request) => {
  if (request.op === 'run') void run(request)
  else if (current?.id === request.id) {
    send({ event: 'error', name: 'Interrupted', message: 'The code was interrupted', traceback: [] })
    finish()
  }
})

// The user's globals are defined last, so that changes to them affect nothing above.
Object.assign(globalThis, {
  require: createRequire(`${process.cwd()}/`),
  module: { exports: {} },
  exports: {},
  __dirname: process.cwd(),
  display,
})
setInterval(flush, 100).unref()
process.on('SIGINT', () => {})
process.on('uncaughtException', (error) => output('stderr', `Uncaught ${inspect(error)}\n`))
process.on('exit', () => {
  flush()
  worker.postMessage('ended')
  Atomics.wait(ended, 0, 0, 2000)
})
worker.postMessage({ event: 'ready' })

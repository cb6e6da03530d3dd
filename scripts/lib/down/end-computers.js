import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { namesIn, textOf } from './data-directory.js'
import { endProcesses } from './end-processes.js'

/** Time for programs to end by themselves. */
const graceMs = 5_000
/** A monitor that has not answered within this time never will. */
const answerMs = 5_000

/**
 * Ends every process of every computer. Resolves with the number of running computers. Monitors are notified first, so
 * that they record the processes as stopped.
 * @param {import('./data-directory.js').DataDirectory} data
 */
export async function endComputers(data) {
  const ids = new Set(data.cgroups.flatMap((group) => namesIn(group).filter((id) => hasProcesses(join(group, id)))))
  const sockets = namesIn(data.runtime).filter((name) => /^monitor.*\.sock$/.test(name))
  await Promise.all(sockets.map((name) => announce(join(data.runtime, name), [...ids])))
  for (const group of data.cgroups) thaw(group)
  await endProcesses(() => [...new Set(data.cgroups.flatMap(processesIn))], { what: 'a computer', graceMs })
  return ids.size
}

/** @param {string} group */
function hasProcesses(group) {
  return processesIn(group).length > 0
}

/** Returns the processes of a group and of the groups below it. @param {string} group @returns {number[]} */
function processesIn(group) {
  const own = textOf(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number)
  return [...own, ...groupsIn(group).flatMap(processesIn)]
}

/** Thaws a group, as no signal reaches a frozen process. @param {string} group */
function thaw(group) {
  for (const [file, value] of /** @type {const} */ ([
    ['freezer.state', 'THAWED'],
    ['cgroup.freeze', '0'],
  ])) {
    try {
      writeFileSync(join(group, file), value, { flag: 'r+' })
    } catch {
      // This tree uses the other file, or cannot freeze.
    }
  }
  for (const inner of groupsIn(group)) thaw(inner)
}

/** @param {string} group */
function groupsIn(group) {
  return namesIn(group)
    .map((name) => join(group, name))
    .filter((path) => namesIn(path).includes('cgroup.procs'))
}

/**
 * Tells a monitor that computers are being stopped. Resolves when it has acknowledged, or if there is no monitor.
 * @param {string} socketPath
 * @param {string[]} ids
 * @returns {Promise<void>}
 */
function announce(socketPath, ids) {
  if (ids.length === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const end = () => {
      socket.destroy()
      resolve()
    }
    let answers = 0
    socket.setTimeout(answerMs, end)
    socket.on('error', end).on('close', end)
    socket.on('data', (data) => {
      answers += data.toString().split('"seq":').length - 1
      if (answers >= ids.length) end()
    })
    for (const [seq, computerId] of ids.entries())
      socket.write(`${JSON.stringify({ op: 'stopping', computerId, seq })}\n`)
  })
}

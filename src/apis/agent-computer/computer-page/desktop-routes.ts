import { limits } from '../../../config/limits.ts'
import { soundFormat } from '../../../engine/computers/desktop/sounds.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { App } from '../../../http/app.ts'
import { refuseText, relaySocket } from '../../../http/sockets/relay-socket.ts'
import { closeEnded, closeIfStopped } from './close-ended.ts'
import { addPageSocket } from './page-sockets.ts'
import { ViewOnlyFilter } from './view-only-filter.ts'

/** Adds the desktop of the computer, and what it plays. Both start with the first client, and end without any. */
export function addDesktopRoutes(app: App, engine: Engine): void {
  addPageSocket(app, engine, {
    path: '/api/desktop/socket',
    part: 'desktop',
    maxMessageBytes: limits.socketMessageBytes,
    open: async (socket, { session: { computer }, viewOnly }) => {
      const { id } = computer
      const { descriptors } = engine.budgets
      const shares = descriptors.sharesOf({ account: computer.accountId })
      const lease = descriptors.take('open the desktop', shares)
      // What the client sends before the desktop runs waits for it.
      socket.hold('desktop', true)
      try {
        const desktop = await engine.desktops.open(engine, computer)
        const connection = await desktop.connect()
        if (socket.readyState !== socket.OPEN) return void connection.destroy()
        const filter = viewOnly ? new ViewOnlyFilter() : undefined
        const relayed = relaySocket(socket, connection, filter ? { filter: (bytes) => filter.take(bytes) } : {})
        socket.hold('desktop', false)
        // A connection that breaks is an end like others while its computer is being stopped or transferred.
        await relayed.catch((error: unknown) => closeIfStopped(engine, socket, id).then(() => Promise.reject(error)))
      } finally {
        lease.release()
        socket.hold('desktop', false)
      }
      await closeEnded(engine, socket, id, 'the desktop has ended')
    },
  })
  addPageSocket(app, engine, {
    path: '/api/sound/socket',
    part: 'desktop',
    maxMessageBytes: smallMessageBytes,
    open: async (socket, { session: { computer } }) => {
      const closed = new Promise((resolve) => socket.once('close', resolve))
      refuseText(socket)
      socket.send(JSON.stringify({ type: 'format', ...soundFormat }))
      const leave = await engine.sounds.listen(engine, computer, {
        hear: (sound) => {
          if (socket.readyState !== socket.OPEN) return
          // A listener that is behind misses some, and is not further behind then.
          if (socket.bufferedAmount + sound.length <= limits.soundBacklogBytes) socket.send(sound)
        },
        end: () => void closeEnded(engine, socket, computer.id, 'the sound has ended').catch(() => socket.terminate()),
      })
      try {
        await closed
      } finally {
        leave()
      }
    },
  })
}

/** Clients have nothing to say. */
const smallMessageBytes = 1024

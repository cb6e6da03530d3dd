import { vncAddress } from '../../../engine/computers/desktop/vnc-address.ts'
import { pageOrigin } from '../../../http/computer-pages.ts'
import type { SessionKind } from './session-kind.ts'

/** The computer's own page: terminals, files, the desktop, ports and processes, at an origin of its own. */
export const browserSession: SessionKind = {
  entryOf: ({ engine, computer, token }) => {
    const origin = pageOrigin(engine.settings, computer.row)
    return {
      access_url: token === undefined ? `${origin}/` : `${origin}/?access_token=${token}`,
      connect_url: origin,
      transport: { protocol: 'http', auth: 'bearer', base_path: '/api/', capabilities: ['browser', 'desktop'] },
    }
  },
}

/** The desktop alone, in a browser, as RFB over a WebSocket, or by a VNC client where the server has a port for them. */
export const vncSession: SessionKind = {
  entryOf: ({ engine, computer, token }) => {
    const origin = pageOrigin(engine.settings, computer.row)
    const page = `${origin}/desktop`
    const vnc = vncAddress(engine, computer)
    return {
      access_url: token === undefined ? page : `${page}?access_token=${token}`,
      connect_url: `${origin.replace('http', 'ws')}/api/desktop/socket`,
      transport: { protocol: 'rfb', auth: 'bearer', base_path: '/api/desktop/', capabilities: ['desktop'] },
      ...(vnc && { vnc_host: vnc.host, vnc_port: vnc.port, vnc_user: vnc.user }),
    }
  },
}

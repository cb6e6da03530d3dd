import type { Message } from './message.ts'
import type { MessageRoutes } from './route-message.ts'

/** Returns the messages that each call one route. */
export function routeMessages(routes: MessageRoutes): Message[] {
  return [
    routes.message('interpret', { route: 'POST /interpret' }),
    routes.message('expose', { route: 'POST /expose', hintCategory: 'port_closed' }),
    routes.message('memory_write', { route: 'POST /memory/write' }),
    routes.message('memory_read', { route: 'POST /memory/read', large: true }),
    routes.message('memory_list', { route: 'POST /memory/list', large: true }),
    routes.message('memory_delete', { route: 'POST /memory/delete' }),
    routes.message('memory_usage', { route: 'POST /memory/usage' }),
    routes.message('balance', { route: 'GET /balance' }),
  ]
}

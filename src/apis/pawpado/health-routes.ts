import type { App } from '../../http/app.ts'
import { healthAnswer } from './schemas.ts'

export function addHealthRoutes(app: App): void {
  app.get(
    '/api/v1/health',
    {
      schema: { response: { 200: healthAnswer } },
      config: {
        public: true,
        documentation: { description: 'Liveness probe. No auth required' },
      },
    },
    async () => ({ status: 'ok' }),
  )
}

import type { Settings } from '../../config/settings.ts'
import { previewUrls } from '../previews/preview-name.ts'

/** The addresses that recorded answers have: those of a server with default settings. */
const recorded = /\b(http|ws):\/\/(?:(\d+)-([0-9a-z]{20})-p\d+_v1\.)?localhost:4280/g

type PreviewSettings = Pick<Settings, 'previewDomain' | 'port' | 'publicUrl'>

/** Returns a recorded answer with the addresses of this server and of its previews. */
export function withAddresses(answer: unknown, origin: string, settings: PreviewSettings): unknown {
  const text = JSON.stringify(answer).replaceAll(recorded, (_, scheme: 'http' | 'ws', port?: string, id = '') => {
    if (port === undefined) return scheme === 'ws' ? origin.replace('http', 'ws') : origin
    const { url, wsUrl } = previewUrls(settings, id, Number(port))
    return scheme === 'ws' ? wsUrl : url
  })
  return JSON.parse(text)
}

import type { GuideFacts, GuideSection } from '../../http/surface.ts'
import { duration } from './limit-facts.ts'

/** What a reader has to know before PaperPod's routes. */
export function guide({ origin, settings }: GuideFacts): GuideSection[] {
  return [
    {
      title: 'Sandboxes',
      paragraphs: [
        'A sandbox is a Linux computer that your account gets by name: `sessionId` in a request picks it, and without one you get the default sandbox. The first request makes it, in tens of milliseconds. Requests with the same name share files and processes.',
        'You are the user `node`, with sudo, in `/workspace`; a relative path is under it. `GET /` lists the tools that are installed. The internet can be reached.',
        `A sandbox in which nothing runs and that gets no request for ${duration(settings.idleTimeoutMs)} stops, and its files go with it. Files that have to stay belong in memory (\`POST /memory/write\`).`,
        'A program that fails is no error of the request: read `exitCode`, and `reason` for why the program ended (`exited`, `signalled`, `timeout`, `oom`, `disk_full`, `stopped`, `lost`).',
      ],
    },
    {
      title: 'Tokens',
      paragraphs: [
        `Every request carries \`Authorization: Bearer <token>\`, except those that need no token. Tokens look like \`pp_sess_...\`. A user gets one by mail (\`POST ${origin}/login {"email"}\`), the holder of a wallet by a proof (\`POST ${origin}/login {"wallet"}\` with a client of the Machine Payments Protocol; nothing is paid). The operator of this server finds the first one in \`owner.token\` in its data directory.`,
      ],
    },
  ]
}

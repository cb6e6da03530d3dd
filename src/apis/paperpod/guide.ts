import { hintHeader, jsonRule } from '../../http/lenient-requests.ts'
import type { GuideFacts, GuideSection } from '../../http/surface.ts'
import { duration } from './limit-facts.ts'

/** Returns what a reader needs to know before PaperPod's routes. */
export function guide({ origin, settings }: GuideFacts): GuideSection[] {
  return [
    {
      title: 'Sandboxes',
      paragraphs: [
        'A sandbox is a Linux computer that your account addresses by name: `sessionId` in a request selects it; without a `sessionId` you use the default sandbox. The first request creates the sandbox, in tens of milliseconds. Requests with the same name share files and processes.',
        'You are the user `node`, with sudo, in `/workspace`; relative paths start there. Answers name each path in one form, absolute and without `..`, which goes up by name: after `link/..` you are where the link is, not where it leads. `GET /` lists the installed tools. Sandboxes can reach the internet.',
        `A sandbox that runs nothing and gets no request for ${duration(settings.idleTimeoutMs)} stops, and its files are deleted. Store files that you want to keep in memory (\`POST /memory/write\`).`,
        'A program that fails is not an error of the request: read `exitCode`, and `reason` for why the program ended (`exited`, `signalled`, `timeout`, `oom`, `disk_full`, `stopped`, `disconnected`, `lost`).',
      ],
    },
    {
      title: 'Requests',
      paragraphs: [
        `${jsonRule} \`curl -d\` needs no header. A field that is not required can be null, which means that it is missing. A field that a route does not have is ignored: the header \`${hintHeader}\` of the answer, or a \`suggestion\` on the WebSocket, names it and the field that was probably meant.`,
        'The name of a sandbox is any printable text on one line, and is compared as it is, without trimming or normalizing it. Time limits are in milliseconds; 0 means no limit, and a fraction is rounded up. Numbers and booleans in `env` become text; a variable that is null is left out.',
      ],
    },
    {
      title: 'Tokens',
      paragraphs: [
        `Send \`Authorization: Bearer <token>\` with every request that needs a token. Tokens look like \`pp_sess_...\`. A user gets a token by email (\`POST ${origin}/login {"email"}\`), the holder of a wallet by proving ownership (\`POST ${origin}/login {"wallet"}\` with a client of the Machine Payments Protocol; no money is transferred). The operator of this server finds the first token in \`owner.token\` in its data directory.`,
      ],
    },
  ]
}

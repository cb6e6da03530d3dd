/** What `npm start -- --help` prints: the settings that a newcomer asks for first, and where all of them are. */
export const startHelp = `Usage: npm start

Makes this host ready (packages, a base image at the first start), then starts the Carrel server. It says when it is
ready and where the token is; Ctrl-C ends it, computers go on running. npm run down ends those too.

Options:
  -h, --help  Shows this help and starts nothing

Settings are environment variables:
  CARREL_HOST        address to listen on (default: 127.0.0.1)
  CARREL_PORT        port to listen on (default: 4280)
  CARREL_DATA        folder of everything that is kept (default: /var/lib/carrel)
  CARREL_PUBLIC_URL  origin by which clients reach the server, such as https://carrel.example.com
  CARREL_LOG_LEVEL   how much the log on stderr tells (default: info)

All of them: docs/SETTINGS.md
`

/** The output of `npm start -- --help`: the settings that a new user needs first, and where to find all of them. */
export const startHelp = `Usage: npm start

Prepares this host (packages, and a base image on the first start), then starts the Carrel server, which prints when it is
ready and where the token is. Ctrl-C ends the server; computers keep running. npm run down ends those too.

Options:
  -h, --help  Shows this help and starts nothing

Settings are environment variables:
  CARREL_HOST        address to listen on (default: 127.0.0.1)
  CARREL_PORT        port to listen on (default: 4280)
  CARREL_DATA        folder for all data (default: /var/lib/carrel)
  CARREL_PUBLIC_URL  origin at which clients reach the server, such as https://carrel.example.com
  CARREL_LOG_LEVEL   level of the log on stderr (default: info)

All settings: docs/SETTINGS.md
`

/**
 * Starts a PostgreSQL server, prints its URL, and runs until it is killed or its input ends. With `--durable` its commits
 * are on the disk.
 */
import { PostgresServer } from './postgres-server.js'

const server = await PostgresServer.start({ durable: process.argv.includes('--durable') })
console.log(server.url)
for await (const _ of process.stdin);
await server.stop()

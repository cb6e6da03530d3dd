import { randomBytes } from 'node:crypto'
import { sql, type Kysely } from 'kysely'

/** The servers that share a database, and for each row that a server acts on, whose it is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await addDeployment(db)
  await addNodes(db)
  const nodeId = await firstNode(db)
  await moveComputers(db, nodeId)
  await addNodeIds(db, nodeId)
}

async function addDeployment(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deployment')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`insert into deployment (id, created_at) values (${newId()}, ${Date.now()})`.execute(db)
}

async function addNodes(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('nodes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('epoch', 'bigint', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('cpus', 'integer', (c) => c.notNull())
    .addColumn('memory_bytes', 'bigint', (c) => c.notNull())
    .addColumn('disk_bytes', 'bigint', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('duties')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('node_id', 'text', (c) => c.notNull())
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .execute()
}

/**
 * Adds the node of a database that is in use, which had one server until now, and returns its id; '' for an empty
 * database, which has no rows to give it to. The epoch 0 says that no server has claimed the node yet.
 */
async function firstNode(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql`select 1 from accounts limit 1`.execute(db)
  if (rows.length === 0) return ''
  const id = newId()
  await sql`insert into nodes (id, address, epoch, lease_until, cpus, memory_bytes, disk_bytes, created_at)
    values (${id}, '', 0, 0, 0, 0, 0, ${Date.now()})`.execute(db)
  return id
}

/** Computers have few rows: a new table gets a column that is never null and refers to the nodes. */
async function moveComputers(db: Kysely<unknown>, nodeId: string): Promise<void> {
  await db.schema
    .createTable('homed_computers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.references('accounts.id'))
    .addColumn('name', 'text')
    .addColumn('node_id', 'text', (c) => c.notNull().references('nodes.id'))
    .addColumn('fence', 'bigint', (c) => c.notNull())
    .addColumn('image', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('state_reason', 'text')
    .addColumn('cpus', 'double precision', (c) => c.notNull())
    .addColumn('memory_bytes', 'bigint', (c) => c.notNull())
    .addColumn('disk_bytes', 'bigint', (c) => c.notNull())
    .addColumn('pids', 'integer', (c) => c.notNull())
    .addColumn('lifecycle', 'text', (c) => c.notNull())
    .addColumn('idle_timeout_ms', 'bigint')
    .addColumn('expires_at', 'bigint')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('last_active_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('computers_name', ['account_id', 'name'])
    .execute()
  const kept =
    sql.raw(`id, account_id, name, image, state, state_reason, cpus, memory_bytes, disk_bytes, pids, lifecycle,
    idle_timeout_ms, expires_at, created_at, updated_at, started_at, last_active_at`)
  await sql`insert into homed_computers (node_id, fence, ${kept}) select ${sql.lit(nodeId)}, 0, ${kept} from computers`.execute(
    db,
  )
  await db.schema.dropTable('computers').execute()
  await db.schema.alterTable('homed_computers').renameTo('computers').execute()
  await db.schema.createIndex('computers_node').on('computers').columns(['node_id', 'state']).execute()
}

/** The default is for SQLite, which adds no column without one that is not null; each insert names the node. */
async function addNodeIds(db: Kysely<unknown>, nodeId: string): Promise<void> {
  for (const table of ['processes', 'operations', 'idempotency']) {
    await db.schema
      .alterTable(table)
      .addColumn('node_id', 'text', (c) => c.notNull().defaultTo(''))
      .execute()
    await sql`update ${sql.table(table)} set node_id = ${nodeId}`.execute(db)
  }
  // For a node's processes that run, and the oldest of those that have ended. Keys are read as a whole at each start.
  await db.schema.dropIndex('processes_ended').execute()
  await db.schema.createIndex('processes_node').on('processes').columns(['node_id', 'state', 'ended_at']).execute()
  await db.schema.createIndex('operations_node').on('operations').columns(['node_id', 'state']).execute()
}

/** As `engine/ids.ts` makes them. */
function newId(): string {
  return Array.from(randomBytes(20), (byte) => '0123456789abcdefghjkmnpqrstvwxyz'[byte & 31]).join('')
}

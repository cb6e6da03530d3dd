import {
  DataTypeNode,
  OperationNodeTransformer,
  RawNode,
  type ColumnDefinitionNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely'

/**
 * Migrations name column types as SQLite does. On PostgreSQL
 * - a `text` is compared and ordered by its bytes, whatever language the operator's database has;
 * - an `integer` has 64 bits, a `real` too;
 * - a `blob` is a `bytea`.
 */
const columnTypes: Record<string, OperationNode> = {
  text: RawNode.createWithSql('text collate "C"'),
  integer: DataTypeNode.create('bigint'),
  real: DataTypeNode.create('double precision'),
  blob: DataTypeNode.create('bytea'),
}

class ColumnTypes extends OperationNodeTransformer {
  protected override transformColumnDefinition(node: ColumnDefinitionNode): ColumnDefinitionNode {
    const definition = super.transformColumnDefinition(node)
    const named = DataTypeNode.is(definition.dataType) ? columnTypes[definition.dataType.dataType] : undefined
    return named ? { ...definition, dataType: named } : definition
  }
}

/** Translates the column types of migrations. */
export class ColumnTypesPlugin implements KyselyPlugin {
  readonly #transformer = new ColumnTypes()

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node, queryId)
  }

  async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result
  }
}

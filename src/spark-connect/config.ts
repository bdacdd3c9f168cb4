import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { Connection } from './connection.ts'
import { ConfigRequestSchema, type ConfigRequest_OperationSchema } from './generated/spark/connect/base_pb.ts'

type OperationInit = NonNullable<MessageInitShape<typeof ConfigRequest_OperationSchema>['opType']>

/** Settings of the session on the server. */
export class Config {
  private readonly connection: Connection

  constructor(connection: Connection) {
    this.connection = connection
  }

  /** @throws SparkError for a setting that Spark does not know and that is not set. */
  async get(key: string): Promise<string> {
    return (await this.run({ case: 'get', value: { keys: [key] } })).get(key) ?? ''
  }

  /** Undefined where it is not set and has no default. */
  async getOption(key: string): Promise<string | undefined> {
    return (await this.run({ case: 'getOption', value: { keys: [key] } })).get(key)
  }

  /** All that are set, or those whose name begins with `prefix` (the names without it, as Spark gives them). */
  async getAll(prefix?: string): Promise<Record<string, string>> {
    const pairs = await this.run({ case: 'getAll', value: prefix === undefined ? {} : { prefix } })
    return Object.fromEntries([...pairs].map(([key, value]) => [key, value ?? '']))
  }

  async set(settings: Readonly<Record<string, string | number | boolean>>): Promise<void> {
    const pairs = Object.entries(settings).map(([key, value]) => ({ key, value: String(value) }))
    await this.run({ case: 'set', value: { pairs } })
  }

  async unset(...keys: string[]): Promise<void> {
    await this.run({ case: 'unset', value: { keys } })
  }

  /** Whether a session may change it while it runs. */
  async isModifiable(key: string): Promise<boolean> {
    return (await this.run({ case: 'isModifiable', value: { keys: [key] } })).get(key) === 'true'
  }

  private async run(opType: OperationInit): Promise<Map<string, string | undefined>> {
    const { connection } = this
    const { pairs } = await connection.call(
      () =>
        connection.transport.unary(
          'config',
          create(ConfigRequestSchema, { ...connection.common, operation: { opType } }),
        ),
      { operation: 'Spark setting' },
    )
    return new Map(pairs.map(({ key, value }) => [key, value]))
  }
}

import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { OptionError } from '../core/index.ts'
import { type Plan, PlanSchema } from './generated/spark/connect/base_pb.ts'
import { type Command, CommandSchema } from './generated/spark/connect/commands_pb.ts'
import { type Relation, RelationCommonSchema, RelationSchema } from './generated/spark/connect/relations_pb.ts'
import { type Bindable, bound } from './literals.ts'

/** Values for `?` in their order, or for `:name` by name. */
export type SqlArguments = readonly Bindable[] | Readonly<Record<string, Bindable>>

let planId = 0n

/**
 * A relation of the protocol with a plan id of its own.
 *
 * @example
 * relation({ relType: { case: 'range', value: { end: 10n, step: 1n } } })
 */
export function relation(init: MessageInitShape<typeof RelationSchema>): Relation {
  const made = create(RelationSchema, init)
  made.common ??= create(RelationCommonSchema, { planId: planId++ })
  return made
}

/** A query in Spark's SQL with values bound to its `?` or `:name`, never pasted. */
export function sqlRelation(query: string, args: SqlArguments = []): Relation {
  if (query.trim() === '') {
    throw new OptionError({ operation: 'Spark query', expected: 'the text of a statement', received: 'an empty text' })
  }
  const listed = Array.isArray(args)
  return relation({
    relType: {
      case: 'sql',
      value: {
        query,
        posArguments: listed ? (args as readonly Bindable[]).map(bound) : [],
        namedArguments: listed ? {} : Object.fromEntries(Object.entries(args).map(([name, value]) => [name, bound(value)])), // prettier-ignore
      },
    },
  })
}

/** What can be executed: a relation, a command, or a plan of either. */
export type Executable = Relation | Command | Plan

export function planOf(executable: Executable): Plan {
  switch (executable.$typeName) {
    case 'spark.connect.Plan':
      return executable
    case 'spark.connect.Relation':
      return create(PlanSchema, { opType: { case: 'root', value: executable } })
    case 'spark.connect.Command':
      return create(PlanSchema, { opType: { case: 'command', value: executable } })
  }
}

/** Runs a statement of SQL on the server, whatever it is: a query, DDL, SET. */
export function sqlCommand(input: Relation): Command {
  return create(CommandSchema, { commandType: { case: 'sqlCommand', value: { input } } })
}

/** The SQL text of a plan, for errors that point into it. */
export function sqlTextOf(plan: Plan): string | undefined {
  const { opType } = plan
  const root = opType.case === 'root' ? opType.value : undefined
  if (root?.relType.case === 'sql') return root.relType.value.query
  const command = opType.case === 'command' ? opType.value.commandType : undefined
  const input = command?.case === 'sqlCommand' ? command.value.input : undefined
  return input?.relType.case === 'sql' ? input.relType.value.query : undefined
}

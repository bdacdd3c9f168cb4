import { z } from 'zod'

import {
  type AnyColumn,
  BundleError,
  type ColumnBatch,
  didYouMean,
  NotFoundError,
  OptionError,
  Tensor,
  sizeOf,
} from '../core/index.ts'
import { type BagField, type ExampleField, type Examples, gatherExamples } from '../dataset/index.ts'
import { EncodingReport } from './issues.ts'
import { type FeatureState, featureState, transforms } from './registry.ts'
import { packState, type PackedState, unpackState } from './state.ts'
import { describeTarget, encodeTarget, type TargetState, targetState } from './target.ts'
import type { Encoder, Part, Sink } from './transform.ts'
import type { FieldSignature } from './types.ts'

export const featuresVersion = 1

const fittedSchema = z.object({
  version: z.literal(featuresVersion),
  features: z.array(featureState),
  target: targetState.optional(),
})

export interface ApplyOptions {
  /** Whether examples get the field `target`; rows whose target is missing are left out then. Default false. */
  readonly target?: boolean
  /** `impute` takes a feature column that is not there as missing in every row. Default `error`. */
  readonly missingColumns?: 'error' | 'impute'
  /** Collects what is met, over as many batches as it is given to; without it mostly wrong types throw per batch. */
  readonly report?: EncodingReport
  /** Where relative paths of pictures start. Default: the working directory. */
  readonly directory?: string
}

/** Examples, and which rows of the batch they are. */
export interface EncodedExamples extends Examples {
  /** For each example its row in the batch; undefined when every row became one. */
  readonly rows: Uint32Array | undefined
}

export interface FeatureDescription {
  readonly column: string
  readonly kind: FeatureState['kind'] | 'target'
  readonly detail: string
}

type JoinedName = Extract<Part, { kind: 'joined' }>['field']
const joinedNames: readonly JoinedName[] = ['dense', 'bins', 'categories']
const joinedTypes = { dense: 'float32', bins: 'float32', categories: 'int32' } as const
export const targetField = 'target'

/**
 * Fitted features: the one function from columns to examples, used in training, evaluation and serving. It looks at the
 * batch and at its fitted state only, so splitting a batch or running elsewhere changes nothing.
 */
export class FittedFeatures {
  readonly features: readonly FeatureState[]
  readonly target: TargetState | undefined
  /** What the examples hold, without the target. */
  readonly fields: readonly FieldSignature[]
  private readonly encoders: readonly Encoder[]

  /** @throws OptionError when two features make a field of the same name. */
  constructor(features: readonly FeatureState[], target?: TargetState) {
    this.features = features
    this.target = target
    this.encoders = features.map(encoderOf)
    this.fields = signatureOf(this.encoders.flatMap((encoder) => encoder.parts))
  }

  /** The columns that features read, without the target. */
  get columns(): readonly string[] {
    return [...new Set(this.features.map((feature) => feature.column))]
  }

  /**
   * Encodes a batch of columns, in any order; further columns are ignored.
   * @throws NotFoundError naming a feature column that is not there; TypeMismatchError when more than half of a column's
   * values are of another type than in training.
   */
  async apply(batch: ColumnBatch, options: ApplyOptions = {}): Promise<EncodedExamples> {
    const report = options.report ?? new EncodingReport()
    const rows = batch.length
    const dropped = new Uint8Array(rows)
    const fields = await this.encode(batch, options, report, dropped)
    if (options.target === true) {
      if (this.target === undefined) throw new OptionError({ operation: 'encode', problem: 'no target was fitted' })
      const name = this.target.column
      const index = batch.schema.findIndex((field) => field.name === name)
      const column = batch.columns[index] ?? absentColumn(batch, name, 'error', report)
      const missing = new Uint8Array(rows)
      fields[targetField] = encodeTarget(this.target, column, rows, missing)
      for (let i = 0; i < rows; i++) {
        report.missingTarget += missing[i]!
        dropped[i]! |= missing[i]!
      }
    }
    report.rows += rows
    if (options.report === undefined) report.check()
    const kept = keptRows(dropped)
    if (kept === undefined) return { size: rows, fields, rows: undefined }
    report.dropped += rows - kept.length
    return { ...gatherExamples({ size: rows, fields }, kept), rows: kept }
  }

  private async encode(
    batch: ColumnBatch,
    options: ApplyOptions,
    report: EncodingReport,
    dropped: Uint8Array,
  ): Promise<Record<string, ExampleField>> {
    const rows = batch.length
    const fields: Record<string, ExampleField> = {}
    const blocks = new Map<string, { data: Float32Array | Int32Array; stride: number; offset: number }>()
    for (const field of this.fields) {
      if (field.kind === 'bag') continue
      const tensor = new Tensor(field.dtype, [rows, ...field.shape])
      fields[field.name] = { kind: 'dense', tensor }
      blocks.set(field.name, {
        data: tensor.data as Float32Array | Int32Array,
        stride: sizeOf(field.shape),
        offset: 0,
      })
    }
    const sinkOf = (part: Part): Sink => {
      if (part.kind === 'bag') return { kind: 'bag', set: (bag: BagField) => (fields[part.field] = bag) }
      const block = blocks.get(part.field)!
      if (part.kind === 'tensor') return { kind: 'tensor', data: block.data }
      const sink = { kind: 'joined', ...block } as const
      block.offset += part.positions.length
      return sink
    }
    const used = new Set(this.columns)
    const indices = new Map(batch.schema.map(({ name }, index) => [name, index]))
    for (const name of indices.keys()) {
      if (!used.has(name) && name !== this.target?.column) report.ignoredColumns.add(name)
    }
    const { missingColumns = 'error', directory } = options
    for (const [i, encoder] of this.encoders.entries()) {
      const name = this.features[i]!.column
      const index = indices.get(name)
      const column = index === undefined ? absentColumn(batch, name, missingColumns, report) : batch.columns[index]!
      const issues = report.column(name)
      await encoder.encode(column, { rows, issues, dropped, directory, sinks: encoder.parts.map(sinkOf) })
    }
    return fields
  }

  /** What each column became, for people; the target last. */
  describe(): FeatureDescription[] {
    const lines: FeatureDescription[] = this.features.map((state) => ({
      column: state.column,
      kind: state.kind,
      detail: describeState(state),
    }))
    if (this.target !== undefined) {
      lines.push({ column: this.target.column, kind: 'target', detail: describeTarget(this.target) })
    }
    return lines
  }

  /** JSON and the tensors it refers to: all there is to these features. */
  toJSON(): PackedState {
    return packState({ version: featuresVersion, features: this.features, target: this.target })
  }

  /** @throws BundleError when the data are not fitted features of this version. */
  static fromJSON(packed: PackedState): FittedFeatures {
    const data = unpackState(packed)
    const version = (data as { version?: unknown } | null)?.version
    if (typeof version === 'number' && version > featuresVersion) {
      throw new BundleError({
        operation: 'load features',
        expected: `version ${featuresVersion} or older`,
        received: `version ${version}`,
        hint: 'Load it with the version of Fathom that wrote it, or a newer one',
      })
    }
    const parsed = fittedSchema.safeParse(data)
    if (parsed.success) return new FittedFeatures(parsed.data.features, parsed.data.target)
    const issue = parsed.error.issues[0]!
    throw new BundleError({
      operation: 'load features',
      problem: `${issue.path.join('.')}: ${issue.message}`,
      cause: parsed.error,
    })
  }
}

function absentColumn(
  batch: ColumnBatch,
  name: string,
  missing: 'error' | 'impute',
  report: EncodingReport,
): AnyColumn {
  if (missing === 'impute') {
    report.imputedColumns.add(name)
    const validity = new Uint8Array(batch.length)
    return { type: 'string', values: Array.from({ length: batch.length }, () => null), validity }
  }
  throw new NotFoundError({
    operation: 'encode',
    expected: `a column "${name}", which training had`,
    received: 'columns without it',
    hint: didYouMean(
      name,
      batch.schema.map((field) => field.name),
    ),
  })
}

function encoderOf(state: FeatureState): Encoder {
  // The table's entry for a kind takes that kind's state, which indexing by a union cannot say.
  return (transforms[state.kind].encoder as (state: FeatureState) => Encoder)(state)
}
function describeState(state: FeatureState): string {
  return (transforms[state.kind].describe as (state: FeatureState) => string)(state)
}

function signatureOf(parts: readonly Part[]): FieldSignature[] {
  const fields: FieldSignature[] = []
  for (const name of joinedNames) {
    const joined = parts.filter((part) => part.kind === 'joined' && part.field === name) as Extract<
      Part,
      { kind: 'joined' }
    >[]
    const positions = joined.flatMap((part) => part.positions)
    if (positions.length === 0) continue
    const cardinalities = joined.flatMap((part) => part.cardinalities ?? [])
    const base = { kind: 'dense', name, dtype: joinedTypes[name], shape: [positions.length], positions } as const
    fields.push(cardinalities.length > 0 ? { ...base, cardinalities } : base)
  }
  for (const part of parts) {
    if (part.kind === 'joined') continue
    if (part.field === targetField || fields.some((field) => field.name === part.field)) {
      throw new OptionError({
        operation: 'features',
        problem: `two features make the field "${part.field}"`,
        hint: 'Give one of them another `field`',
      })
    }
    if (part.kind === 'bag') fields.push({ kind: 'bag', name: part.field, size: part.size })
    else {
      const base = { kind: 'dense', name: part.field, dtype: part.dtype, shape: part.shape } as const
      fields.push(part.cardinality === undefined ? base : { ...base, cardinalities: [part.cardinality] })
    }
  }
  return fields
}

export function keptRows(dropped: Uint8Array): Uint32Array | undefined {
  let count = 0
  for (const each of dropped) count += each
  if (count === 0) return undefined
  const kept = new Uint32Array(dropped.length - count)
  let at = 0
  dropped.forEach((each, row) => {
    if (each === 0) kept[at++] = row
  })
  return kept
}

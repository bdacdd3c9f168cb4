import { cpus, totalmem } from 'node:os'

import { z } from 'zod'

import { didYouMean, OptionError, MemoryError } from '../core/index.ts'
import { leastEngineMemory } from '../engines/index.ts'

/** A size in bytes: a number, or a string such as "800MB" or "1.5 GiB". KB, MB, GB are powers of 1000; KiB … of 1024. */
export function parseBytes(text: string): number {
  const match = /^\s*([\d.]+)\s*([kmgt]?)(i?)b?\s*$/i.exec(text)
  const value = match === null ? Number.NaN : Number(match[1])
  if (match === null || !Number.isFinite(value) || value <= 0) {
    throw new OptionError({
      operation: 'memory limit',
      expected: 'a size such as 800MB or 1.5GiB',
      received: `"${text}"`,
    })
  }
  const base = match[3] === '' ? 1000 : 1024
  return Math.floor(value * base ** ' kmgt'.indexOf(match[2] === '' ? ' ' : match[2]!.toLowerCase()))
}

export const roles = ['numeric', 'category', 'text', 'date', 'drop'] as const
export const presets = ['fast', 'default', 'best'] as const
export type Preset = (typeof presets)[number]

const count = z.number().int().positive()
const fraction = z.number().gt(0).lt(1)

/** Everything `train` takes besides signals and callbacks. The command's flags and a config file are this object. */
export const trainOptionsSchema = z.strictObject({
  /** Files, globs or a folder. */
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  /** Column to predict. Picture and text folders need none: their sub-folders are the classes. */
  target: z.string().optional(),
  /** Data to evaluate on instead of a held-back part of the input. */
  test: z.string().optional(),
  /** The bundle to write. Default: the input's name with .fathom, in the working folder. */
  output: z.string().optional(),
  /** Default: classification for few distinct values or text, regression for numbers. */
  task: z.enum(['classification', 'regression']).optional(),
  preset: z.enum(presets).default('default'),
  /** Architecture. Default by task: tabular → mlp, pictures → residual, text → bag. */
  model: z.enum(['mlp', 'residual', 'cnn', 'bag', 'attention']).optional(),
  /** Roles of columns where the inference is not what you want. */
  columns: z.record(z.string(), z.enum(roles)).default({}),
  /** Columns to leave out. */
  drop: z.array(z.string()).default([]),
  /** Held-back rows: at random (stratified by class), the latest by a time column, or whole groups. */
  split: z
    .union([z.literal('random'), z.strictObject({ time: z.string() }), z.strictObject({ group: z.string() })])
    .default('random'),
  testFraction: fraction.default(0.2),
  validationFraction: fraction.optional(),
  epochs: count.optional(),
  batchSize: count.optional(),
  learningRate: z.number().positive().optional(),
  /** Pictures are resized to this height and width. */
  imageSize: count.min(8).max(1024).optional(),
  /** Mirror pictures at random. Default: only where the classes do not depend on left and right, which Fathom cannot know: off for grey pictures, on for colour. */
  flip: z.boolean().optional(),
  augment: z.boolean().default(true),
  seed: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).default(0),
  threads: count.max(256).optional(),
  /** Bytes, or a string such as "1GB". */
  limitMemory: z.union([z.number().positive(), z.string()]).optional(),
  force: z.boolean().default(false),
  resume: z.boolean().default(false),
  /** Seconds between checkpoints while training. */
  checkpointSeconds: z.number().nonnegative().default(20),
  /** Where the data is prepared: `sc://host:15002` for Spark. Training is here: the data comes in batches. Default: in this process. */
  on: z.string().optional(),
  /** CSV rows that cannot be split into the columns: stop, leave out, or leave out and list. */
  /** JSON file of the promises that the data must keep, now and when predicting. */
  contract: z.string().optional(),
  onBadRows: z.enum(['error', 'skip', 'collect']).default('error'),
})
export type TrainOptions = z.input<typeof trainOptionsSchema>
export type ResolvedTrainOptions = Omit<z.output<typeof trainOptionsSchema>, 'limitMemory' | 'threads'> & {
  readonly threads: number
  /** Bytes for the whole process. */
  readonly limitMemory: number
}

/** What the engine takes of the memory that a whole process may have. */
const engineShare = 0.45

/** The engine's memory under a limit for the whole process. @throws MemoryError naming the least limit that works. */
export function engineMemory(limit: number): number {
  const memory = Math.floor(limit * engineShare)
  if (memory >= leastEngineMemory) return memory
  throw new MemoryError({
    operation: 'limit memory',
    expected: `at least ${Math.ceil(leastEngineMemory / engineShare / 1e6)} MB for the whole process`,
    received: `${Math.round(limit / 1e6)} MB`,
    hint: 'Raise --limit-memory',
  })
}

/** Checks options and fills in defaults. @throws OptionError naming the option, what it takes and what came. */
export function resolveTrainOptions(options: unknown): ResolvedTrainOptions {
  const result = trainOptionsSchema.safeParse(options)
  if (!result.success) throw optionError('train', result.error, Object.keys(trainOptionsSchema.shape))
  const { limitMemory, threads, ...rest } = result.data
  return {
    ...rest,
    threads: threads ?? Math.max(1, cpus().length),
    limitMemory:
      typeof limitMemory === 'string' ? parseBytes(limitMemory) : (limitMemory ?? Math.floor(totalmem() * 0.75)),
  }
}

/** The first problem zod found, as an error of ours. */
export function optionError(operation: string, error: z.ZodError, known: readonly string[]): OptionError {
  const issue = error.issues[0]!
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!
    return new OptionError({ operation, problem: `there is no option "${key}"`, hint: didYouMean(key, known) })
  }
  const path = issue.path.join('.')
  return new OptionError({ operation, problem: `option "${path}": ${issue.message.toLowerCase()}`, cause: error })
}

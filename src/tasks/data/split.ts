import { DataError } from '../../core/index.ts'
import { call, col, count, cumeDist, type Expr, rowNumber, type Table, when } from '../../table/index.ts'
import type { ResolvedTrainOptions } from '../options.ts'

/** Parts of the rows, as numbers in the column `partColumn`. */
export const parts = { train: 0, validation: 1, test: 2 } as const
export type Part = keyof typeof parts
export const partColumn = '__part'
export const rowColumn = '__row'

export interface SplitOptions {
  readonly target: string
  /** Keep the classes' shares in every part. */
  readonly stratify: boolean
  readonly by: ResolvedTrainOptions['split']
  readonly testFraction: number
  /** Of all rows. 0: none. */
  readonly validationFraction: number
  readonly seed: number
}

/** Tables up to this many rows are split to the row; larger ones by a hash, which needs no sorting. */
const exactRows = 500_000

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

/**
 * The rows that have a target, with their number (from 1, in the file's order) and their part, kept where the engine works. A
 * row's part depends on its number and the seed alone (or on its time or group), so that a resumed run splits alike.
 * @throws DataError when a part that was asked for would be empty.
 */
export async function splitTable(table: Table, options: SplitOptions): Promise<Table> {
  const { testFraction, validationFraction, target } = options
  const rows = await table.count()
  if (table.engine.localFiles !== 'read') {
    const split = await planned(table, options, rows <= exactRows).store()
    await checkParts(split, options)
    return split
  }
  const position = positionSql(options, rows <= exactRows)
  // Windows over all rows come out in another order; a hash of the number keeps the rows streaming in theirs.
  const order = position.includes(' over (') ? `order by ${rowColumn}` : ''
  const split = await table
    .sql(
      `select * exclude (__u), case when __u < $test then 2 when __u < $validation then 1 else 0 end as ${partColumn}
       from (select *, ${position} as __u from (select *, row_number() over () as ${rowColumn} from self) where ${quote(target)} is not null)
       ${order}`,
      {
        test: testFraction,
        validation: testFraction + validationFraction,
        ...(position.includes('$seed') ? { seed: options.seed } : {}),
      },
    )
    .store()
  await checkParts(split, options)
  return split
}

/**
 * The same in verbs, for engines of another SQL. Their hash is another, and so are the rows held back at random or by group;
 * by time they are the same.
 */
function planned(table: Table, options: SplitOptions, exact: boolean): Table {
  const { testFraction, validationFraction, target } = options
  const u = col('__u')
  return table
    .rowNumber(rowColumn)
    .filter(col(target).isNotNull())
    .withColumns({ __u: positionOf(options, exact) })
    .withColumns({
      [partColumn]: when(u.less(testFraction), parts.test)
        .when(u.less(testFraction + validationFraction), parts.validation)
        .otherwise(parts.train),
    })
    .drop('__u')
    .sort(rowColumn)
}

function positionOf({ by, stratify, target, seed }: SplitOptions, exact: boolean): Expr {
  const hash = (name: string): Expr => call('hash', col(name), seed)
  const share = (name: string): Expr => hash(name).divide(2 ** 63)
  if (by === 'random') {
    if (!exact) return share(rowColumn)
    const partitionBy = stratify ? [target] : []
    const place = rowNumber().over({ partitionBy, orderBy: hash(rowColumn) })
    return place.subtract(0.5).divide(count().over({ partitionBy }))
  }
  if ('group' in by) return share(by.group)
  const latest = cumeDist().over({ orderBy: col(by.time).ascending('first') })
  return latest.multiply(-1).add(1)
}

/** A number in [0, 1) for each row: the test part is below the test fraction, the validation part comes next. */
function positionSql({ by, stratify, target }: SplitOptions, exact: boolean): string {
  const hash = (value: string) => `hash(${value}, $seed)`
  if (by === 'random') {
    if (!exact) return `(${hash(rowColumn)} / 18446744073709551616.0)`
    const within = stratify ? `partition by ${quote(target)} ` : ''
    return `((row_number() over (${within}order by ${hash(rowColumn)}) - 0.5) / count(*) over (${within}))`
  }
  if ('group' in by) return `(${hash(quote(by.group))} / 18446744073709551616.0)`
  // The latest rows first; rows of the same moment stay together.
  return `(1 - cume_dist() over (order by ${quote(by.time)} nulls first))`
}

async function checkParts(
  split: Table,
  { target, testFraction, validationFraction, by, stratify }: SplitOptions,
): Promise<void> {
  const counts = await split.sql(`select ${partColumn} as part, count(*) as n from self group by 1`).toArray()
  const wanted: Part[] = ['train']
  if (testFraction > 0) wanted.push('test')
  if (validationFraction > 0) wanted.push('validation')
  for (const part of wanted) {
    if (counts.some((row) => Number(row['part']) === parts[part] && Number(row['n']) > 0)) continue
    const total = counts.reduce((sum, row) => sum + Number(row['n']), 0)
    if (stratify && by === 'random' && total > 100) {
      throw new DataError({
        operation: `target "${target}"`,
        expected: 'classes with several rows each',
        received: `hardly any value twice in ${total} rows`,
        hint: 'If the column identifies the rows, choose another target; if it is a quantity, ask for a regression',
      })
    }
    throw new DataError({
      operation: 'split',
      problem: `no row is left for the ${part} part${by === 'random' ? '' : ` when split by ${JSON.stringify(by)}`}`,
      hint: 'Bring more rows, another split, or a file of its own with --test',
    })
  }
}

export function partOf(split: Table, part: Part): Table {
  return split.filter(col(partColumn).equal(parts[part]))
}

export function describeSplit({ by, testFraction, stratify }: SplitOptions): string {
  const share = `${Math.round(testFraction * 100)} %`
  if (by === 'random') return `${share} held back at random${stratify ? ', stratified by class' : ''}`
  return 'time' in by
    ? `the latest ${share} by "${by.time}" held back`
    : `about ${share} held back in whole groups of "${by.group}"`
}

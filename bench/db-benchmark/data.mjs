// The tables of h2oai's db-benchmark (G1_1e7_1e2_0_0 and J1_1e7_NA_0_0) as Parquet files, made by DuckDB from hashed row numbers.
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** Every key of the joins' tables is in 1 … 1.1 n; each side lacks a tenth of the other's. */
export async function makeData(folder, rows) {
  mkdirSync(folder, { recursive: true })
  const k = 100
  const random = (n, salt) => `(1 + (hash(i, ${salt}) % ${n})::BIGINT)`
  const unit = (salt) => `((hash(i, ${salt}) >> 11) / 9007199254740992.0)`
  const small = Math.max(1, rows / 1e6)
  const medium = Math.max(1, rows / 1e3)
  const keys = (count, salt) => random(count, salt)
  const shifted = (count) => `(i + 1 + ${Math.round(count / 10)})`
  const tables = {
    x: `SELECT 'id' || lpad(${random(k, 1)}::VARCHAR, 3, '0') AS id1, 'id' || lpad(${random(k, 2)}::VARCHAR, 3, '0') AS id2,
        'id' || lpad(${random(rows / k, 3)}::VARCHAR, 10, '0') AS id3, ${random(k, 4)}::INTEGER AS id4, ${random(k, 5)}::INTEGER AS id5,
        ${random(rows / k, 6)}::INTEGER AS id6, ${random(5, 7)}::INTEGER AS v1, ${random(15, 8)}::INTEGER AS v2,
        round(100 * ${unit(9)}, 6) AS v3 FROM range(${rows}) t(i)`,
    left: `SELECT id1, id2, id3, 'id' || id1 AS id4, 'id' || id2 AS id5, 'id' || id3 AS id6, v1 FROM (
        SELECT ${keys(small, 11)}::INTEGER AS id1, ${keys(medium, 12)}::INTEGER AS id2, ${keys(rows, 13)}::INTEGER AS id3,
        round(100 * ${unit(14)}, 6) AS v1 FROM range(${rows}) t(i))`,
    small: `SELECT ${shifted(small)}::INTEGER AS id1, 'id' || ${shifted(small)} AS id4, round(100 * ${unit(21)}, 6) AS v2 FROM range(${small}) t(i)`,
    medium: `SELECT (1 + ${shifted(medium)} % ${small})::INTEGER AS id1, ${shifted(medium)}::INTEGER AS id2,
        'id' || (1 + ${shifted(medium)} % ${small}) AS id4, 'id' || ${shifted(medium)} AS id5, round(100 * ${unit(31)}, 6) AS v2 FROM range(${medium}) t(i)`,
    big: `SELECT (1 + id3 % ${small})::INTEGER AS id1, (1 + id3 % ${medium})::INTEGER AS id2, id3::INTEGER AS id3,
        'id' || (1 + id3 % ${small}) AS id4, 'id' || (1 + id3 % ${medium}) AS id5, 'id' || id3 AS id6, v2 FROM (
        SELECT ${shifted(rows)} AS id3, round(100 * ${unit(41)}, 6) AS v2 FROM range(${rows}) t(i) ORDER BY hash(i, 42))`,
  }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const [name, sql] of Object.entries(tables)) {
    const path = join(folder, `${name}.parquet`)
    if (existsSync(path)) continue
    await connection.run(`COPY (${sql}) TO '${path}.part' (FORMAT parquet)`)
    renameSync(`${path}.part`, path)
  }
  instance.closeSync()
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FileError, OptionError } from '../../src/core/index.ts'
import { connect, type Session, SparkError } from '../../src/spark-connect/index.ts'
import { describeSpark } from '../harness/spark.ts'

describeSpark('artifacts', (address) => {
  let spark: Session
  const folder = mkdtempSync(join(tmpdir(), 'fathom-artifacts-'))
  beforeAll(async () => {
    spark = await connect(address())
  })
  afterAll(async () => {
    await spark?.release()
    rmSync(folder, { recursive: true, force: true })
  })

  test('blobs are kept by their content and sent once', async () => {
    const large = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 31) % 251)
    const [a, b, c] = await spark.artifacts.cache([Uint8Array.of(1, 2, 3), large, new Uint8Array()])
    expect(a).toBe('039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81')
    const names = [`cache/${a}`, `cache/${b}`, `cache/${c}`]
    expect(await spark.artifacts.exist([...names, 'cache/nothing'])).toEqual(new Set(names))
    expect(await spark.artifacts.cache([large])).toEqual([b])
  })

  test('files of any size arrive whole, byte by byte', async () => {
    for (const size of [0, 1, 256 * 1024, 256 * 1024 + 1, 1_500_000]) {
      const source = join(folder, `source-${size}`)
      const target = join(folder, `target-${size}`)
      const bytes = Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * 7) % 253))
      writeFileSync(source, bytes)
      await spark.artifacts.copyToServer(source, target)
      expect(readFileSync(target).equals(bytes)).toBe(true)
    }
  })

  test("executors see a session's files", async () => {
    writeFileSync(join(folder, 'greeting.txt'), 'hello from here')
    await spark.artifacts.add({ path: join(folder, 'greeting.txt') })
    await spark.artifacts.add(new TextEncoder().encode('second'), { name: 'second.txt' })
    const id = spark.connection.serverSessionId
    const rows = await spark
      .sql(`select transform(x) using 'cat ./${id}/greeting.txt' as (line string) from values (1) t(x)`)
      .toArray()
    expect(rows).toEqual([{ line: 'hello from here' }])
  })

  test('what cannot be sent is refused with its reason', async () => {
    await expect(spark.artifacts.add({ path: join(folder, 'none') })).rejects.toThrow(FileError)
    await expect(spark.artifacts.add({ path: folder })).rejects.toThrow(/expected a file/)
    await expect(spark.artifacts.add(Uint8Array.of(1))).rejects.toThrow(OptionError)
    await expect(spark.artifacts.add(Uint8Array.of(1), { name: '../x' })).rejects.toThrow(OptionError)
    await expect(spark.artifacts.add(Uint8Array.of(1), { name: 'second.txt' })).rejects.toThrow(SparkError)
  })
})

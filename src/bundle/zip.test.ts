import { describe, expect, test } from 'vitest'
import { centralDirectory, directoryStart, localHeader, parseDirectory } from './zip.ts'

const small = { name: 'model.json', size: 120, crc: 0xfedcba98, offset: 0 }

describe('contents are aligned to 64 bytes', () => {
  test.each([0, 1, 63, 64, 12_345, 2 ** 32 - 1, 2 ** 40 + 7])('after offset %i', (offset) => {
    expect((offset + localHeader({ ...small, offset }).length) % 64).toBe(0)
  })
})

test('a header is as long whatever the checksum', () => {
  expect(localHeader({ ...small, crc: 0 }).length).toBe(localHeader(small).length)
})

describe('the directory gives the entries back', () => {
  const cases = {
    'small files': [small, { ...small, name: 'b', offset: 4096 }],
    'a file of more than 4 GiB': [small, { name: 'weights.safetensors', size: 5 * 2 ** 32 + 3, crc: 1, offset: 192 }],
    'a file after 4 GiB': [small, { ...small, name: 'report.html', offset: 3 * 2 ** 32 + 64 }],
    'a file of exactly the limit': [{ ...small, size: 2 ** 32 - 1 }],
    'more than 65,535 files': Array.from({ length: 65_536 }, (_, i) => ({ ...small, name: `f${i}`, offset: i * 64 })),
  }
  test.each(Object.entries(cases))('%s', (_name, entries) => {
    const start = entries.at(-1)!.offset + 1000
    const bytes = centralDirectory(entries, start)
    expect(directoryStart(bytes)).toBe(start)
    expect(parseDirectory(bytes)).toEqual(entries)
  })
})

test('what is not a directory has no start', () => {
  expect(directoryStart(new Uint8Array(10))).toBeUndefined()
  expect(directoryStart(new Uint8Array(200))).toBeUndefined()
})

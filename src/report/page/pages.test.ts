import { describe, expect, test } from 'vitest'
import { contract, expect as promise, fromRows } from '../../table/index.ts'
import { renderContractReport, renderProfile } from '../index.ts'

const evil = '</td><script>alert(1)</script>'
const table = fromRows(
  Array.from({ length: 120 }, (_, i) => ({
    [evil]: `${evil}${i % 3}`,
    x: i,
    y: i % 17 === 0 ? null : Math.sqrt(i),
    z: ((i * 37) % 101) / 7,
  })),
)
const generated = '2026-01-02T03:04:00.000Z'

function isSafe(page: string): void {
  expect(page).not.toContain('<script>alert')
  expect(page).not.toMatch(/undefined|NaN|\[object/)
  expect(page).not.toMatch(/(?:src|href)="https?:/)
}

describe('a profile’s page', () => {
  test('shows columns, what goes together, outliers and drift', async () => {
    const profile = await table.profile({
      target: 'y',
      compare: table.filter((await import('../../table/index.ts')).col('x').less(60)),
    })
    const page = renderProfile(profile, { title: `my ${evil}`, generated })
    isSafe(page)
    for (const id of ['columns', 'target', 'relations', 'drift']) expect(page).toContain(`<section id="${id}"`)
    expect(page).toContain('120 rows of 4')
    expect(page).toContain('Spearman’s correlation')
    expect(page.match(/<svg/g)!.length).toBeGreaterThan(6)
  })
})

describe('a contract’s page', () => {
  test('puts what is broken first, with rows', async () => {
    const report = await table.check(
      contract(`sales ${evil}`, [
        promise.column('x').min(2).because(evil),
        promise.column(evil).oneOf(['a']).warn(),
        promise.rows({ min: 1 }),
      ]),
    )
    const page = renderContractReport(report, { inputs: ['sales.csv'], generated })
    isSafe(page)
    expect(page).toContain('not in 2 of 120 rows (1.67 %)')
    expect(page).toContain('row 1: x = 0')
    expect(page.indexOf('id="errors"')).toBeLessThan(page.indexOf('id="kept"'))
    expect(page).toMatch(/<strong class="bad">Broken<\/strong>/)
  })
})

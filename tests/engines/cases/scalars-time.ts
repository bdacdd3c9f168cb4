import { call, intervalText, parseDuration } from '../../../src/plan/index.ts'
import { scalarCases } from '../suite.ts'

const leap = '2024-02-29 23:59:58.123456'
const before = '1969-12-31 00:00:01'

/** Dates and times, UTC; weeks and days of the week by ISO 8601. */
export const time = {
  year: scalarCases('year', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      [leap, 2024],
      [before, 1969],
      [null, null],
    ],
  }),
  month: scalarCases('month', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      [leap, 2],
      [null, null],
    ],
  }),
  day: scalarCases('day', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2024-02-29', 29],
      [null, null],
    ],
  }),
  hour: scalarCases('hour', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      [leap, 23],
      [null, null],
    ],
  }),
  minute: scalarCases('minute', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      [leap, 59],
      [null, null],
    ],
  }),
  second: scalarCases('second', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      [leap, 58],
      [before, 1],
      [null, null],
    ],
  }),
  dayOfWeek: scalarCases('dayOfWeek', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2024-02-26', 1],
      ['2024-03-03', 7],
      [null, null],
    ],
  }),
  dayOfYear: scalarCases('dayOfYear', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2024-12-31', 366],
      ['2023-01-01', 1],
      [null, null],
    ],
  }),
  week: scalarCases('week', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2021-01-03', 53],
      ['2021-01-04', 1],
      ['2024-12-30', 1],
      [null, null],
    ],
  }),
  quarter: scalarCases('quarter', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2024-04-01', 2],
      [null, null],
    ],
  }),
  epoch: scalarCases('epoch', {
    types: ['timestamp'],
    result: 'float64',
    rows: [
      [leap, 1709251198.123456],
      ['1970-01-01', 0],
      [before, -86399],
      [null, null],
    ],
  }),
  truncateDate: scalarCases(
    'truncateDate',
    ...(
      [
        ['year', '2024-01-01T00:00:00'],
        ['quarter', '2024-01-01T00:00:00'],
        ['month', '2024-02-01T00:00:00'],
        ['week', '2024-02-26T00:00:00'],
        ['day', '2024-02-29T00:00:00'],
        ['hour', '2024-02-29T23:00:00'],
        ['minute', '2024-02-29T23:59:00'],
      ] as const
    ).map(([part, result]) => ({
      types: ['timestamp'] as const,
      result: 'timestamp' as const,
      of: (a: Parameters<typeof call>[1]) => call('truncateDate', part, a),
      rows: [
        [leap, result],
        [null, null],
      ],
    })),
  ),
  timeBucket: scalarCases(
    'timeBucket',
    ...(
      [
        ['15 minutes', '2024-02-29T23:45:00'],
        ['6 hours', '2024-02-29T18:00:00'],
        ['1 day', '2024-02-29T00:00:00'],
        ['1 week', '2024-02-26T00:00:00'],
        ['2 months', '2024-01-01T00:00:00'],
        ['1 year', '2024-01-01T00:00:00'],
      ] as const
    ).map(([every, result]) => ({
      types: ['timestamp'] as const,
      result: 'timestamp' as const,
      of: (a: Parameters<typeof call>[1]) => call('timeBucket', intervalText(parseDuration('every', every)), a),
      rows: [
        [leap, result],
        [null, null],
      ],
    })),
  ),
  timeRange: scalarCases('timeRange', {
    types: ['timestamp', 'timestamp'],
    result: 'nested',
    of: (a, b) => call('timeRange', a, b, intervalText(parseDuration('every', '1 month'))),
    rows: [
      ['2024-01-31T00:00:00', '2024-03-01T00:00:00', ['2024-01-31T00:00:00', '2024-02-29T00:00:00']],
      ['2024-02-01T00:00:00', '2024-01-01T00:00:00', []],
    ],
  }),
  parseDate: scalarCases(
    'parseDate',
    {
      types: ['string'],
      result: 'timestamp',
      of: (a) => a.parseDate('%d.%m.%Y %H:%M'),
      rows: [
        ['29.02.2024 13:05', '2024-02-29T13:05:00'],
        ['29.02.2023 13:05', null],
        ['x', null],
        [null, null],
      ],
    },
    {
      types: ['string'],
      result: 'timestamp',
      of: (a) => a.parseDate('%Y-%m-%d'),
      rows: [['2024-02-29', '2024-02-29T00:00:00']],
    },
  ),
  formatDate: scalarCases('formatDate', {
    types: ['timestamp'],
    result: 'string',
    of: (a) => a.formatDate('%Y/%m/%d %H-%M-%S'),
    rows: [
      [leap, '2024/02/29 23-59-58'],
      [null, null],
    ],
  }),
  hash: scalarCases('hash', {
    types: ['string', 'string'],
    result: 'boolean',
    of: (a, b) => call('hash', a).equal(call('hash', b)),
    rows: [
      ['a', 'a', true],
      ['a', 'b', false],
      ['', 'a', false],
    ],
  }),
}

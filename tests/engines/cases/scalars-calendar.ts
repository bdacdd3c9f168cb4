import { FathomError } from '../../../src/core/index.ts'
import { call, lit, type TimeUnit } from '../../../src/plan/index.ts'
import { scalarCases } from '../suite.ts'

const add = (unit: TimeUnit, rows: readonly (readonly unknown[])[]) => ({
  types: ['timestamp', 'int32'] as const,
  result: 'timestamp' as const,
  of: (a: Parameters<typeof call>[1], b: Parameters<typeof call>[1]) => call('addDuration', a, b, unit),
  rows,
})
const diff = (unit: TimeUnit, rows: readonly (readonly unknown[])[]) => ({
  types: ['timestamp', 'timestamp'] as const,
  result: 'int64' as const,
  of: (a: Parameters<typeof call>[1], b: Parameters<typeof call>[1]) => call('timestampDiff', unit, a, b),
  rows,
})

/** Parts, arithmetic and zones; zones are checked with Python's zoneinfo (fold = 0). */
export const calendar = {
  isoYear: scalarCases('isoYear', {
    types: ['date'],
    result: 'int64',
    rows: [
      ['2024-12-30', 2025],
      ['2021-01-03', 2020],
      [null, null],
    ],
  }),
  microsecond: scalarCases('microsecond', {
    types: ['timestamp'],
    result: 'int64',
    rows: [
      ['2024-01-01 00:00:05.000007', 7],
      ['1969-12-31 23:59:59.999999', 999999],
      [null, null],
    ],
  }),
  dayName: scalarCases('dayName', {
    types: ['date'],
    result: 'string',
    rows: [
      ['2024-02-29', 'Thursday'],
      [null, null],
    ],
  }),
  monthName: scalarCases('monthName', {
    types: ['date'],
    result: 'string',
    rows: [
      ['2024-02-29', 'February'],
      [null, null],
    ],
  }),
  lastDay: scalarCases('lastDay', {
    types: ['timestamp'],
    result: 'date',
    rows: [
      ['2024-02-03 10:00:00', '2024-02-29'],
      ['2023-12-31', '2023-12-31'],
      [null, null],
    ],
  }),
  fromEpoch: scalarCases('fromEpoch', {
    types: ['float64'],
    result: 'timestamp',
    rows: [
      [0, '1970-01-01T00:00:00'],
      [1709251198.123456, '2024-02-29T23:59:58.123456'],
      [-0.5, '1969-12-31T23:59:59.500000'],
      [null, null],
    ],
  }),
  makeDate: scalarCases(
    'makeDate',
    {
      types: ['int32', 'int32', 'int32'],
      result: 'date',
      rows: [
        [2024, 2, 29, '2024-02-29'],
        [1, 1, 1, '0001-01-01'],
        [2024, null, 1, null],
      ],
    },
    { types: ['int32', 'int32', 'int32'], row: [2023, 2, 29], error: FathomError },
  ),
  makeTimestamp: scalarCases('makeTimestamp', {
    types: ['int32', 'int32', 'int32', 'int32', 'int32', 'float64'],
    result: 'timestamp',
    rows: [
      [2024, 2, 29, 23, 59, 58.5, '2024-02-29T23:59:58.500000'],
      [2024, 2, 29, null, 0, 0, null],
    ],
  }),
  currentDate: scalarCases('currentDate', {
    types: ['int32'],
    result: 'boolean',
    of: () =>
      call('currentDate')
        .cast('timestamp')
        .lessEqual(call('currentTimestamp'))
        .and(call('year', call('currentDate')).greater(2024)),
    rows: [[1, true]],
  }),
  currentTimestamp: scalarCases('currentTimestamp', {
    types: ['int32'],
    result: 'boolean',
    // Within a day of this machine's clock.
    of: () =>
      call('epoch', call('currentTimestamp'))
        .subtract(lit(Date.now() / 1000))
        .abs()
        .less(86400),
    rows: [[1, true]],
  }),
  addDays: scalarCases('addDays', {
    types: ['date', 'int32'],
    result: 'date',
    rows: [
      ['2024-02-28', 2, '2024-03-01'],
      ['2024-01-01', -1, '2023-12-31'],
      [null, 1, null],
      ['2024-01-01', null, null],
    ],
  }),
  addMonths: scalarCases('addMonths', {
    types: ['date', 'int32'],
    result: 'date',
    rows: [
      ['2024-01-31', 1, '2024-02-29'],
      ['2024-02-29', 12, '2025-02-28'],
      ['2024-03-31', -1, '2024-02-29'],
      ['2023-02-28', 1, '2023-03-28'],
      [null, 1, null],
    ],
  }),
  addDuration: scalarCases(
    'addDuration',
    add('year', [
      ['2024-02-29 12:00:00', 1, '2025-02-28T12:00:00'],
      [null, 1, null],
      ['2024-01-01', null, null],
    ]),
    add('quarter', [['2024-01-31', 1, '2024-04-30T00:00:00']]),
    add('month', [['2024-01-31 01:02:03', 1, '2024-02-29T01:02:03']]),
    add('week', [['2024-02-28', 1, '2024-03-06T00:00:00']]),
    add('day', [['2024-02-28 23:00:00', -1, '2024-02-27T23:00:00']]),
    add('hour', [['2024-02-28 23:00:00', 25, '2024-03-01T00:00:00']]),
    add('minute', [['2024-01-01', -1, '2023-12-31T23:59:00']]),
    add('second', [['2024-01-01', 100000, '2024-01-02T03:46:40']]),
    add('millisecond', [['2024-01-01', 1, '2024-01-01T00:00:00.001000']]),
    add('microsecond', [['2024-01-01', -1, '2023-12-31T23:59:59.999999']]),
  ),
  timestampDiff: scalarCases(
    'timestampDiff',
    diff('year', [
      ['2020-02-29', '2024-02-28', 3],
      ['2020-02-29', '2024-02-29', 4],
      [null, '2024-01-01', null],
    ]),
    diff('quarter', [['2024-01-01', '2024-06-30', 1]]),
    diff('month', [
      ['2024-01-31', '2024-02-29', 1],
      ['2024-01-15', '2024-02-14', 0],
      ['2024-02-29', '2024-01-31', -1],
      ['2024-01-15 12:00:00', '2024-02-15 11:00:00', 0],
    ]),
    diff('week', [['2024-01-01', '2024-01-14', 1]]),
    diff('day', [
      ['2024-01-01 13:00:00', '2024-01-02 12:00:00', 0],
      ['2024-01-02 12:00:00', '2024-01-01 13:00:00', 0],
      ['2024-01-01', '2024-03-01', 60],
    ]),
    diff('hour', [['2024-01-01', '2024-01-02 01:30:00', 25]]),
    diff('minute', [['2024-01-01', '2024-01-01 00:01:59', 1]]),
    diff('second', [['1969-12-31 23:59:59', '1970-01-01 00:00:01', 2]]),
    diff('millisecond', [['2024-01-01', '2024-01-01 00:00:00.0019', 1]]),
    diff('microsecond', [['2024-01-01', '2024-01-01 00:00:00.000001', 1]]),
  ),
  dateDiff: scalarCases('dateDiff', {
    types: ['date', 'date'],
    result: 'int64',
    rows: [
      ['2024-03-01', '2024-02-28', 2],
      ['2023-12-31', '2024-01-01', -1],
      [null, '2024-01-01', null],
    ],
  }),
  toUtc: scalarCases('toUtc', {
    types: ['timestamp', 'string'],
    result: 'timestamp',
    rows: [
      // An hour left out, and hours that come twice.
      ['2024-03-10 02:30:00', 'America/New_York', '2024-03-10T07:30:00'],
      ['2024-11-03 01:30:00', 'America/New_York', '2024-11-03T05:30:00'],
      ['2024-11-03 02:00:00', 'America/New_York', '2024-11-03T07:00:00'],
      ['2024-04-07 01:45:00', 'Australia/Lord_Howe', '2024-04-06T14:45:00'],
      ['2024-07-01 12:00:00', 'Asia/Kolkata', '2024-07-01T06:30:00'],
      ['1960-06-01 00:00:00', 'Europe/Moscow', '1960-05-31T21:00:00'],
      [null, 'UTC', null],
    ],
  }),
  fromUtc: scalarCases('fromUtc', {
    types: ['timestamp', 'string'],
    result: 'timestamp',
    rows: [
      ['2024-03-10 07:00:00', 'America/New_York', '2024-03-10T03:00:00'],
      ['2024-11-03 05:30:00', 'America/New_York', '2024-11-03T01:30:00'],
      ['2024-11-03 06:30:00', 'America/New_York', '2024-11-03T01:30:00'],
      ['2024-01-01 00:00:00', 'Pacific/Apia', '2024-01-01T13:00:00'],
      [null, 'UTC', null],
    ],
  }),
}

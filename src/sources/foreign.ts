import { DataError } from '../core/index.ts'

interface Foreign {
  readonly name: string
  readonly hint: string
}

const again = (what: string): string => `Write it as Parquet, Arrow or CSV, with ${what}`

/** First bytes of formats that are common where tables lie about, and what to do with each. */
const binaries: readonly (readonly [start: string, Foreign])[] = [
  ['PARE', { name: 'an encrypted Parquet file', hint: 'Decrypt it with what wrote it: keys are not taken here' }],
  ['Obj\x01', { name: 'an Avro file', hint: again('Spark, or fastavro and pandas') }],
  ['ORC', { name: 'an ORC file', hint: again('Spark or pyarrow.orc') }],
  ['SQLite format 3\0', { name: 'an SQLite database', hint: 'Read a table of it with SQL through its source, or export it as CSV' }],
  ['\x89HDF\r\n', { name: 'an HDF5 file', hint: again('pandas.read_hdf') }],
  ['\xd0\xcf\x11\xe0', { name: 'an old Excel or Office file', hint: 'Save the sheet as CSV' }],
  ['PK\x03\x04', { name: 'a zip archive (perhaps an Excel sheet)', hint: 'Unpack it, or save the sheet as CSV' }],
  ['PK\x05\x06', { name: 'an empty zip archive', hint: 'Unpack what it should hold, and name that' }],
  ['\x93NUMPY', { name: 'a NumPy array', hint: again('pandas.DataFrame(numpy.load(…))') }],
  ['RDX', { name: "an R data file", hint: again('arrow::write_parquet in R') }],
  ['BZh', { name: 'a bzip2 archive', hint: 'Unpack it; gzip and zstd are read as they are' }],
  ['\xfd7zXZ', { name: 'an xz archive', hint: 'Unpack it; gzip and zstd are read as they are' }],
  ['7z\xbc\xaf', { name: 'a 7-Zip archive', hint: 'Unpack it; gzip and zstd are read as they are' }],
  ['%PDF', { name: 'a PDF document', hint: 'Take the table out of it first' }],
  ['\x7fELF', { name: 'a program', hint: 'Check the path' }],
] // prettier-ignore

const texts: readonly (readonly [start: RegExp, Foreign])[] = [
  [
    /^\s*<(?:!doctype\s+html|html[\s>])/i,
    { name: 'an HTML page', hint: 'The download may have given an error page: look at it in a browser' },
  ],
  [/^\s*<\?xml\b/, { name: 'an XML document', hint: 'Turn its records into NDJSON or CSV first' }],
  [
    /^(?:\s*(?:%[^\n]*)?\n)*\s*@relation\s/i,
    {
      name: 'an ARFF file (Weka)',
      hint: 'Write it as CSV, with scipy.io.arff and pandas, or take the lines after @data',
    },
  ],
  [/^PAR1|PAR1$/, { name: 'a piece of a Parquet file', hint: 'Fetch the file again' }],
]

/** @throws DataError that says what a file is whose bytes are not text. */
export function foreignBinary(path: string, start: Uint8Array): void {
  const text = Buffer.from(start.subarray(0, 600)).toString('latin1')
  const isTar = text.slice(257, 262) === 'ustar'
  const found = isTar
    ? { name: 'a tar archive', hint: 'Unpack it, and name the folder' }
    : binaries.find(([first]) => text.startsWith(first))?.[1]
  if (found !== undefined) throw foreign(path, found)
}

/** @throws DataError that says what a text is that is no table. */
export function foreignText(path: string, sample: string): void {
  const found = texts.find(([pattern]) => pattern.test(sample.slice(0, 20_000)))?.[1]
  if (found !== undefined) throw foreign(path, found)
}

function foreign(path: string, { name, hint }: Foreign): DataError {
  return new DataError({
    operation: `read ${path}`,
    expected: 'CSV, TSV, NDJSON, JSON, Parquet, Arrow or lines of text',
    received: name,
    hint,
  })
}

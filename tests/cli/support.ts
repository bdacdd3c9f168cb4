import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
export const examples = join(root, 'examples/data')
/** Real data that is not part of the project. */
export const shared = resolve(root, '../shared/data')
export const lacks = (path: string): boolean => !existsSync(join(shared, path))

const binary = join(root, 'bin/fathom.mjs')

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  /** Called once the process runs: to send signals. */
  readonly started?: (child: ChildProcess, stderr: () => string) => void
}

/** The command as users run it, in a process of its own. */
export function fathom(args: readonly string[], { cwd, stdin, env = {}, started }: RunOptions): Promise<Outcome> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [binary, ...args], {
      cwd,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.on('error', failed)
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr }))
    if (stdin !== undefined) child.stdin!.end(stdin)
    started?.(child, () => stderr)
  })
}

/** A folder that is gone when the file's tests are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-test-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What `--json` printed: exactly one line with one object. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what the command prints
export function jsonOf<T = Record<string, unknown>>({ stdout, stderr, code }: Outcome): T {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (lines.length !== 1) throw new Error(`${lines.length} lines on stdout, exit ${code}:\n${stdout}\n${stderr}`)
  return JSON.parse(lines[0]!) as T
}

export interface TrainJson {
  readonly task: string
  readonly metrics: Readonly<Record<string, number>>
  readonly rows: number
  readonly parts: { readonly train: number; readonly validation: number; readonly test: number }
  readonly epochs: number
  readonly seconds: number
  readonly bundle: string
}

/** Every `step`-th row of a file with a header: small, and still of every class. */
export function someRows(path: string, step: number, offset = 0): string {
  const [header, ...rows] = readFileSync(path, 'utf8').trimEnd().split(/\r?\n/)
  return [header, ...rows.filter((_, i) => i % step === offset)].join('\n') + '\n'
}

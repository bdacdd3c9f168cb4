import { host } from '../core/index.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folders: Set<string> | undefined

/** A new folder in the system's place for such, gone at the latest when the process exits. */
export function temporaryFolder(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `fathom-${host}-${process.pid}-`))
  if (folders === undefined) {
    const all = new Set<string>()
    folders = all
    process.once('exit', () => {
      for (const folder of all) rmSync(folder, { recursive: true, force: true })
    })
  }
  folders.add(path)
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true })
      folders?.delete(path)
    },
  }
}

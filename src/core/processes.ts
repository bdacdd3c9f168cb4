import { createHash } from 'node:crypto'
import { hostname } from 'node:os'

/** Tells this machine from others in the names of temporary files, where a folder may be shared by several. */
export const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

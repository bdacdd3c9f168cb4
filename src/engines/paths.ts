import { resolve } from 'node:path'

/** Whether a path names storage that a cluster reads (`hdfs://…`, `s3a://…`, `file:///…`), not a file of this machine. */
export function isClusterPath(path: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\//i.test(path)
}

/** A path as Hadoop's file systems take it. A plain one is a file of this machine, which is the cluster's too. */
export function hadoopPath(path: string): string {
  if (isClusterPath(path)) return path
  return `file://${resolve(path).replace(/[\\{}[\]*?]/g, '\\$&')}`
}

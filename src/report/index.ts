export * from './data.ts'
export * from './evaluation.ts'

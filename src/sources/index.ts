export { readArrowBytes } from './arrow.ts'
export * from './detect.ts'
export { decodeDocument, readImageFolder, readTextFolder } from './documents.ts'
export { type Encoding, encodings } from './encoding.ts'
export { expand, filesUnder, formatExtension } from './files.ts'
export {
  type ClassFolder,
  imageExtensions,
  isImageName,
  type LabeledFile,
  listImages,
  listTexts,
  type Split,
  splits,
} from './folders.ts'
export * from './idx.ts'
export * from './open.ts'
export * from './options.ts'
export * from './report.ts'
export { handOver, moved } from './remote.ts'

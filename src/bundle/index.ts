export { type BundleKind, type Manifest, type ManifestEntry, bundleKinds, formatVersion } from './manifest.ts'
export { type OutputOptions, fileError, removeLeftovers, writeFileAtomically, writeFolderAtomically } from './output.ts'
export { type Bundle, type ReadBundleOptions, readBundle, readManifest } from './read.ts'
export {
  type EncodedSafetensors,
  type Tensors,
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from './safetensors.ts'
export type { SequentialReader } from './stream.ts'
export { type BundleContents, type WriteBundleOptions, writeBundle } from './write.ts'

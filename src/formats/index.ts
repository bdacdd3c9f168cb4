export { type OnnxOptions, encodeOnnx, exportOnnx } from './onnx/export.ts'
export { exportSafetensors } from './safetensors.ts'

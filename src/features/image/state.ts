import { z } from 'zod'

export const imageState = z.object({
  kind: z.literal('image'),
  column: z.string(),
  field: z.string(),
  height: z.number().int().min(1).max(4096),
  width: z.number().int().min(1).max(4096),
  channels: z.union([z.literal(1), z.literal(3)]),
  resize: z.enum(['cover', 'contain', 'fill']),
  maxPixels: z.number(),
  /** Of each channel over the training sample, in units of 0 … 255: what a model's first layer normalises by. */
  mean: z.array(z.number()),
  std: z.array(z.number()),
})
export type ImageState = z.infer<typeof imageState>

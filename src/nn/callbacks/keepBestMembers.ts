import { Tensor, sizeOf } from '../../core/index.ts'
import type { Callback, FitContext } from '../training/contracts.ts'

export interface KeepBestMembersOptions {
  /** Members of an ensemble that are judged together: disjoint, in the order of `score`'s numbers. */
  readonly groups: readonly (readonly number[])[]
  /** The number of members: the first size of the weights that belong to them. */
  readonly members: number
  /** A number for each group, lower being better: its loss on the examples that it was not trained on, say. */
  readonly score: (context: FitContext) => Promise<readonly number[]>
  /** Epochs between judgements; the last epoch is always judged. Default: 1. */
  readonly every?: number
}

/** Ends the fit with each group of members at its own best epoch. Weights that no member owns stay as they end. */
export function keepBestMembers({ groups, members, score, every = 1 }: KeepBestMembersOptions): Callback {
  let scores: number[] = []
  let best: Record<string, Tensor> = {}
  let restored = false
  return {
    name: 'keepBestMembers',
    onTrainBegin: () => {
      if (!restored) {
        scores = groups.map(() => Number.POSITIVE_INFINITY)
        best = {}
      }
      restored = false
    },
    async onEpochEnd(epoch, _, context) {
      if ((epoch + 1) % every !== 0 && epoch + 1 < context.epochs) return
      const found = await score(context)
      const better = groups.filter((_, i) => found[i]! < scores[i]!)
      if (better.length === 0) return
      scores = scores.map((known, i) => Math.min(known, found[i] ?? known))
      const now = context.getWeights()
      for (const [path, weight] of Object.entries(now)) {
        if (weight.shape[0] !== members || weight.shape.length < 2) continue
        const kept = (best[path] ??= weight)
        for (const member of better.flat()) copyMember(weight, kept, member)
      }
    },
    onTrainEnd(context) {
      if (Object.keys(best).length > 0) context.setWeights({ ...context.getWeights(), ...best })
    },
    capture: () => ({ json: scores.map((value) => (Number.isFinite(value) ? value : null)), tensors: best }),
    restore({ json, tensors }) {
      scores = (json as readonly (number | null)[]).map((value) => value ?? Number.POSITIVE_INFINITY)
      best = Object.fromEntries(
        Object.entries(tensors).map(([path, { dtype, shape, data }]) => [path, new Tensor(dtype, shape, data.slice())]),
      )
      restored = true
    },
  }
}

function copyMember(from: Tensor, to: Tensor, member: number): void {
  if (from === to) return
  const size = sizeOf(from.shape.slice(1))
  const begin = member * size
  ;(to.data as Float32Array).set((from.data as Float32Array).subarray(begin, begin + size), begin)
}

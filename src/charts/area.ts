import type { ChartFrame } from './draw.ts'
import { type LineData, lineChart } from './line.ts'

/** Lines with the area to zero filled: amounts. */
export function areaChart(data: LineData, frame: ChartFrame): string {
  return lineChart({ ...data, fill: true }, frame)
}

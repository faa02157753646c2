import { bounded } from './bounded.ts'
import { disruption, imbalance } from './hashing.ts'
import { loadRamp } from './load-ramp.ts'
import type { Scenario } from './scenario.ts'
import { slowServer } from './slow-server.ts'
import { supermarket } from './supermarket.ts'

/** In the order in which they run. */
export const scenarios: readonly Scenario[] = [
  supermarket,
  slowServer,
  loadRamp,
  disruption,
  imbalance,
  bounded,
]

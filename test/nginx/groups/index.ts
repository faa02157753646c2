import type { Group } from '../comparison.ts'
import { access } from './access.ts'
import { asSent } from './as-sent.ts'
import { balancing } from './balancing.ts'
import { clientTls } from './client-tls.ts'
import { errors } from './errors.ts'
import { externalAuth } from './external-auth.ts'
import { fields } from './fields.ts'
import { grpc } from './grpc.ts'
import { limits } from './limits.ts'
import { logGroups } from './logs.ts'
import { mirrors } from './mirrors.ts'
import { optionGroups } from './options.ts'
import { passing } from './passing.ts'
import { redirects } from './redirects.ts'
import { routing } from './routing.ts'
import { snippets } from './snippets.ts'
import { upstreamTls } from './upstream-tls.ts'
import { variablesGroup } from './variables.ts'

/** All comparisons; each group has an nginx and a Headgate of its own. */
export const groups: readonly Group[] = [
  routing,
  redirects,
  access,
  externalAuth,
  fields,
  passing,
  limits,
  clientTls,
  upstreamTls,
  grpc,
  errors,
  mirrors,
  balancing,
  snippets,
  ...optionGroups,
  ...logGroups,
  asSent,
  variablesGroup,
]

export const comparisons = groups.flatMap((group) => group.comparisons)

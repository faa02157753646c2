import { localCluster, tupleKey } from '#src/table/keys.ts'
import type { Service } from '#src/snapshot/objects.ts'
import type { Target } from './services/backends.ts'

/**
 * The target for a host that an annotation names, such as that of external authentication: as a
 * Service of type ExternalName would be, but shared by all who name it.
 */
export function externalTarget(host: string, port: number): Target {
  const service: Service = {
    kind: 'Service',
    file: '',
    metadata: {
      namespace: '',
      name: host,
      uid: '',
      createdMs: 0,
      labels: {},
      annotations: {},
    } as Service['metadata'],
    type: 'ExternalName',
    clusterIps: [],
    externalIps: [],
    externalName: host,
    ports: [],
    sessionAffinity: 'None',
    sessionAffinitySeconds: 0,
    trafficDistribution: '',
    loadBalancerAddresses: [],
  }
  return {
    key: tupleKey('external', localCluster, host, port),
    service,
    port: { port, name: '', externalPort: port, appProtocol: '' },
    viaService: false,
  }
}

/** Flags of ingress-nginx that are none of ours, and what to use in their place. */
export const ingressNginxFlags: Readonly<Record<string, string>> = {
  'apiserver-host': 'name the API server in a kubeconfig: --kubeconfig',
  'bucket-factor': 'histograms of /metrics have fixed buckets',
  'certificate-authority': 'name the CA in a kubeconfig: --kubeconfig',
  'deep-inspect':
    'paths and hosts are data here and never part of a configuration file, so nothing needs inspecting',
  'default-server-port':
    'what no rule matches is answered without a port of its own; --default-backend-service names another',
  'disable-catch-all':
    'leave out Ingresses without host; headgate routes shows them as (any other)',
  'disable-full-test':
    'every object is judged by itself, by headgate lint before it is applied and by the webhook (--webhook-port)',
  'disable-leader-election': 'one replica elects itself at once, so there is nothing to switch off',
  'disable-svc-external-name': 'keep Services of type ExternalName out by an admission policy',
  'disable-sync-events': 'Events are written only for what is wrong, and for acceptance',
  'dynamic-configuration-retries': 'changes go to the workers in memory, and none is given up',
  'election-ttl': 'leases have fixed times; --election-id names the Lease',
  'enable-annotation-validation': 'annotations are always validated',
  'enable-metrics': 'metrics are always served, on /metrics of --admin-port',
  'enable-ssl-chain-completion': 'put the whole chain into the Secret',
  'enable-topology-aware-routing': 'topology hints are followed where --zone is given',
  'exclude-socket-metrics': 'leave metrics out where they are scraped (metric_relabel_configs)',
  'health-check-path': 'health is /healthz, readiness /readyz, on --admin-port',
  'health-check-timeout': 'set the timeout of the probe in the Pod',
  'healthz-host': 'use --admin-bind-address',
  'healthz-port': 'use --admin-port',
  'internal-logger-address': 'the access log is standard output; there is no syslog',
  'length-buckets': 'histograms of /metrics have fixed buckets',
  'max-buckets': 'histograms of /metrics have fixed buckets',
  'maxmind-edition-ids': 'there is no database of places',
  'maxmind-license-key': 'there is no database of places',
  'maxmind-mirror': 'there is no database of places',
  'maxmind-retries-count': 'there is no database of places',
  'maxmind-retries-timeout': 'there is no database of places',
  'metrics-per-host':
    'metrics are by route; drop labels where they are scraped if they are too many',
  'metrics-per-undefined-host':
    'requests that no rule matches are counted by status, never by host',
  'monitor-max-batch-size': 'metrics are counted in shared memory and need no batches',
  'post-shutdown-grace-period':
    'the process ends when the last request has; --drain-timeout bounds it',
  'profiler-port': 'start Node with --inspect to profile',
  profiling: 'start Node with --inspect to profile',
  'report-node-internal-ip-address':
    'nodes without an ExternalIP are reported by their InternalIP; --publish-status-address names others',
  'report-status-classes': 'requests are counted by class of status, always',
  'size-buckets': 'histograms of /metrics have fixed buckets',
  'ssl-passthrough-proxy-port': 'passthrough needs no port inside; use --enable-ssl-passthrough',
  'status-port': 'use --admin-port',
  'status-update-interval':
    'status is written as soon as it differs; --update-status=false leaves it alone',
  'stream-port': 'there is no port for configuration',
  'sync-period': 'watches are kept in step with the API server and need no repetition',
  'sync-rate-limit': 'changes are applied as they come, in bursts, and there is no reload to limit',
  'time-buckets': 'histograms of /metrics have fixed buckets',
  'update-status-on-shutdown':
    'the last replica takes its addresses out of the status as it ends; --update-status=false leaves the status alone',
  v: 'use --log-level debug',
  'validating-webhook': 'use --webhook-port',
  'validating-webhook-certificate': 'use --webhook-certificate-file',
  'validating-webhook-key': 'use --webhook-key-file',
  version: 'use the command headgate version',
}

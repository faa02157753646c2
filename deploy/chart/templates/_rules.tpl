{{- /* What is read and written in every namespace that is served. */ -}}
{{- define "headgate.namespacedRules" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- apiGroups: ['']
  resources: [services, secrets, configmaps]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
{{- if .Values.publish.status }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [get, patch, update]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  # Listed once, so that an Event goes on where an earlier leader left it.
  verbs: [create, patch, list]
{{- end -}}

{{- define "headgate.subjects" -}}
- kind: ServiceAccount
  name: {{ include "headgate.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

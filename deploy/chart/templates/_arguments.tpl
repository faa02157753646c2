{{- define "headgate.arguments" -}}
- serve
- "--http-port={{ .Values.ports.http }}"
- "--https-port={{ .Values.ports.https }}"
- "--admin-port={{ .Values.ports.admin }}"
- "--admin-bind-address={{ .Values.admin.bindAddress }}"
{{- if include "headgate.secret" . }}
- "--admin-token-file=/etc/headgate/secret/admin-token"
- "--session-key-file=/etc/headgate/secret/session-key"
{{- end }}
- "--ingress-class={{ .Values.ingressClass.name }}"
- "--controller-class={{ .Values.ingressClass.controller }}"
{{- if .Values.watch.withoutClass }}
- "--watch-ingress-without-class=true"
{{- end }}
{{- range .Values.watch.namespaces }}
- "--watch-namespace={{ . }}"
{{- end }}
{{- with .Values.watch.namespaceSelector }}
- {{ printf "--watch-namespace-selector=%s" . | quote }}
{{- end }}
{{- if ne .Values.watch.annotationsPrefix "nginx.ingress.kubernetes.io" }}
- "--annotations-prefix={{ .Values.watch.annotationsPrefix }}"
{{- end }}
- "--configmap={{ .Release.Namespace }}/{{ include "headgate.fullname" . }}"
{{- with .Values.defaultBackendService }}
- "--default-backend-service={{ . }}"
{{- end }}
{{- with .Values.defaultSslCertificate }}
- "--default-ssl-certificate={{ . }}"
{{- end }}
{{- if .Values.tcp }}
- "--tcp-services-configmap={{ .Release.Namespace }}/{{ include "headgate.tcpServices" . }}"
{{- end }}
{{- if .Values.sslPassthrough }}
- "--enable-ssl-passthrough=true"
{{- end }}
{{- if not .Values.publish.status }}
- "--update-status=false"
{{- else if .Values.publish.addresses }}
{{- range .Values.publish.addresses }}
- "--publish-status-address={{ . }}"
{{- end }}
{{- else if .Values.publish.service }}
- "--publish-service={{ .Values.publish.service }}"
{{- else if .Values.service.enabled }}
- "--publish-service={{ .Release.Namespace }}/{{ include "headgate.fullname" . }}"
{{- end }}
- "--election-id={{ include "headgate.leaseName" . }}"
- "--election-namespace={{ .Release.Namespace }}"
{{- if .Values.webhook.enabled }}
- "--webhook-port={{ .Values.webhook.port }}"
{{- if .Values.webhook.existingSecret }}
- "--webhook-certificate-file=/etc/headgate/webhook/tls.crt"
- "--webhook-key-file=/etc/headgate/webhook/tls.key"
{{- else }}
- "--webhook-configuration={{ include "headgate.webhookConfiguration" . }}"
- "--webhook-secret={{ include "headgate.webhookName" . }}"
{{- end }}
{{- end }}
- "--shutdown-grace-period={{ .Values.shutdown.gracePeriodSeconds }}s"
- "--drain-timeout={{ .Values.shutdown.drainTimeoutSeconds }}s"
{{- if .Values.state.enabled }}
- "--state-dir=/var/lib/headgate"
{{- if include "headgate.secret" . }}
- "--state-key-file=/etc/headgate/secret/state-key"
{{- end }}
{{- end }}
{{- if .Values.workers }}
- "--workers={{ .Values.workers }}"
{{- end }}
- "--control-plane-heap-mb={{ .Values.controlPlaneHeapMb }}"
- "--node-name=$(NODE_NAME)"
- "--log-format={{ .Values.log.format }}"
- "--log-level={{ .Values.log.level }}"
{{- range $flag, $value := .Values.extraArgs }}
{{- if kindIs "slice" $value }}
{{- range $value }}
- {{ printf "--%s=%v" $flag . | quote }}
{{- end }}
{{- else if kindIs "float64" $value }}
- {{ printf "--%s=%d" $flag (int64 $value) | quote }}
{{- else }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end }}
{{- end -}}
